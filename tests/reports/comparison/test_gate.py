"""The gate's verdicts in sentences, in the terminal and in what other tools read."""

import io
import json
from xml.etree import ElementTree

import pytest
from rich.console import Console
from warpbench.bench.results.case import Case
from warpbench.bench.results.exploration import Failure, FailureKind, Found
from warpbench.bench.results.metrics import Metric
from warpbench.bench.results.verdict import (
    CallerChange,
    CellVerdict,
    Change,
    ChangeKind,
    Effort,
    Estimate,
    GateResult,
    Note,
    NoteKind,
    ObjectiveVerdict,
    PartChange,
    Reason,
    ReasonKind,
    Verdict,
    not_measured,
    overall,
    verdict_on,
    with_objectives,
)
from warpbench.reports.comparison.gate import (
    change_text,
    effort_text,
    not_recorded_text,
    sentence,
)
from warpbench.reports.comparison.objectives import objective_text
from warpbench.reports.exports.gate_json import gate_json
from warpbench.reports.exports.gate_junit import gate_junit
from warpbench.reports.exports.gate_markdown import gate_markdown
from warpbench.reports.terminal.gate import print_gate

from ...built import CELL
from ...golden import assert_golden

pytestmark = pytest.mark.once


def change(kind: ChangeKind, before: float, after: float, **which: object) -> Change:
    is_worse = bool(which.pop("is_worse", after > before))
    return Change(kind=kind, is_worse=is_worse, before=before, after=after, **which)  # type: ignore[arg-type]


SURE = Estimate(1.051, 1.039, 1.062, 8)
UNSURE = Estimate(1.02, None, None, 3)
EVEN_CONTROL = Estimate(1.003, 0.961, 1.047, 8)
TOO_FEW = Reason(
    kind=ReasonKind.TOO_FEW_BLOCKS,
    change=Change(kind=ChangeKind.CPU, is_worse=True, before=1.0, after=1.02, estimate=UNSURE),
    blocks=3,
    needed_blocks=9,
    cells=24,
    budget_s=120.0,
    needed_s=392.0,
)
NONE_AT_ALL = Reason(
    kind=ReasonKind.TOO_FEW_BLOCKS, blocks=0, needed_blocks=7, cells=1, budget_s=15.0
)
EFFORTS = (
    Effort(blocks=8, spent_s=47.0, budget_s=120.0, is_cut=False, undecided=0),
    Effort(blocks=9, spent_s=113.0, budget_s=120.0, is_cut=True, undecided=2),
)
CALLERS = (
    CallerChange("sdk.py:post", 200, is_own_code=False),
    CallerChange("copy.py:deepcopy", 100, is_own_code=False),
    CallerChange("agent.py:ask → copy.py:deepcopy", 2, is_own_code=True),
)
OWN_CALLERS = (CallerChange("agent.py:ask → asyncio/tasks.py:sleep", 8, is_own_code=True),)
PARTS = (PartChange("tools.search", 5_000), PartChange("messages.system", 40))
CPU = change(ChangeKind.CPU, 1.0, 1.051, estimate=SURE)
FOUND = Found(
    failure=Failure(
        kind=FailureKind.LEAK, session=3, owner=7, model_call=2, place="agent.py:ask:15", at_s=0.5
    ),
    case=Case(17, sessions=(3, 7)),
    seen_in=3,
)
CHANGES = (
    change(ChangeKind.LEAKED_SESSIONS, 0, 9, sessions=10, is_worse=True),
    change(ChangeKind.LEAKED_SESSIONS, 9, 0, sessions=10),
    change(ChangeKind.EXPLORED_FAILURE, 0, 3, count=20, found=FOUND, explored=CELL),
    change(ChangeKind.SESSIONS_SUCCEEDED, 10, 9, sessions=10, is_worse=True),
    change(ChangeKind.MODEL_CALLS, 20, 30, sessions=10),
    change(ChangeKind.MODEL_CALLS, 20, 21, sessions=10),
    change(ChangeKind.RETRIED_MODEL_CALLS, 0, 1, sessions=10),
    change(ChangeKind.REPEATED_MODEL_CALLS, 0, 2, sessions=10),
    change(ChangeKind.HEDGED_MODEL_CALLS, 3, 1, sessions=10),
    change(ChangeKind.SAMPLED_MODEL_CALLS, 10, 50, sessions=10),
    change(ChangeKind.TOOL_CALLS, 30, 26, sessions=10),
    change(ChangeKind.CALLS_OF_A_TOOL, 20, 21, name="search", round=1),
    change(ChangeKind.CALLS_OF_A_TOOL, 10, 0, name="weather", round=2),
    change(ChangeKind.STREAMED_MODEL_CALLS, 20, 0, is_worse=True),
    change(ChangeKind.STREAMED_MODEL_CALLS, 1, 0, is_worse=True),
    change(ChangeKind.STREAMED_MODEL_CALLS, 0, 20, is_worse=False),
    change(ChangeKind.STREAMED_MODEL_CALLS, 19, 20, is_worse=False),
    change(ChangeKind.REQUEST_BYTES, 12_000, 62_400, sessions=10, parts=PARTS),
    change(ChangeKind.REQUEST_BYTES, 12_000, 11_990, sessions=10),
    change(ChangeKind.SERVICE_REQUEST_BYTES, 2_000, 9_000, name="weather.example", sessions=10),
    change(ChangeKind.PROMPT_TOKENS, 5_000, 9_000, sessions=10),
    change(ChangeKind.COMPLETION_TOKENS, 800, 400, sessions=10),
    change(ChangeKind.REFUSED_REQUESTS, 0, 30, name="prices.example", sessions=10),
    change(ChangeKind.REFUSED_REQUESTS, 30, 40, name="", sessions=10),
    change(ChangeKind.REFUSED_REQUESTS, 3, 0, name="prices.example", sessions=10),
    change(ChangeKind.PEAK_IN_FLIGHT, 5, 10),
    change(ChangeKind.PEAK_IN_FLIGHT, 5, 10, callers=OWN_CALLERS),
    change(ChangeKind.BLOCKED_LOOP, 0.0, 0.9, name="agent.py:summarise", count=3),
    change(ChangeKind.BLOCKED_LOOP, 0.3, 0.9, name="agent.py:summarise", count=1),
    change(ChangeKind.BLOCKED_LOOP, 0.9, 0.0, name="agent.py:summarise", count=0),
    change(ChangeKind.OVERLAP, 0.2, 0.8, round=1, count=4, is_worse=True),
    change(ChangeKind.OVERLAP, 0.8, 0.2, round=1, count=4, is_worse=False),
    change(ChangeKind.ROUND, 0.2, 0.3, round=2, count=1),
    change(ChangeKind.ROUND, 0.3, 0.2, round=2, count=4),
    change(ChangeKind.MAKESPAN, 1.0, 1.11),
    change(ChangeKind.MAKESPAN, 1.0, 1.0002),
    change(ChangeKind.MAKESPAN, 1.0, 1.8, callers=OWN_CALLERS),
    change(ChangeKind.LATENCY, 1.3, 0.9, name="p99"),
    change(ChangeKind.TTFT, 0.3, 0.9, name="p95"),
    change(ChangeKind.ITL, 0.02, 0.01, name="p99"),
    change(ChangeKind.FIRST_OUTPUT, 0.3, 0.6, name="max"),
    change(ChangeKind.WORK, 10_000, 13_000, sessions=10, name="python_calls", callers=CALLERS),
    change(ChangeKind.WORK, 20_000, 15_000, sessions=10, name="c_calls"),
    change(ChangeKind.WORK, 30, 31, sessions=10, name="tasks"),
    change(ChangeKind.WORK, 10, 90, sessions=10, name="loop_iterations", callers=OWN_CALLERS),
    change(ChangeKind.OWN_CALLS, 1_000, 1_080, sessions=10, name="agent", callers=OWN_CALLERS),
    change(ChangeKind.WORK, 0, 10, sessions=10, name="http_requests"),
    CPU,
)


def objective(
    reached_s: float | None, succeeded: int, *, is_met: bool, metric: Metric = Metric.LATENCY
) -> ObjectiveVerdict:
    return ObjectiveVerdict(
        figure="p99",
        metric=metric,
        limit_s=2.0,
        reached_s=reached_s,
        samples=100,
        succeeded=succeeded,
        started=100,
        is_met=is_met,
    )


HELD = (
    with_objectives(CellVerdict("a", Verdict.PASSED), (objective(1.2, 100, is_met=True),)),
    with_objectives(CellVerdict("b", Verdict.PASSED), (objective(2.0004, 100, is_met=False),)),
    with_objectives(CellVerdict("c", Verdict.PASSED), (objective(1.2, 99, is_met=False),)),
    with_objectives(
        CellVerdict("d", Verdict.PASSED),
        (
            objective(1.9, 100, is_met=True, metric=Metric.FIRST_OUTPUT),
            objective(2.4, 100, is_met=False, metric=Metric.ITL),
        ),
    ),
    with_objectives(
        CellVerdict("e", Verdict.PASSED),
        (objective(None, 100, is_met=False, metric=Metric.TTFT),),
    ),
)


def result_of(*cells: CellVerdict) -> GateResult:
    return GateResult(overall(cells), cells, ("not as in the baseline: openai 3.0.0 → 3.52.0",))


RESULT = result_of(
    verdict_on("tools/agent/gather/asyncio@10", CHANGES),
    verdict_on(
        "tools/agent/threads/none@10",
        [],
        [
            Note(
                NoteKind.OWN_CALLS,
                change(
                    ChangeKind.OWN_CALLS,
                    1_000,
                    1_080,
                    sessions=10,
                    name="agent",
                    callers=OWN_CALLERS,
                ),
            ),
            Note(
                NoteKind.WITHIN_TOLERANCE,
                change(ChangeKind.REQUEST_BYTES, 12_000, 12_100, sessions=10, parts=PARTS[1:]),
            ),
        ],
    ),
    verdict_on(
        "tools/agent/gather/uvloop@10",
        [change(ChangeKind.MAKESPAN, 2.6, 1.3)],
        [
            Note(
                NoteKind.COST_OF_THE_GAIN,
                change(ChangeKind.WORK, 30, 90, sessions=10, name="tasks"),
            ),
            Note(
                NoteKind.KEPT_MEMORY,
                change(ChangeKind.WORK, 4_000, 8_000, sessions=10, name="blocks_kept"),
            ),
            Note(
                NoteKind.KEPT_MEMORY,
                change(ChangeKind.WORK, 368_000, 736_000, sessions=10, name="bytes_kept"),
            ),
        ],
    ),
    not_measured("chat/agent/gather/asyncio@10", "the trial crashed: killed by SIGSEGV"),
    CellVerdict(
        "research/agent/gather/asyncio@10",
        Verdict.COULD_NOT_JUDGE,
        reason=Reason(kind=ReasonKind.OTHER_WORKLOAD),
    ),
    CellVerdict(
        "tools/agent/gather/asyncio@10",
        Verdict.COULD_NOT_JUDGE,
        reason=Reason(
            kind=ReasonKind.OTHER_TOOL_CALLS,
            change=change(ChangeKind.TOOL_CALLS, 40, 20, sessions=10),
        ),
    ),
    CellVerdict("a", Verdict.PASSED, notes=(Note(NoteKind.MEASURED, CPU),), tier="time"),
    CellVerdict(
        "b",
        Verdict.INCONCLUSIVE,
        reason=Reason(
            kind=ReasonKind.TOO_NOISY,
            change=change(ChangeKind.CPU, 1.0, 1.02, estimate=UNSURE),
            limit=0.06,
        ),
        tier="time",
    ),
    CellVerdict(
        "c",
        Verdict.INCONCLUSIVE,
        reason=Reason(kind=ReasonKind.CONTROL_DIFFERS, change=CPU, control=SURE),
        tier="time",
    ),
    CellVerdict(
        "d",
        Verdict.INCONCLUSIVE,
        reason=Reason(
            kind=ReasonKind.CONTROL_TOO_NOISY, change=CPU, control=EVEN_CONTROL, limit=0.06
        ),
        tier="time",
    ),
    CellVerdict("e", Verdict.INCONCLUSIVE, reason=TOO_FEW, tier="time"),
    CellVerdict("f", Verdict.INCONCLUSIVE, reason=NONE_AT_ALL, tier="time"),
)


@pytest.mark.once
def test_the_wording_of_the_gate() -> None:
    file = io.StringIO()
    print_gate(RESULT, Console(file=file, width=100))
    passed, improved = (
        result_of(CellVerdict("a", Verdict.PASSED)),
        result_of(verdict_on("a", [change(ChangeKind.MAKESPAN, 2.6, 1.3)])),
    )
    closing = "\n".join(map(sentence, (passed, improved)))
    closing += "\n" + "\n".join(effort_text(each, 4) for each in EFFORTS)
    figures = ("request_bytes", "streamed_model_calls", "service_request_bytes")
    figures += ("refused_requests", "prompt_tokens", "completion_tokens")
    figures += ("ttft_s", "itl_s", "first_output_s", "own_calls", "bytes_kept")
    file.write(f"\n{closing}\n{not_recorded_text(figures)}\n\n")
    print_gate(result_of(*HELD), Console(file=file, width=100))
    shown = "\n".join(map(gate_markdown, (RESULT, result_of(*HELD))))
    assert_golden("gate", f"{file.getvalue()}\n{shown}")


@pytest.mark.parametrize("kind", ChangeKind)
def test_each_kind_of_change_has_words(kind: ChangeKind) -> None:
    assert {each.kind for each in CHANGES} == set(ChangeKind)
    assert all(change_text(each) for each in CHANGES if each.kind is kind)


def test_the_json_has_the_values_and_the_sentences() -> None:
    document = json.loads(gate_json(RESULT))
    assert document["verdict"] == "regressed"
    cell = document["cells"][0]
    assert [each["kind"] for each in cell["changes"]] == [each.kind for each in CHANGES]
    assert [each["text"] for each in cell["changes"]] == list(map(change_text, CHANGES))
    reason = document["cells"][7]["reason"]
    assert reason["kind"] == "too_noisy"
    assert reason["change"]["estimate"] == {"ratio": 1.02, "low": None, "high": None, "blocks": 3}
    assert document["cells"][2]["notes"][0]["kind"] == "cost_of_the_gain"


def test_junit_has_a_failure_for_a_regression_and_an_error_for_what_could_not_be_judged() -> None:
    suite = ElementTree.fromstring(gate_junit(RESULT))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("12", "1", "8")
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == change_text(CHANGES[0])


def test_a_missed_objective_is_a_failure_in_junit_and_has_its_figure_in_the_json() -> None:
    suite = ElementTree.fromstring(gate_junit(result_of(*HELD)))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("5", "3", "1")
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == objective_text(objective(2.0004, 100, is_met=False))

    document = json.loads(gate_json(result_of(*HELD)))
    assert document["verdict"] == "objective missed"
    told = [[each["is_met"] for each in cell["objectives"]] for cell in document["cells"]]
    assert told == [[True], [False], [False], [True, False], [False]]
    assert document["cells"][1]["objectives"][0]["reached_s"] == 2.0004
    assert document["cells"][4]["verdict"] == "could not judge"
