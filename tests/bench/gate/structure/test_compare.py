"""The structure tier as a function: exact, and never in two minds."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.gate.structure.compare import is_same_workload, structure_changes
from warpbench.bench.gate.structure.measure import BlockedPlace, RoundStructure, Structure
from warpbench.bench.gate.tolerances import Tolerances
from warpbench.bench.results.records import LatencySummary
from warpbench.bench.results.verdict import (
    CellVerdict,
    ChangeKind,
    PartChange,
    Verdict,
    overall,
    verdict_on,
)
from warpbench.reports.comparison.gate import change_text

pytestmark = pytest.mark.once

EXACT = Tolerances()


def judge(before: Structure, after: Structure, tolerances: Tolerances = EXACT) -> CellVerdict:
    return verdict_on("cell", structure_changes(before, after, tolerances))


def figures(judged: CellVerdict) -> list[tuple[ChangeKind, str, float, float, bool]]:
    return [
        (each.kind, each.name, each.before, each.after, each.is_worse) for each in judged.changes
    ]


counts = st.integers(0, 50)
times = st.floats(0, 100)
rounds = st.dictionaries(
    st.sampled_from(["0", "1"]),
    st.builds(
        RoundStructure,
        calls=st.just({"search": 20}),
        sessions=st.just(10),
        span_s=times,
        longest_s=times,
        total_s=times,
    ),
)
blocked = st.dictionaries(
    st.sampled_from(["agent.py:ask", "agent.py:call"]),
    st.builds(BlockedPlace, times=st.integers(1, 9), total_s=st.floats(0.1, 100)),
)
percentiles = st.dictionaries(st.sampled_from(("p50", "max")), times)
structures = st.builds(
    Structure,
    makespan_s=times,
    latency_s=st.builds(LatencySummary, p50=st.none() | times, mean=times),
    succeeded=counts,
    started=st.just(10),
    model_calls=counts,
    repeated_model_calls=counts,
    model_calls_by_session=st.just({"2": 10}),
    tool_calls=counts,
    peak_in_flight=counts,
    peak_tools_in_flight=counts,
    blocked_loop=blocked,
    rounds=rounds,
    ideal_makespan_s=st.just(1.0),
    ideal_latency_s=st.just(LatencySummary()),
    streamed_model_calls=st.none() | counts,
    request_bytes=st.none() | counts,
    request_parts=st.just({"messages.user": 1}),
    service_request_bytes=st.none()
    | st.dictionaries(st.sampled_from(("a.example", "b.example")), counts),
    refused_requests=st.none()
    | st.dictionaries(st.sampled_from(("a.example", "b.example")), counts),
    prompt_tokens=st.none() | counts,
    completion_tokens=st.none() | counts,
    ttft_s=st.none() | percentiles,
    itl_s=st.none() | percentiles,
    first_output_s=st.none() | percentiles,
    equal_model_calls=st.none()
    | st.dictionaries(st.sampled_from(("retries", "repeats", "hedges", "samples")), counts),
)


@given(structures, structures)
def test_what_is_worse_one_way_does_not_pass_the_other(before: Structure, after: Structure) -> None:
    assert judge(before, before).verdict is Verdict.PASSED
    there, back = judge(before, after), judge(after, before)
    # A limit that is lower, and percentiles that are not there, are no change.
    if there.verdict is Verdict.IMPROVED:
        assert back.verdict is Verdict.REGRESSED
    assert all(map(change_text, (*there.changes, *back.changes)))


def test_one_thing_worse_is_a_regression_whatever_is_better() -> None:
    before = EXAMPLE
    after = replace(before, makespan_s=0.5, model_calls=before.model_calls + 10)
    verdict = judge(before, after)
    assert verdict.verdict is Verdict.REGRESSED
    assert figures(verdict) == [
        (ChangeKind.MODEL_CALLS, "", 20, 30, True),
        (ChangeKind.MAKESPAN, "", 1.0, 0.5, False),
    ]


EXAMPLE = Structure(
    makespan_s=1.0,
    latency_s=LatencySummary(),
    succeeded=10,
    started=10,
    model_calls=20,
    repeated_model_calls=0,
    model_calls_by_session={"2": 10},
    tool_calls=0,
    peak_in_flight=5,
    peak_tools_in_flight=0,
    blocked_loop={},
    rounds={},
    ideal_makespan_s=1.0,
    ideal_latency_s=LatencySummary(),
)


def test_the_verdict_on_all_is_the_worst() -> None:
    of = {verdict: CellVerdict("cell", verdict) for verdict in Verdict}
    assert overall([]) is Verdict.PASSED
    assert overall([of[Verdict.PASSED], of[Verdict.IMPROVED]]) is Verdict.IMPROVED
    assert overall([of[Verdict.IMPROVED], of[Verdict.COULD_NOT_JUDGE]]) is Verdict.COULD_NOT_JUDGE
    assert overall([of[Verdict.COULD_NOT_JUDGE], of[Verdict.REGRESSED]]) is Verdict.REGRESSED


def test_a_tolerance_lets_a_figure_move_so_far_and_no_farther() -> None:
    tolerances = Tolerances(makespan=0.1)
    assert judge(EXAMPLE, replace(EXAMPLE, makespan_s=1.1), tolerances).verdict is Verdict.PASSED
    slower = judge(EXAMPLE, replace(EXAMPLE, makespan_s=1.11), tolerances)
    assert figures(slower) == [(ChangeKind.MAKESPAN, "", 1.0, 1.11, True)]


def test_tools_that_are_called_more_or_less_are_named_with_their_round() -> None:
    def rounds(**calls: int) -> dict[str, RoundStructure]:
        return {
            "0": RoundStructure(calls=calls, sessions=10, span_s=1.0, longest_s=1.0, total_s=2.0)
        }

    before, after = rounds(search=20, weather=10), rounds(search=21, lookup=5)
    judged = judge(
        replace(EXAMPLE, rounds=before, tool_calls=30),
        replace(EXAMPLE, rounds=after, tool_calls=26),
    )
    assert figures(judged) == [
        (ChangeKind.CALLS_OF_A_TOOL, "lookup", 0, 5, True),
        (ChangeKind.CALLS_OF_A_TOOL, "search", 20, 21, True),
        (ChangeKind.CALLS_OF_A_TOOL, "weather", 10, 0, False),
        (ChangeKind.TOOL_CALLS, "", 30, 26, False),
    ]
    assert [change.round for change in judged.changes] == [1, 1, 1, None]


def test_a_blocked_loop_is_named_with_the_function_that_blocks_it() -> None:
    blocked = replace(
        EXAMPLE, blocked_loop={"agent.py:summarise": BlockedPlace(times=3, total_s=0.9)}
    )
    there, back = judge(EXAMPLE, blocked), judge(blocked, EXAMPLE)
    assert figures(there) == [(ChangeKind.BLOCKED_LOOP, "agent.py:summarise", 0, 0.9, True)]
    assert there.changes[0].count == 3
    assert there.verdict is Verdict.REGRESSED
    assert figures(back) == [(ChangeKind.BLOCKED_LOOP, "agent.py:summarise", 0.9, 0, False)]
    assert back.verdict is Verdict.IMPROVED


def test_a_call_that_is_dropped_or_added_says_nothing_of_streaming() -> None:
    def kinds(model_calls: int, streamed: int) -> list[ChangeKind]:
        before = replace(EXAMPLE, streamed_model_calls=10)
        after = replace(before, model_calls=model_calls, streamed_model_calls=streamed)
        return [kind for kind, *_ in figures(judge(before, after))]

    assert kinds(20, 10) == []
    assert kinds(10, 0) == [ChangeKind.MODEL_CALLS]
    assert kinds(30, 10) == [ChangeKind.MODEL_CALLS]
    assert kinds(30, 20) == [ChangeKind.MODEL_CALLS]
    assert kinds(20, 0) == kinds(20, 20) == [ChangeKind.STREAMED_MODEL_CALLS]


def test_requests_to_a_service_may_grow_by_three_per_cent() -> None:
    before = replace(EXAMPLE, service_request_bytes={"a.example": 1_000, "b.example": 10})
    held = replace(before, service_request_bytes={"a.example": 1_030, "b.example": 10})
    assert judge(before, held).verdict is Verdict.PASSED
    larger = judge(before, replace(before, service_request_bytes={"a.example": 1_031}))
    kind = ChangeKind.SERVICE_REQUEST_BYTES
    assert figures(larger) == [
        (kind, "a.example", 1_000, 1_031, True),
        (kind, "b.example", 10, 0, False),
    ]
    assert judge(EXAMPLE, held).verdict is Verdict.PASSED, "nothing was recorded"


def test_one_refused_request_more_is_a_regression_and_one_fewer_is_better() -> None:
    kind = ChangeKind.REFUSED_REQUESTS
    before = replace(EXAMPLE, refused_requests={"a.example": 30})
    new_host = replace(EXAMPLE, refused_requests={"a.example": 30, "b.example": 1})
    none = replace(EXAMPLE, refused_requests={})

    assert judge(before, before).verdict is Verdict.PASSED
    worse, better = judge(before, new_host), judge(new_host, none)

    assert (worse.verdict, better.verdict) == (Verdict.REGRESSED, Verdict.IMPROVED)
    assert figures(worse) == [(kind, "b.example", 0, 1, True)]
    assert figures(better) == [(kind, "a.example", 30, 0, False), (kind, "b.example", 1, 0, False)]
    assert judge(EXAMPLE, new_host).verdict is Verdict.PASSED, "nothing was recorded"


def test_requests_may_grow_by_three_per_cent() -> None:
    before = replace(EXAMPLE, request_bytes=1_000, request_parts={"model": 30, "tools.a": 900})
    held = replace(before, request_bytes=1_030)
    assert judge(before, held).verdict is Verdict.PASSED
    parts = {"tools.a": 900, "messages.system": 31, "model": 30}
    larger = judge(before, replace(before, request_bytes=1_031, request_parts=parts))
    assert figures(larger) == [(ChangeKind.REQUEST_BYTES, "", 1_000, 1_031, True)]
    assert larger.changes[0].parts == (PartChange("messages.system", 3.1),)


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("prompt_tokens", ChangeKind.PROMPT_TOKENS),
        ("completion_tokens", ChangeKind.COMPLETION_TOKENS),
    ],
)
def test_tokens_may_grow_by_three_per_cent(field: str, kind: ChangeKind) -> None:
    before = replace(EXAMPLE, **{field: 1_000})

    assert judge(before, replace(before, **{field: 1_030})).verdict is Verdict.PASSED
    larger = judge(before, replace(before, **{field: 1_031}))
    assert figures(larger) == [(kind, "", 1_000, 1_031, True)]
    assert judge(EXAMPLE, before).verdict is Verdict.PASSED, "nothing was recorded"


@pytest.mark.parametrize("kind", [ChangeKind.TTFT, ChangeKind.ITL, ChangeKind.FIRST_OUTPUT])
def test_times_of_streams_are_compared_exactly_where_both_sides_have_them(
    kind: ChangeKind,
) -> None:
    before = replace(EXAMPLE, **{kind: {"p50": 0.3, "max": 0.5}})
    later = replace(EXAMPLE, **{kind: {"p50": 0.3, "max": 0.501, "p90": 9.0}})

    assert judge(before, before).verdict is Verdict.PASSED
    assert figures(judge(before, later)) == [(kind, "max", 0.5, 0.501, True)]
    assert judge(before, later, Tolerances(latency=0.01)).verdict is Verdict.PASSED
    assert judge(EXAMPLE, later).verdict is Verdict.PASSED, "nothing was recorded"


def test_another_script_is_another_workload() -> None:
    assert is_same_workload(EXAMPLE, replace(EXAMPLE, makespan_s=9.0))
    assert not is_same_workload(EXAMPLE, replace(EXAMPLE, ideal_makespan_s=9.0))
    assert not is_same_workload(EXAMPLE, replace(EXAMPLE, started=9))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("retries", ChangeKind.RETRIED_MODEL_CALLS),
        ("repeats", ChangeKind.REPEATED_MODEL_CALLS),
        ("hedges", ChangeKind.HEDGED_MODEL_CALLS),
        ("samples", ChangeKind.SAMPLED_MODEL_CALLS),
    ],
)
def test_calls_that_are_equal_to_another_are_told_by_how_they_relate(
    name: str, kind: ChangeKind
) -> None:
    before = replace(EXAMPLE, equal_model_calls={})
    after = replace(EXAMPLE, repeated_model_calls=10, equal_model_calls={name: 10})

    assert figures(judge(before, after)) == [(kind, "", 0, 10, True)]
    assert figures(judge(after, before)) == [(kind, "", 10, 0, False)]


def test_where_one_side_knows_no_more_all_equal_calls_are_retries() -> None:
    after = replace(EXAMPLE, repeated_model_calls=10, equal_model_calls={"samples": 10})

    assert figures(judge(EXAMPLE, after)) == [(ChangeKind.RETRIED_MODEL_CALLS, "", 0, 10, True)]


def test_a_leak_is_a_regression_though_the_baseline_has_it_too() -> None:
    leaking = replace(EXAMPLE, leaked_sessions=4)
    kind = ChangeKind.LEAKED_SESSIONS

    assert figures(judge(leaking, leaking)) == [(kind, "", 4, 4, True)]
    assert judge(leaking, leaking).verdict is Verdict.REGRESSED
    assert figures(judge(leaking, EXAMPLE)) == [(kind, "", 4, 0, False)]
