"""From what was installed and run to the cells of a framework's row. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .columns import NOT_RUN, Column, Outcome, State, fails, not_applicable, works
from .frameworks import Framework
from .runs import SEEN, STREAM, TOOL_CALLS, WARP, Ran
from .structure import calls_of, seen_by, told_by

TOLERANCE = 0.03
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
            row[column] = _every_session(runs.get(strategy))
    row[Column.STREAMING] = _every_session(runs.get(STREAM))
    row[Column.REPEATS] = _same_twice(main)
    row[Column.WARP] = _as_in_wall(runs.get(WARP))
    row[Column.TOOLS] = _tools_ran(main)
    row[Column.STRUCTURE] = _structure(main, runs.get(SEEN))
    return {column: _reviewed(row[column], framework.reasons.get(column)) for column in Column}


def outdated_reasons(framework: Framework, row: Mapping[Column, Outcome]) -> Iterator[Column]:
    """Yield the columns that have a reviewed reason for failing, and work."""
    for column in framework.reasons:
        if row[column].works:
            yield column


def _reviewed(outcome: Outcome, reason: str | None) -> Outcome:
    if reason is None or outcome.state is not State.FAILS:
        return outcome
    return fails(reason)


def _every_session(ran: Ran | None) -> Outcome:
    if ran is None:
        return NOT_RUN
    cell = ran.cell
    if cell is None:
        return fails(_why_nothing(ran))
    sessions = cell["sessions"]
    if cell["status"] == "measured" and sessions["succeeded"] == sessions["started"] > 0:
        return works()
    return fails(one_line(cell["error"] or "no session succeeded") + _how_late(ran))


def _same_twice(ran: Ran | None) -> Outcome:
    if ran is None:
        return NOT_RUN
    cell = ran.cell
    if cell is None or not cell["sessions"]["succeeded"]:
        return fails("no session succeeded")
    first, *others = (_of_the_clock(trial) for trial in cell["trial_figures"])
    if not others:
        return fails("one of two trials failed")
    names = sorted({name for other in others for name in first if first[name] != other[name]})
    return fails(f"differs in {', '.join(names)}") if names else works()


def _of_the_clock(trial: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of a trial without those of the machine."""
    return {name: value for name, value in trial.items() if name not in _OF_THE_MACHINE}


def _as_in_wall(ran: Ran | None) -> Outcome:
    outcome = _every_session(ran)
    if ran is None or not outcome.works:
        return outcome
    if not ran.run["fidelity"]:
        return fails("the run in wall has no result")
    fidelity = ran.run["fidelity"][0]
    warp_s, wall_s = fidelity["warp"]["makespan_s"], fidelity["wall"]["makespan_s"]
    if not warp_s or not wall_s:
        return fails("no session succeeded")
    deviation = warp_s / wall_s - 1
    note = f"{deviation:+.1%} (warp {warp_s:.3g} s, wall {wall_s:.3g} s)"
    return works(note) if abs(deviation) <= TOLERANCE else fails(note)


def _tools_ran(ran: Ran | None) -> Outcome:
    if ran is None:
        return NOT_RUN
    cell = ran.cell
    if cell is None or cell["status"] != "measured":
        return fails("no session ran")
    count, sessions = cell["tool_calls"], cell["sessions"]
    if count != TOOL_CALLS:
        return fails(f"{count} of {TOOL_CALLS} tool calls ran")
    if sessions["succeeded"] != sessions["started"]:
        return fails("all ran, and sessions failed")
    return works()


def _structure(told: Ran | None, seen: Ran | None) -> Outcome:
    for ran in (told, seen):
        outcome = _every_session(ran)
        if not outcome.works:
            return outcome
    assert told is not None
    assert seen is not None
    calls = calls_of(seen.records)
    if not calls or told.cell is None:
        return fails("no tool ran")
    truth, said = seen_by(calls), told_by(told.cell)
    if truth == said:
        return works(str(truth))
    return fails(f"the tools saw: {truth}; the run says: {said}")


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
