"""The gate's verdicts in sentences: every word that the gate says of a cell stands here."""

from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType

from ...bench.results.finding_text import refused_host
from ...bench.results.formatting import (
    counted,
    from_to_seconds,
    mean_count,
    percent,
    printable,
    seconds,
    signed_percent,
    whole,
)
from ...bench.results.metrics import Metric
from ...bench.results.verdict import (
    CallerChange,
    Change,
    ChangeKind,
    Effort,
    Estimate,
    GateResult,
    Note,
    NoteKind,
    Reason,
    ReasonKind,
    Verdict,
)
from .failures import TITLES, failure_text, replay_command
from .objectives import METRICS

_WORK: Mapping[str, str] = MappingProxyType(
    {
        "http_requests": "HTTP request",
        "python_calls": "Python call",
        "c_calls": "C call",
        "tasks": "task",
        "loop_iterations": "loop iteration",
        "blocks_kept": "kept memory block",
        "bytes_kept": "kept byte",
        "instructions": "instruction",
    }
)
_NOT_RECORDED: Mapping[str, str] = MappingProxyType(
    {
        "request_bytes": "bytes of the requests to the model",
        "service_request_bytes": "bytes of the requests to services",
        "streamed_model_calls": "whether answers are streamed",
        "refused_requests": "refused requests",
        "prompt_tokens": "tokens of prompts",
        "completion_tokens": "tokens of answers",
        "ttft_s": "time to first token",
        "itl_s": "inter-token latency",
        "first_output_s": "time to first output",
        "equal_model_calls": "repeated, hedged and sampled model calls",
        "own_calls": "calls of your own code",
        "bytes_kept": "kept bytes",
    }
)
_CALLS: Mapping[ChangeKind, str] = MappingProxyType(
    {ChangeKind.MODEL_CALLS: "model call", ChangeKind.TOOL_CALLS: "tool call"}
)
_EQUAL_CALLS: Mapping[ChangeKind, str] = MappingProxyType(
    {
        ChangeKind.RETRIED_MODEL_CALLS: "retried model call",
        ChangeKind.REPEATED_MODEL_CALLS: "repeated model call",
        ChangeKind.HEDGED_MODEL_CALLS: "hedged model call",
        ChangeKind.SAMPLED_MODEL_CALLS: "sampled model call",
    }
)


def sentence(result: GateResult) -> str:
    """Return the verdict on all cells in a sentence."""
    total = len({each.cell for each in result.cells})
    count = len({each.cell for each in result.cells if each.verdict is result.verdict})
    cells = f"{count} of {counted(total, 'cell')}"
    match result.verdict:
        case Verdict.IMPROVED:
            return f"improved: {cells}; update the baseline to keep the gain (`warpbench baseline`)"
        case Verdict.PASSED:
            timed = any(each.tier for each in result.cells)
            all_cells = counted(total, "cell")
            return f"passed: {all_cells}{'' if timed else ', exactly as in the baseline'}"
        case _:
            return f"{result.verdict}: {cells}"


def change_text(change: Change) -> str:
    """Return a change in words: ``makespan 1.00 s → 1.11 s (+11.0 %)``."""
    return _TEXTS[change.kind](change) + _callers(change)


def not_recorded_text(figures: Collection[str]) -> str:
    """Say which figures a baseline of an older version lacks, and what to do."""
    named = ", ".join(_NOT_RECORDED[figure] for figure in figures)
    return (
        f"not recorded in the baseline, so not compared: {named}; update it (`warpbench baseline`)"
    )


def note_text(note: Note) -> str:
    """Return a note in words."""
    text = change_text(note.change)
    match note.kind:
        case NoteKind.COST_OF_THE_GAIN:
            return f"cost of the improvement: {text}"
        case NoteKind.KEPT_MEMORY:
            return f"{text}; check whether sessions leak memory"
        case NoteKind.WITHIN_TOLERANCE:
            return f"smaller than the tolerance: {text}"
        case NoteKind.OWN_CALLS | NoteKind.MEASURED:
            return text


def reason_text(reason: Reason) -> str:
    """Say why a cell has no clear verdict, and what to do."""
    measured = "" if reason.change is None else change_text(reason.change)
    match reason.kind:
        case ReasonKind.NOT_MEASURED:
            return reason.error
        case ReasonKind.OTHER_WORKLOAD | ReasonKind.OTHER_TOOL_CALLS:
            return _other_workload(measured)
        case ReasonKind.TOO_NOISY:
            return (
                f"{measured}: too noisy to rule out growth of {percent(reason.limit)}; "
                "give it more time (--budget), or use a quieter machine"
            )
        case ReasonKind.TOO_FEW_BLOCKS:
            return f"{measured}: {_too_few(reason)}" if measured else _too_few(reason)
        case ReasonKind.CONTROL_TOO_NOISY:
            assert reason.control is not None
            return (
                f"{measured}, but by the A/A control ({estimate_text(reason.control)}) something "
                f"other than the code may slow one side down by up to {percent(reason.limit)}; "
                "give it more time (--budget), or use a quieter machine"
            )
        case ReasonKind.CONTROL_DIFFERS:
            assert reason.control is not None
            return (
                f"{measured}, but the A/A control differs as well: "
                f"{estimate_text(reason.control)}. Something other than the code slows one side "
                "down on this machine; run the gate again"
            )


def effort_text(effort: Effort, cells: int) -> str:
    """Say what the time tier has taken, and what it could not do within its budget."""
    blocks, budget = counted(effort.blocks, "block"), seconds(effort.budget_s)
    if effort.is_cut:
        undecided = f"{effort.undecided} of {counted(cells, 'cell')} undecided"
        return f"time tier: {blocks}; the budget of {budget} was too short: {undecided}"
    return f"time tier: {blocks}; {seconds(effort.spent_s)} of a budget of {budget} used"


def _too_few(reason: Reason) -> str:
    budget, needed = seconds(reason.budget_s), counted(reason.needed_blocks or 0, "block")
    what = "a regression" if reason.cells == 1 else f"a regression in one of {reason.cells} cells"
    found = f"the budget of {budget} ended before the first block; {what} takes {needed} to show"
    if reason.blocks:
        after = counted(reason.blocks, "block")
        found = f"after {after}, the budget of {budget} had no room for the {needed} that {what} "
        found += "takes to show"
    more = "more time" if reason.needed_s is None else f"about {seconds(reason.needed_s)}"
    fewer = "" if reason.cells == 1 else ", or name fewer cells (--cell)"
    return f"{found}; give it {more} (--budget){fewer}"


def _other_workload(other_calls: str) -> str:
    if other_calls:
        return (
            f"{other_calls}, so sessions waited for other tools than in the baseline, and times "
            "do not compare; if that is intended, write a new baseline (`warpbench baseline`)"
        )
    return (
        "the workload differs from the baseline's: the scenario, the tools that the target "
        "declares, or those that it waits for, have changed; write a new baseline "
        "(`warpbench baseline`)"
    )


def estimate_text(estimate: Estimate) -> str:
    """Return an estimate in words: ``+5.1 % (90 % CI +3.9 % to +6.2 %, 8 blocks)``."""
    ratio, blocks = signed_percent(estimate.ratio - 1), counted(estimate.blocks, "block")
    if estimate.low is None or estimate.high is None:
        return f"{ratio} (too few blocks for a confidence interval: {blocks})"
    low, high = (signed_percent(end - 1) for end in (estimate.low, estimate.high))
    return f"{ratio} (90 % CI {low} to {high}, {blocks})"


def _sessions(change: Change) -> str:
    of = counted(change.sessions or 0, "session")
    return f"{whole(int(change.after))} of {of} succeeded ({_was(change)})"


def _leaks(change: Change) -> str:
    if not change.after:
        return f"no session takes up text of another one any more ({_was(change)})"
    of = counted(change.sessions or 0, "session")
    return f"{whole(int(change.after))} of {of} took up text of another one ({_was(change)})"


def _explored_failure(change: Change) -> str:
    assert change.found is not None
    assert change.explored is not None
    found, cell = change.found, change.explored
    return (
        f"{TITLES[found.failure.kind]} in {whole(found.seen_in)} of "
        f"{counted(change.count or 0, 'schedule')}: {failure_text(found.failure)}; "
        f"see {replay_command(cell, cell.scenario, found.case)}"
    )


def _equal_calls(change: Change) -> str:
    return f"{counted(int(change.after), _EQUAL_CALLS[change.kind])} ({_was(change)})"


def _peak_in_flight(change: Change) -> str:
    return (
        f"up to {counted(int(change.after), 'model call')} in flight ({_was(change)}); "
        "check that the concurrency limit is still in place"
    )


def _cpu(change: Change) -> str:
    assert change.estimate is not None
    return f"CPU per session {estimate_text(change.estimate)}"


def _was(change: Change) -> str:
    return f"was {whole(int(change.before))}"


def _calls(change: Change) -> str:
    difference, sessions = int(change.after - change.before), change.sessions or 1
    levels = f"({mean_count(change.before)} → {mean_count(change.after)})"
    if change.kind is ChangeKind.CALLS_OF_A_TOOL:
        one, many = f"call of `{printable(change.name)}`", f"calls of `{printable(change.name)}`"
        calls = counted(difference, one, signed=True, plural=many)
        return f"{calls} in round {change.round} {levels}"
    noun = _CALLS[change.kind]
    if difference % sessions == 0:
        return f"{counted(difference // sessions, noun, signed=True)} per session {levels}"
    over = counted(sessions, "session")
    return f"{counted(difference, noun, signed=True)} in {over} {levels}"


def _streamed(change: Change) -> str:
    calls = int(abs(change.after - change.before))
    one = calls == 1
    if change.is_worse:
        verb = "no longer streams its answer" if one else "no longer stream their answers"
    else:
        verb = "now streams its answer" if one else "now stream their answers"
    streamed = f"({whole(int(change.before))} → {whole(int(change.after))} streamed)"
    return f"{counted(calls, 'model call')} {verb} {streamed}"


def _request_bytes(change: Change) -> str:
    parts = ", ".join(
        f"`{printable(part.name)}` ({_signed(part.per_session)})" for part in change.parts
    )
    where = f": most in {parts}" if parts else ""
    return f"{_per_session(change, 'byte', 'of requests to the model ')}{where}"


def _service_request_bytes(change: Change) -> str:
    return _per_session(change, "byte", f"of requests to {printable(change.name)} ")


def _refused_requests(change: Change) -> str:
    return _per_session(change, "refused request", f"to {refused_host(change.name)} ")


def _own_calls(change: Change) -> str:
    return _per_session(change, "call", f"by `{printable(change.name)}` ")


def _blocked_loop(change: Change) -> str:
    if not change.after:
        return f"`{printable(change.name)}` no longer blocks the event loop"
    was = f" (was {seconds(change.before)})" if change.before else ""
    often = "once" if change.count == 1 else counted(change.count or 0, "time")
    place = printable(change.name)
    return f"`{place}` blocked the event loop {often}, for {seconds(change.after)} in total{was}"


def _round(change: Change) -> str:
    where = f"the {counted(change.count or 0, 'tool call')} of round {change.round}"
    times = f"({from_to_seconds(change.before, change.after)})"
    if change.kind is ChangeKind.OVERLAP:
        return f"{where} {'no longer overlap' if change.is_worse else 'now overlap'} {times}"
    take = "takes" if change.count == 1 else "take"
    return f"{where} {take} {'longer' if change.is_worse else 'less time'} {times}"


def _prompt_tokens(change: Change) -> str:
    return _per_session(change, "token", "of prompts ")


def _completion_tokens(change: Change) -> str:
    return _per_session(change, "token", "of answers ")


def _time(change: Change) -> str:
    what = f"{_TIMES[change.kind]} {change.name}".strip()
    by = f" ({signed_percent(change.growth)})" if change.before else ""
    return f"{what} {from_to_seconds(change.before, change.after)}{by}"


def _work(change: Change) -> str:
    return _per_session(change, _WORK[change.name])


def _per_session(change: Change, noun: str, of: str = "") -> str:
    sessions = change.sessions or 1
    each = (change.after - change.before) / sessions
    share = f", {signed_percent(change.growth)}" if change.before else ""
    plural = "" if abs(each) == 1 else "s"
    return (
        f"{_signed(each)} {noun}{plural} {of}per session ({mean_count(change.before / sessions)} → "
        f"{mean_count(change.after / sessions)}{share})"
    )


def _callers(change: Change) -> str:
    """Name the functions behind a change: how often they are called, more or less, a session."""
    if change.kind not in _COUNTS_OF_CALLS:
        named = _named(change.callers)
        return f"; in your own code, per session: {', '.join(named)}" if named else ""
    parts = []
    for what, is_own_code in (("most in", False), ("in your own code", True)):
        named = _named(each for each in change.callers if each.is_own_code is is_own_code)
        if named:
            parts.append(f"{what} {', '.join(named)}")
    return f": {'; '.join(parts)}" if parts else ""


def _named(callers: Iterable[CallerChange]) -> list[str]:
    return [f"`{printable(each.name)}` ({_signed(each.per_session)})" for each in callers]


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else '-'}{mean_count(abs(value))}"


_TIMES: Mapping[ChangeKind, str] = MappingProxyType(
    {
        ChangeKind.MAKESPAN: "makespan",
        ChangeKind.LATENCY: METRICS[Metric.LATENCY],
        ChangeKind.TTFT: METRICS[Metric.TTFT],
        ChangeKind.ITL: METRICS[Metric.ITL],
        ChangeKind.FIRST_OUTPUT: METRICS[Metric.FIRST_OUTPUT],
    }
)
_COUNTS_OF_CALLS = frozenset({ChangeKind.WORK, ChangeKind.OWN_CALLS})
_TEXTS: Mapping[ChangeKind, Callable[[Change], str]] = MappingProxyType(
    {
        ChangeKind.LEAKED_SESSIONS: _leaks,
        ChangeKind.EXPLORED_FAILURE: _explored_failure,
        ChangeKind.SESSIONS_SUCCEEDED: _sessions,
        ChangeKind.MODEL_CALLS: _calls,
        **dict.fromkeys(_EQUAL_CALLS, _equal_calls),
        ChangeKind.TOOL_CALLS: _calls,
        ChangeKind.CALLS_OF_A_TOOL: _calls,
        ChangeKind.STREAMED_MODEL_CALLS: _streamed,
        ChangeKind.REQUEST_BYTES: _request_bytes,
        ChangeKind.SERVICE_REQUEST_BYTES: _service_request_bytes,
        ChangeKind.REFUSED_REQUESTS: _refused_requests,
        ChangeKind.PROMPT_TOKENS: _prompt_tokens,
        ChangeKind.COMPLETION_TOKENS: _completion_tokens,
        ChangeKind.PEAK_IN_FLIGHT: _peak_in_flight,
        ChangeKind.BLOCKED_LOOP: _blocked_loop,
        ChangeKind.OVERLAP: _round,
        ChangeKind.ROUND: _round,
        **dict.fromkeys(_TIMES, _time),
        ChangeKind.OWN_CALLS: _own_calls,
        ChangeKind.WORK: _work,
        ChangeKind.CPU: _cpu,
    }
)
