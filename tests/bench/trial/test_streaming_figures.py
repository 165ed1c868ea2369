"""Time to first token, gaps and first outputs of whole trials: in virtual they are those drawn."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import anthropic
import openai
import pytest
from warpbench.bench.gate.structure.measure import structure_of
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.statistics.streams import itl_of, summarise_counts, ttft_of
from warpbench.bench.statistics.summary import cell_result, trial_figures
from warpbench.bench.strategies import BUILT_IN, Drives, Strategy
from warpbench.bench.targets.loading import Target
from warpbench.bench.testing.lab import spec_of
from warpbench.bench.trial.spec import NotApplicable
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.clock import nanoseconds
from warpbench.mocks.observe.streams import Streams
from warpbench.mocks.scenario import Scenario, parse_scenario
from warpbench.mocks.workload.script import ModelCallScript, draw, piece_times_ns

SECOND_NS = 1_000_000_000
DRAWN = parse_scenario("""
    name = "drawn-streams"
    description = "Two streamed answers a session; first token and gaps are drawn."
    sessions = 6
    [model]
    ttft_s = { lognormal = { median = 0.4, p99 = 1.5 } }
    gap_s = { uniform = { low = 0.005, high = 0.06 } }
    prompt_tokens = 50
    completion_tokens = { uniform = { low = 5, high = 40 } }
    [tools.look_up]
    description = "Looks something up."
    kind = "async"
    latency_s = 0.2
    [[rounds]]
    tools = [{ tool = "look_up" }]
    [[rounds]]
""")
PIECES = parse_scenario("""
    name = "pieces"
    description = "Ten pieces: the first after 300 ms, one every 100 ms."
    sessions = 4
    [model]
    ttft_s = 0.3
    gap_s = 0.1
    prompt_tokens = 50
    completion_tokens = 10
    [[rounds]]
""")
QUICK = parse_scenario("""
    name = "quick-pieces"
    description = "Ten pieces for real time: the first after 20 ms, one every 10 ms."
    sessions = 2
    [model]
    ttft_s = 0.02
    gap_s = 0.01
    prompt_tokens = 50
    completion_tokens = 10
    [[rounds]]
""")
FAILING = replace(
    PIECES,
    faults=parse_scenario("""
        name = "faults"
        description = "The second session's stream is cut; the third one's is refused."
        sessions = 4
        [model]
        latency_s = 1.0
        [[rounds]]
        [[faults]]
        kind = "reset"
        sessions = [1]
        attempts = [1]
        [[faults]]
        kind = "status"
        status = 503
        sessions = [2]
        attempts = [1]
    """).faults,
)
STRATEGIES = [
    pytest.param(strategy, loop, id=f"{strategy.name}-{loop}")
    for strategy in BUILT_IN
    for loop in (("asyncio", "uvloop") if strategy.on_loop else ("asyncio",))
]
EVERY_STRATEGY = pytest.mark.parametrize(("strategy", "loop"), STRATEGIES)
EACH_ON_A_LOOP = pytest.mark.parametrize(
    ("strategy", "loop"),
    [
        pytest.param(each, ("asyncio", "uvloop")[each.on_loop and number % 2], id=each.name)
        for number, each in enumerate(BUILT_IN)
    ],
)
"""The slow suite has each on either loop."""


def trial_of(
    target: object, scenario: Scenario, strategy: str = "gather", loop: str = "asyncio", **more: Any
) -> TrialResult:
    spec = spec_of(
        target,
        scenario=scenario,
        strategy=strategy,
        loop=loop,
        sessions=scenario.sessions,
        **more,
    )
    with prepared_here(spec, target) as measure:
        assert not isinstance(measure, NotApplicable)
        return measure()


def messages(task: str) -> Any:
    return [{"role": "user", "content": task}]


# Each takes up what its SDK yields, and says which of that is text.


async def chat_async(task: str) -> AsyncIterator[str]:
    async with openai.AsyncOpenAI() as client:
        stream = await client.chat.completions.create(
            model="m", messages=messages(task), stream=True
        )
        async for chunk in stream:
            yield chunk.choices[0].delta.content or "" if chunk.choices else ""


async def responses_async(task: str) -> AsyncIterator[str]:
    client = openai.AsyncOpenAI()
    async for event in await client.responses.create(model="m", input=task, stream=True):
        yield event.delta if event.type == "response.output_text.delta" else ""


async def messages_async(task: str) -> AsyncIterator[str]:
    client = anthropic.AsyncAnthropic()
    async with client.messages.stream(model="m", max_tokens=99, messages=messages(task)) as stream:
        async for text in stream.text_stream:
            yield text


def chat(task: str) -> Iterator[str]:
    client = openai.OpenAI()
    for chunk in client.chat.completions.create(model="m", messages=messages(task), stream=True):
        yield chunk.choices[0].delta.content or "" if chunk.choices else ""


def responses(task: str) -> Iterator[str]:
    for event in openai.OpenAI().responses.create(model="m", input=task, stream=True):
        yield event.delta if event.type == "response.output_text.delta" else ""


def anthropic_messages(task: str) -> Iterator[str]:
    client = anthropic.Anthropic()
    with client.messages.stream(model="m", max_tokens=99, messages=messages(task)) as stream:
        yield from stream.text_stream


HAS_RESPONSES = pytest.mark.skipif(
    not hasattr(openai.OpenAI, "responses"), reason="this openai is older than its Responses API"
)
ASYNC_FORMS = [chat_async, pytest.param(responses_async, marks=HAS_RESPONSES), messages_async]
SYNC_FORMS = [chat, pytest.param(responses, marks=HAS_RESPONSES), anthropic_messages]


def drawn_of(scenario: Scenario) -> list[ModelCallScript]:
    """The only call of each session that a target without tools makes."""
    return [session.model_calls[0] for session in draw(scenario, 1).sessions]


def gaps_of(calls: list[ModelCallScript]) -> Counter[int]:
    return Counter(
        after - before for call in calls for before, after in pairwise(piece_times_ns(call))
    )


def by_session(streams: Streams, column: tuple[int, ...]) -> list[int]:
    return [value for _, value in sorted(zip(streams.session, column, strict=True))]


WITHOUT_TOOLS = replace(DRAWN, rounds=DRAWN.rounds[1:], tools={})


def check_exact(trial: TrialResult) -> None:
    calls = drawn_of(WITHOUT_TOOLS)
    streams = trial.streams
    assert by_session(streams, streams.ttft_ns) == [call.ttft_ns for call in calls]
    assert streams.gaps == dict(sorted(gaps_of(calls).items()))
    assert by_session(streams, streams.span_ns) == [
        piece_times_ns(call)[-1] - piece_times_ns(call)[0] for call in calls
    ]
    assert by_session(streams, streams.tokens) == [call.completion_tokens for call in calls]
    assert streams.completion_tokens == sum(call.completion_tokens for call in calls)
    assert streams.prompt_tokens == sum(call.prompt_tokens for call in calls)
    outputs_ns = {each.session: each.output_latency_ns for each in trial.samples}
    assert [outputs_ns[number] for number in sorted(outputs_ns)] == [call.ttft_ns for call in calls]


class TestExactInVirtual:
    """Nothing but what was drawn, to the nanosecond."""

    @pytest.mark.parametrize(
        ("session", "loop"),
        [
            (chat_async, "asyncio"),
            pytest.param(responses_async, "uvloop", marks=HAS_RESPONSES),
            (messages_async, "asyncio"),
            (messages_async, "uvloop"),
        ],
    )
    def test_async(self, session: Callable[..., Any], loop: str) -> None:
        """The slow suite has each on either loop."""
        check_exact(trial_of(session, WITHOUT_TOOLS, loop=loop))

    @pytest.mark.parametrize("session", SYNC_FORMS)
    def test_sync(self, session: Callable[..., Any]) -> None:
        check_exact(trial_of(session, WITHOUT_TOOLS, "threads"))

    def test_the_agent_that_streams_its_calls_of_tools_too(self) -> None:
        trial = trial_of("agent-streaming", DRAWN)
        drawn = [call for session in draw(DRAWN, 1).sessions for call in session.model_calls]
        assert sorted(trial.streams.ttft_ns) == sorted(call.ttft_ns or 0 for call in drawn)
        assert trial.streams.prompt_tokens == sum(call.prompt_tokens for call in drawn)
        # None of its sessions yields what its user sees.
        assert {sample.first_output_ns for sample in trial.samples} == {None}

    def test_a_whole_answer_is_no_stream_and_has_no_time_to_first_token(self) -> None:
        trial = trial_of("agent", DRAWN)
        drawn = [call for session in draw(DRAWN, 1).sessions for call in session.model_calls]
        assert trial.streams == Streams(
            prompt_tokens=sum(call.prompt_tokens for call in drawn),
            completion_tokens=sum(call.completion_tokens for call in drawn),
        )
        result = cell_result(spec_of("agent").cell, [trial])
        assert (result.streamed_calls, result.ttft_s.p50) == (0, None)

    def test_the_figures_of_a_cell_are_those_of_its_drawn_script(self) -> None:
        trial = trial_of(chat_async, PIECES)
        result = cell_result(spec_of(chat_async, scenario=PIECES).cell, [trial, trial])
        assert (result.streamed_calls, result.streams_without_token) == (8, 0)
        assert (result.ttft_s.p50, result.ttft_s.max, result.ttft_s.p90) == (0.3, 0.3, None)
        assert (result.itl_s.p50, result.itl_s.p95, result.itl_s.max) == (0.1, 0.1, 0.1)
        assert result.tokens_per_s.p50 == pytest.approx(10.0)
        assert (result.first_output_s.p50, result.latency_s.p50) == (0.3, 1.2)
        assert (result.prompt_tokens, result.completion_tokens) == (200, 40)


def test_the_gate_has_the_figures_that_there_are() -> None:
    streamed = structure_of(trial_of(chat_async, PIECES))
    assert streamed.ttft_s == {"p50": 0.3, "max": 0.3, "mean": 0.3}
    assert streamed.itl_s is not None
    assert streamed.itl_s["p95"] == 0.1
    assert streamed.first_output_s == streamed.ttft_s
    assert (streamed.prompt_tokens, streamed.completion_tokens) == (200, 40)
    assert streamed.times.ttft_s.p50 == 0.3
    whole = structure_of(trial_of("agent", PIECES))
    assert (whole.ttft_s, whole.itl_s, whole.first_output_s) == ({}, {}, {})


class TestAsTheClientTakesThemUp:
    def test_who_reads_slowly_sees_gaps_of_its_own(self) -> None:
        async def slow(task: str) -> str:
            async for _ in chat_async(task):
                await asyncio.sleep(0.25)
            return "read"

        trial = trial_of(slow, PIECES)

        # Pieces are due every 100 ms; it asks for the next one every 250 ms, from the first on.
        assert set(trial.streams.ttft_ns) == {nanoseconds(0.3)}
        assert trial.streams.gaps == {nanoseconds(0.25): 4 * 8, nanoseconds(0.5): 4}

    def test_so_does_plain_code(self) -> None:
        def slow(task: str) -> str:
            for chunk in openai.OpenAI().chat.completions.create(
                model="m", messages=messages(task), stream=True
            ):
                if chunk.choices and chunk.choices[0].delta.content:
                    time.sleep(0.25)
            return "read"

        trial = trial_of(lambda: slow, PIECES, "threads")

        assert trial.streams.gaps == {nanoseconds(0.25): 4 * 9}

    def test_who_blocks_the_loop_makes_others_take_theirs_up_late(self) -> None:
        async def blocking(task: str) -> str:
            if "session 0" in task:
                await asyncio.sleep(0.2)
                time.sleep(0.5)  # noqa: ASYNC251 - the blunder that is measured
            async for _ in chat_async(task):
                pass
            return "read"

        trial = trial_of(blocking, PIECES)

        # The three that had asked for their first piece got it at 0.7 s, and four more with it.
        assert Counter(trial.streams.ttft_ns) == {nanoseconds(0.3): 1, nanoseconds(0.7): 3}
        assert trial.streams.gaps[0] == 3 * 4

    def test_a_stream_that_is_left_counts_as_far_as_it_was_taken_up(self) -> None:
        async def leaving(task: str) -> str:
            count = 0
            async for text in chat_async(task):
                count += bool(text)
                if count == 4:
                    return "enough"
            return ""

        trial = trial_of(leaving, PIECES)

        assert trial.streams.gaps == {nanoseconds(0.1): 4 * 3}
        assert trial.streams.tokens == (4, 4, 4, 4)
        assert trial.streams.completion_tokens == 16

    def test_a_stream_that_is_left_before_its_first_token_is_counted_without_one(self) -> None:
        async def impatient(task: str) -> str:
            async with asyncio.timeout(0.2):
                async for _ in chat_async(task):
                    pass
            return ""

        trial = trial_of(impatient, PIECES)

        assert trial.streams.ttft_ns == (-1, -1, -1, -1)
        result = cell_result(spec_of(impatient, scenario=PIECES).cell, [trial])
        assert (result.streamed_calls, result.streams_without_token) == (4, 4)
        assert result.ttft_s.p50 is None

    def test_an_attempt_that_was_cut_counts_as_a_stream_and_a_refused_one_does_not(self) -> None:
        trial = trial_of("agent-streaming", FAILING)

        assert {each.session: each.outcome for each in trial.samples} == {
            0: "succeeded",
            1: "failed",
            2: "succeeded",
            3: "succeeded",
        }
        # Three were read to their end, and one broke off half-way; a refusal is no stream.
        assert trial.llm_calls == 5
        assert sorted(trial.streams.tokens) == [5, 10, 10, 10]
        assert ttft_of([trial.streams]).max == 0.3
        assert trial.streams.prompt_tokens == 4 * 50

    def test_over_sockets_they_are_as_the_server_sent_them(self) -> None:
        spec = spec_of(chat_async, scenario=QUICK, sessions=2, clock="wall")
        spec = replace(spec, cell=replace(spec.cell, transport="loopback"))
        with prepared_here(spec, chat_async) as measure:
            assert not isinstance(measure, NotApplicable)
            streams = measure().streams

        assert sum(streams.gaps.values()) == 2 * 9
        assert all(each >= nanoseconds(0.02) for each in streams.ttft_ns)
        assert all(
            ttft_ns + span_ns >= nanoseconds(0.11)
            for ttft_ns, span_ns in zip(streams.ttft_ns, streams.span_ns, strict=True)
        )
        assert streams.tokens == (10, 10)
        assert (streams.prompt_tokens, streams.completion_tokens) == (100, 20)


def streaming() -> Target:
    return Target(session=chat_async, sync_session=chat)


def check_first_output(strategy: str, loop: str) -> None:
    trial = trial_of(streaming(), PIECES, strategy, loop)

    assert [sample.outcome for sample in trial.samples] == ["succeeded"] * 4
    # Where a strategy blocks its loop, all sessions begin one after another.
    assert [sample.output_latency_ns for sample in trial.samples] == [nanoseconds(0.3)] * 4
    assert [sample.latency_ns for sample in trial.samples] == [nanoseconds(1.2)] * 4


FAILURES = {"failed": ValueError("no"), "timed_out": TimeoutError()}


def check_raises(strategy: str, loop: str, outcome: str) -> None:
    closed = []

    async def session(task: str) -> AsyncIterator[str]:
        try:
            async for text in chat_async(task):
                yield text
                if text and "session 2]" in task:
                    raise FAILURES[outcome]
        finally:
            closed.append(task)

    def sync_session(task: str) -> Iterator[str]:
        try:
            for text in chat(task):
                yield text
                if text and "session 2]" in task:
                    raise FAILURES[outcome]
        finally:
            closed.append(task)

    target = Target(session=session, sync_session=sync_session)
    trial = trial_of(target, PIECES, strategy, loop)

    found = {sample.session: sample for sample in trial.samples}
    assert Counter(sample.outcome for sample in trial.samples) == {"succeeded": 3, outcome: 1}
    assert (found[2].outcome, found[2].output_latency_ns) == (outcome, nanoseconds(0.3))
    assert len(set(closed)) >= 4


def check_cancels(strategy: str, loop: str) -> None:
    closed = []

    async def session(task: str) -> AsyncIterator[str]:
        try:
            async for text in chat_async(task):
                yield text
                if text and "session 1]" in task:
                    raise asyncio.CancelledError
        finally:
            closed.append(task)

    trial = trial_of(session, PIECES, strategy, loop)

    assert Counter(each.outcome for each in trial.samples) == {"succeeded": 3, "cancelled": 1}
    assert sum("session 1]" in task for task in closed) == 1


ASYNC = [each.name for each in BUILT_IN if each.drives is Drives.ASYNC]


class TestSessionsThatYield:
    @EACH_ON_A_LOOP
    def test_each_strategy_drives_them_and_their_first_output_is_noted(
        self, strategy: Strategy, loop: str
    ) -> None:
        check_first_output(strategy.name, loop)

    @EACH_ON_A_LOOP
    def test_one_that_raises_after_its_first_output_is_accounted_for(
        self, strategy: Strategy, loop: str
    ) -> None:
        check_raises(strategy.name, loop, "failed")

    @pytest.mark.parametrize(
        ("strategy", "loop"), [("threads", "asyncio"), ("taskgroup", "uvloop")]
    )
    def test_so_is_one_that_times_out_after_it(self, strategy: str, loop: str) -> None:
        check_raises(strategy, loop, "timed_out")

    @pytest.mark.parametrize(
        ("strategy", "loop"),
        [(each, ("asyncio", "uvloop")[number % 2]) for number, each in enumerate(ASYNC)],
    )
    def test_one_that_cancels_itself_is_closed_and_counts_as_cancelled(
        self, strategy: str, loop: str
    ) -> None:
        check_cancels(strategy, loop)

    def test_one_that_times_out_before_any_output_has_none(self) -> None:
        async def session(task: str) -> AsyncIterator[str]:
            async with asyncio.timeout(0.2):
                async for text in chat_async(task):
                    yield text

        trial = trial_of(session, PIECES)

        assert [sample.outcome for sample in trial.samples] == ["timed_out"] * 4
        assert [sample.first_output_ns for sample in trial.samples] == [None] * 4
        assert trial_figures(trial).first_output_ns == ()

    def test_what_is_yielded_must_be_text(self) -> None:
        async def session(task: str) -> AsyncIterator[Any]:
            async for text in chat_async(task):
                yield text.encode()

        trial = trial_of(session, PIECES)

        assert [sample.outcome for sample in trial.samples] == ["failed"] * 4
        assert "TypeError: the session yielded bytes: expected str" in str(trial.samples[0].error)

    def test_in_an_open_loop_the_first_output_counts_from_the_intended_start(self) -> None:
        spec = spec_of(chat_async, scenario=PIECES, concurrency=1)
        spec = replace(
            spec, cell=replace(spec.cell, arrivals="constant:10", concurrency=1, session_count=4)
        )
        with prepared_here(spec, chat_async) as measure:
            assert not isinstance(measure, NotApplicable)
            trial = measure()

        # One at a time, 1.2 s each, and one arrives every 100 ms.
        late_ns = [nanoseconds(1.1) * number for number in range(4)]
        assert [each.output_latency_ns for each in trial.samples] == [
            nanoseconds(0.3) + each for each in late_ns
        ]


def test_percentiles_of_gaps_count_each_gap() -> None:
    gaps = {nanoseconds(0.1): 98, nanoseconds(0.5): 1, nanoseconds(9.0): 1}
    found = summarise_counts(gaps)
    assert (found.p50, found.p99, found.max) == (0.1, 0.5, 9.0)
    assert (
        itl_of([Streams(gaps={nanoseconds(0.1): 98}), Streams(gaps={nanoseconds(9.0): 1})]).p99
        is None
    )
