"""From what was installed and run to the cells of a framework's row. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .columns import NOT_RUN, Column, Outcome, State, fails, not_applicable, undecided, works
from .frameworks import Framework
from .pairs import MOST_PAIRS, compared, is_decided
from .runs import SEEN, STREAM, TOOL_CALLS, WIDE, Ran, in_pairs, pairs_of
from .structure import calls_of, seen_by, told_by

PROMPT_S = 10.0
"""What fails is to fail in this time, of starting the process and importing the framework apart."""

STARTING_S = 20.0
"""What starting and importing take at most on a machine that is busy."""

LONGEST_NOTE = 220
_STRATEGY = {Column.ASYNC: "gather", Column.SYNC: "sync", Column.THREADS: "threads"}
_OF_THE_MACHINE = frozenset({"cpu_s_per_session", "elapsed_s"})
"""What differs between two runs of one structure."""


def judge(framework: Framework, install: Outcome, runs: Mapping[str, Ran]) -> dict[Column, Outcome]:
    """Return the outcome of each column.

    Args:
        framework: Whose row it is.
        install: How the installation went; where it failed, nothing was run.
        runs: What came of each command that was run, by its name.
    """
    row = {Column.INSTALL: install}
    if not runs and not install.works:
        others = [column for column in Column if column is not Column.INSTALL]
        return row | {column: fails("not installed") for column in others}
    main = runs.get(framework.strategy)
    for column, strategy in _STRATEGY.items():
        if column in framework.lacks:
            row[column] = not_applicable(framework.lacks[column])
        else:
            row[column] = every_session(runs.get(strategy))
    row[Column.STREAMING] = every_session(runs.get(STREAM))
    row[Column.REPEATS] = _same_twice(main)
    row[Column.WARP] = _as_in_wall(runs, framework.scatters)
    row[Column.TOOLS] = _tools_ran(main)
    row[Column.STRUCTURE] = _structure(main, runs.get(SEEN), runs.get(WIDE))
    return {column: _reviewed(row[column], framework.reasons.get(column)) for column in Column}


def outdated_reasons(framework: Framework, row: Mapping[Column, Outcome]) -> Iterator[Column]:
    """Yield the columns that have a reviewed reason for failing, and work."""
    for column in framework.reasons:
        if row[column].works:
            yield column


def _reviewed(outcome: Outcome, reason: str | None) -> Outcome:
    if reason is None or outcome.state is not State.FAILS:
        return outcome
    return fails(reason, outcome.after_s)


def every_session(ran: Ran | None) -> Outcome:
    """Return whether every session of a command succeeded; if not, why."""
    if ran is None:
        return NOT_RUN
    cell = ran.cell
    if cell is None:
        return fails(_why_nothing(ran), ran.sessions_s)
    sessions = cell["sessions"]
    if cell["status"] == "measured" and sessions["succeeded"] == sessions["started"] > 0:
        return works()
    reason = one_line(cell["error"] or "no session succeeded") + _how_late(ran)
    return fails(reason, ran.sessions_s)


def _same_twice(ran: Ran | None) -> Outcome:
    if ran is None:
        return NOT_RUN
    cell = ran.cell
    if cell is None or not cell["sessions"]["succeeded"]:
        return fails("no session succeeded", ran.sessions_s)
    first, *others = (_of_the_clock(trial) for trial in cell["trial_figures"])
    if not others:
        return fails("one of two trials failed")
    names = sorted({name for other in others for name in first if first[name] != other[name]})
    return fails(f"differs in {', '.join(names)}") if names else works()


def _of_the_clock(trial: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of a trial without those of the machine."""
    return {name: value for name, value in trial.items() if name not in _OF_THE_MACHINE}


def _as_in_wall(runs: Mapping[str, Ran], scatters: str) -> Outcome:
    for ran in in_pairs(runs):
        outcome = every_session(ran)
        if not outcome.works:
            return outcome
    pairs = timed_pairs(runs)
    if is_decided(pairs):
        found = compared(pairs)
        return works(str(found)) if found.agrees else fails(str(found))
    if len(pairs) < MOST_PAIRS:
        return NOT_RUN
    return undecided(f"{compared(pairs)}: {scatters}")


def timed_pairs(runs: Mapping[str, Ran]) -> list[tuple[float, float]]:
    """Return the makespans of each pair in seconds, of pairs without a failed session."""
    return [
        (_makespan_s(wall), _makespan_s(warp))
        for wall, warp in pairs_of(runs)
        if every_session(wall).works and every_session(warp).works
    ]


def _makespan_s(ran: Ran) -> float:
    assert ran.cell is not None
    makespan_s: float = ran.cell["makespan_s"]
    return makespan_s


def _tools_ran(ran: Ran | None) -> Outcome:
    if ran is None:
        return NOT_RUN
    cell = ran.cell
    if cell is None or cell["status"] != "measured":
        return fails("no session ran", ran.sessions_s)
    count, sessions = cell["tool_calls"], cell["sessions"]
    if count != TOOL_CALLS:
        return fails(f"{count} of {TOOL_CALLS} tool calls ran", ran.sessions_s)
    if sessions["succeeded"] != sessions["started"]:
        return fails("all ran, and sessions failed", ran.sessions_s)
    return works()


def _structure(told: Ran | None, seen: Ran | None, wide: Ran | None) -> Outcome:
    for ran in (told, seen, wide):
        outcome = every_session(ran)
        if not outcome.works:
            return outcome
    assert told is not None
    assert seen is not None
    assert wide is not None
    calls = calls_of(seen.records)
    if not calls or told.cell is None or wide.cell is None:
        return fails("no tool ran")
    truth = seen_by(calls, _latencies_ns(told.cell), _latencies_ns(wide.cell))
    said = told_by(told.cell)
    if truth == said:
        return works(str(truth))
    return fails(f"seen: {truth}; the run says: {said}")


def _latencies_ns(cell: Mapping[str, Any]) -> list[int]:
    latencies_ns: list[int] = cell["trial_figures"][0]["latency_ns"]
    return latencies_ns


def _why_nothing(ran: Ran) -> str:
    if ran.status is None:
        return f"hung, and was ended after {ran.elapsed_s:.0f} s"
    return one_line(ran.error or f"exit status {ran.status}, without a word") + _how_late(ran)


def _how_late(ran: Ran) -> str:
    late = ran.elapsed_s > PROMPT_S + STARTING_S
    return f" (after {ran.elapsed_s:.0f} s)" if late else ""


def one_line(text: str) -> str:
    """Return a text on one line, without paths of this machine, not too long for a table."""
    line = re.sub(r"(?<![\w:/.-])/(?:[\w.+-]+/)+", "…/", " ".join(text.split()))
    return line if len(line) <= LONGEST_NOTE else line[: LONGEST_NOTE - 1] + "…"
