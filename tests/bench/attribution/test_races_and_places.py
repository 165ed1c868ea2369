"""Calls that are asked twice, and sessions that begin late: each part is what it says."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI
from warpbench.bench.attribution.breakdown import split_times
from warpbench.bench.attribution.observations import Observations
from warpbench.bench.attribution.places import admitted_ns
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.results.time_parts import TimeParts, in_seconds
from warpbench.bench.testing.lab import run_cell, spec_of
from warpbench.bench.trial.spec import NotApplicable
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.observe.waits import Wait, WaitEnding, WaitKind
from warpbench.mocks.scenario import Scenario, load_scenario, parse_scenario
from warpbench.mocks.scenario.recording import RecordedCall, RecordedSession, recording_bytes
from warpbench.mocks.workload.script import ModelCallScript, SessionScript

ONE_CALL = parse_scenario("""
    name = "one"
    description = "One call of one second."
    sessions = 4
    [model]
    latency_s = 1.0
    [[rounds]]
""")
Ask = Callable[[], Any]


async def both_at_once(ask: Ask) -> None:
    done, losers = await asyncio.wait(
        [asyncio.create_task(ask()) for _ in range(2)], return_when=asyncio.FIRST_COMPLETED
    )
    assert done
    for loser in losers:
        loser.cancel()


async def the_second_later(ask: Ask) -> None:
    first = asyncio.create_task(ask())
    await asyncio.wait([first], timeout=0.4)
    second = asyncio.create_task(ask())
    await asyncio.wait([first, second], return_when=asyncio.FIRST_COMPLETED)
    second.cancel()


async def the_loser_runs_on(ask: Ask) -> None:
    first = asyncio.create_task(ask())
    await asyncio.sleep(0.4)
    running.append(asyncio.create_task(ask()))
    await first


async def twice(ask: Ask) -> None:
    await ask()
    await ask()


async def given_up_and_asked_again(ask: Ask) -> None:
    try:
        async with asyncio.timeout(0.4):
            await ask()
    except TimeoutError:
        await asyncio.sleep(0.1)
    await ask()


running: list[asyncio.Task[Any]] = []


def asker(asks: Callable[[Ask], Any], sleep_s: float = 0.0) -> Callable[[], Any]:
    def build() -> Any:
        client = AsyncOpenAI(max_retries=0)

        async def session(task: str) -> str:
            async def ask() -> None:
                await client.chat.completions.create(
                    model="m", messages=[{"role": "user", "content": task}]
                )

            await asks(ask)
            await asyncio.sleep(sleep_s)
            return ""

        return session

    return build


@pytest.mark.parametrize(
    ("asks", "expected", "loop"),
    [
        (both_at_once, TimeParts(llm=1.0), "asyncio"),
        (the_second_later, TimeParts(llm=1.0), "uvloop"),
        (twice, TimeParts(llm=2.0), "asyncio"),
        (given_up_and_asked_again, TimeParts(llm=1.0, retry=0.5), "uvloop"),
    ],
)
def test_only_an_attempt_that_failed_is_a_retry(asks: Any, expected: TimeParts, loop: str) -> None:
    result = run_cell(spec_of(asker(asks), scenario=ONE_CALL, sessions=2, loop=loop), asker(asks))

    assert result.errors == ()
    assert result.time_parts == (expected,) * 2


def test_a_sample_is_under_way_until_its_end() -> None:
    target = asker(the_loser_runs_on, sleep_s=2.0)

    result = run_cell(spec_of(target, scenario=ONE_CALL, sessions=2), target)

    assert result.time_parts == (TimeParts(llm=1.4, remainder=1.6),) * 2


def model(start: int, length: int, ending: WaitEnding) -> Wait:
    return Wait(WaitKind.MODEL, 0, 0, None, "", start, start + length, length, ending=ending)


def parts_of(*waits: Wait, end: int) -> TimeParts:
    script = SessionScript(0, (ModelCallScript(10, 1, 1, ()),))
    sample = SessionSample(0, Outcome.SUCCEEDED, 0, end)
    ((parts, _),) = split_times([sample], Observations({0: script}, waits, {}, (), 0, 1))
    return parts


WHOLE, FAILED, LEFT = WaitEnding.WHOLE, WaitEnding.FAILED, WaitEnding.LEFT


@pytest.mark.parametrize(
    ("waits", "expected"),
    [
        pytest.param(
            (model(0, 10, LEFT), model(4, 6, WHOLE)), TimeParts(llm=10, ready=10), id="second wins"
        ),
        pytest.param(
            (model(0, 10, WHOLE), model(0, 18, LEFT)), TimeParts(llm=10, ready=10), id="lost late"
        ),
        pytest.param(
            (model(0, 5, FAILED), model(2, 8, WHOLE)), TimeParts(llm=10, ready=10), id="first fails"
        ),
        pytest.param(
            (model(0, 10, WHOLE), model(0, 10, LEFT), model(12, 8, WHOLE)),
            TimeParts(llm=18, ready=2),
            id="a race, and again",
        ),
        pytest.param(
            (model(0, 3, FAILED), model(5, 3, FAILED), model(10, 10, WHOLE)),
            TimeParts(llm=10, retry=10),
            id="two failures",
        ),
    ],
)
def test_of_attempts_at_one_call(waits: tuple[Wait, ...], expected: TimeParts) -> None:
    assert parts_of(*waits, end=20) == expected


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.builds(model, st.integers(0, 40), st.integers(0, 40), st.sampled_from(WaitEnding)),
        max_size=6,
    ),
    st.integers(0, 60),
)
def test_however_requests_overlap_the_parts_add_up(waits: list[Wait], end: int) -> None:
    parts = asdict(parts_of(*waits, end=end))

    assert sum(parts.values()) == end
    assert all(value >= 0 for value in parts.values())
    # The model is waited for while some request is under way, and at no other time.
    covered = {at for wait in waits for at in range(wait.start_ns, min(end, wait.end_ns))}
    assert parts["llm"] <= len(covered)


ARRIVALS = ["constant:1", "poisson:1", "ramp:1-2", "trace", "trace:2"]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """Eight sessions that began a second apart, of one call of a second each."""
    folder = tmp_path_factory.mktemp("recorded")
    call = RecordedCall(1.0, 10, 10)
    sessions = [RecordedSession(float(number), (call,)) for number in range(8)]
    (folder / "r.jsonl.gz").write_bytes(recording_bytes(sessions))
    text = 'name = "r"\ndescription = "d"\nsessions = 8\n[recording]\nfile = "r.jsonl.gz"\n'
    (folder / "r.toml").write_text(text)
    return load_scenario(str(folder / "r.toml"))


def blocking() -> Any:
    client = AsyncOpenAI(max_retries=0)

    async def session(task: str) -> str:
        await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": task}]
        )
        time.sleep(3)  # noqa: ASYNC251 - this is what is looked for
        return ""

    return session


def parts_in_open_loop(
    target: Any,
    scenario: Scenario,
    arrivals: str,
    *,
    strategy: str = "gather",
    concurrency: int = 8,
) -> list[tuple[SessionSample, TimeParts]]:
    spec = spec_of(
        target, scenario=scenario, sessions=8, concurrency=concurrency, strategy=strategy
    )
    spec = replace(spec, cell=replace(spec.cell, arrivals=arrivals))
    with prepared_here(spec, target) as measure:
        assert not isinstance(measure, NotApplicable)
        trial = measure()
    found = [(s, in_seconds(p)) for s, p in zip(trial.samples, trial.time_parts_ns, strict=True)]
    for sample, parts in found:
        assert sum(asdict(parts).values()) == pytest.approx(sample.latency_ns / 1e9)
    return found


@pytest.mark.parametrize(
    ("arrivals", "strategy"),
    [
        (each, ("gather", "taskgroup", "workers")[number % 3])
        for number, each in enumerate(ARRIVALS)
    ],
)
def test_without_a_limit_who_begins_late_waited_for_the_loop(
    recorded: Scenario, arrivals: str, strategy: str
) -> None:
    found = parts_in_open_loop(blocking, recorded, arrivals, strategy=strategy)

    late = [pair for pair in found if pair[0].start_ns > (pair[0].intended_ns or 0)]
    assert late
    assert all(parts.admission == 0 for _, parts in found)
    for sample, parts in late:
        assert parts.ready >= (sample.start_ns - (sample.intended_ns or 0)) / 1e9 - 1e-9


@pytest.mark.parametrize("arrivals", ARRIVALS)
def test_under_a_limit_who_begins_late_waited_for_a_place(
    recorded: Scenario, arrivals: str
) -> None:
    async def once(ask: Ask) -> None:
        await ask()

    found = parts_in_open_loop(asker(once, sleep_s=4.0), recorded, arrivals, concurrency=2)

    assert any(parts.admission > 0 for _, parts in found)
    for sample, parts in found:
        assert parts.admission == pytest.approx((sample.start_ns - (sample.intended_ns or 0)) / 1e9)
        assert parts.ready == 0


def sample(session: int, intended: int | None, start: int, end: int) -> SessionSample:
    return SessionSample(session, Outcome.SUCCEEDED, start, end, intended_ns=intended)


def test_a_place_is_free_when_the_first_session_has_ended() -> None:
    samples = [sample(0, 0, 0, 10), sample(1, 0, 0, 4), sample(2, 1, 7, 12), sample(3, 2, 10, 20)]

    assert admitted_ns(samples, 2) == {0: 0, 1: 0, 2: 4, 3: 10}
    assert admitted_ns(samples, None) == {0: 0, 1: 0, 2: 1, 3: 2}
    assert admitted_ns([sample(0, None, 0, 1)], 1) == {}
