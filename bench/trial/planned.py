"""What the sessions of a trial are to do, drawn from what it is told. Pure."""

from collections.abc import Iterable

from ...mocks.model import task_of
from ...mocks.scenario import Scenario
from ...mocks.workload.arrivals import intended_ns, parse_arrivals
from ...mocks.workload.script import Script, SessionScript, draw, draw_session
from .spec import TrialSpec


def script_of(spec: TrialSpec) -> Script:
    """Return the script of the sessions that run."""
    scenario, seed, count = spec.scenario, spec.cell.seed, spec.cell.session_count
    if spec.only is None:
        return draw(scenario, seed, count)
    # Those alone: one of many shards would else draw all the sessions of all of them.
    chosen = (number for number in sorted(set(spec.only)) if number in range(count))
    drawn = tuple(draw_session(scenario, seed, number) for number in chosen)
    beside: tuple[SessionScript, ...] = ()
    if spec.limits_file is not None:
        others = sorted(set(range(count)).difference(spec.only))
        beside = tuple(draw_session(scenario, seed, number) for number in others)
    return Script(scenario.name, seed, drawn, scenario.limits, beside)


def arrivals_ns_of(spec: TrialSpec, script: Script) -> tuple[int, ...] | None:
    """Return when each session of a script arrives, in nanoseconds from the start of the trial.

    Args:
        spec: What the trial is told.
        script: The script of the sessions that run.

    Returns:
        The times in the script's order; ``None`` in a closed loop.
    """
    cell = spec.cell
    plan = parse_arrivals(cell.arrivals)
    of_all_ns = intended_ns(plan, spec.scenario, cell.seed, cell.session_count)
    if of_all_ns is None:
        return None
    return tuple(of_all_ns[each.session] for each in script.sessions)


def tasks_of(sessions: Iterable[SessionScript], scenario: Scenario) -> dict[str, int]:
    """Return the tasks that sessions are given, each with the session's number."""
    return {task_of(session.session, scenario.name): session.session for session in sessions}
