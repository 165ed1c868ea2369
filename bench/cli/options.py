"""What the options of the command line mean: text in, values out, one clear line if not."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from ...mocks.clock import ClockMode
from ...mocks.errors import UsageError
from ...mocks.scenario import Scenario, load_scenario
from ...mocks.transports.registry import RESPX, TRANSPORTS, require_transport
from ...mocks.workload.arrivals import CLOSED, Arrivals
from ..results.durations import parse_duration_s
from ..runner.choices import one_of
from ..runner.plan import Factors
from ..strategies import available_strategies, default_strategies
from ..trial.loops import LOOPS, default_loops, require_loop

DEFAULT_SCENARIO = "tools"
DEFAULT_STRATEGIES = ",".join(default_strategies())
DEFAULT_LOOPS = ",".join(default_loops())
DEFAULT_TRIALS = 3

_MOST = 1_000_000


def add_factors(
    parser: argparse.ArgumentParser,
    strategies: str = DEFAULT_STRATEGIES,
    loops: str = DEFAULT_LOOPS,
) -> None:
    """Add the options that say which cells there are."""
    parser.set_defaults(default_strategies=strategies, default_loops=loops)
    parser.add_argument(
        "scenarios", nargs="*", metavar="SCENARIO", help="a built-in name or the path of a file"
    )
    for option, meaning in (
        ("--target", "module:factory, or a built-in name; default: agent"),
        ("--strategy", f"default: {strategies}"),
        ("--loop", f"default: {loops}"),
    ):
        parser.add_argument(option, action="append", metavar="NAME[,NAME…]", help=meaning)
    parser.add_argument(
        "--concurrency",
        action="append",
        metavar="N[,N…]",
        help="sessions in flight at most, or auto for a sweep (run only); default: what the "
        "scenario says",
    )
    parser.add_argument("--sessions", metavar="N", help="default: what the scenario says")
    parser.add_argument("--seed", default="1", metavar="N", help="seed of the scripts (1)")
    parser.add_argument(
        "--tool-workers",
        default="load",
        metavar="N",
        help="threads for blocking tools: a number, default (Python's own size), or load: "
        "as many as the load needs (load)",
    )


def factors_of(
    options: argparse.Namespace,
    clock: ClockMode,
    transports: Sequence[str] = (RESPX.name,),
    arrivals: Sequence[Arrivals] = (CLOSED,),
) -> Factors:
    """Return what a run varies.

    Raises:
        UsageError: An option names something that is not there.
    """
    strategies = available_strategies()
    names = several(options.strategy) or several([options.default_strategies])
    scenarios = tuple(load_scenario(name) for name in options.scenarios or (DEFAULT_SCENARIO,))
    _require_names_of_their_own(scenarios)
    loops = several(options.loop) or several([options.default_loops])
    for loop in loops:
        require_loop(one_of("--loop", loop, LOOPS))
    return Factors(
        scenarios=scenarios,
        targets=tuple(several(options.target) or ("agent",)),
        strategies=tuple(strategies[one_of("--strategy", name, strategies)] for name in names),
        loops=tuple(loops),
        concurrency=tuple(whole("--concurrency", value) for value in several(options.concurrency)),
        session_count=optional_whole("--sessions", options.sessions),
        clock=clock,
        seed=whole("--seed", options.seed, least=0),
        tool_workers=tool_workers(options.tool_workers),
        transports=tuple(transports),
        arrivals=tuple(arrivals),
    )


def _require_names_of_their_own(scenarios: Iterable[Scenario]) -> None:
    """Refuse two scenarios of one name: a run tells its cells by it."""
    by_name: dict[str, Scenario] = {}
    for scenario in scenarios:
        if by_name.setdefault(scenario.name, scenario) != scenario:
            raise UsageError(
                f"two different scenarios are named {scenario.name!r}: rename one of them"
            )


def several(values: Sequence[str] | None) -> list[str]:
    """Split repeated and comma-separated values; each one once, in order."""
    parts = (part.strip() for value in values or () for part in value.split(","))
    return list(dict.fromkeys(part for part in parts if part))


def whole(option: str, value: str, least: int = 1, most: int = _MOST) -> int:
    """Return a whole number.

    Raises:
        UsageError: It is none, or out of range.
    """
    try:
        number = int(value)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise UsageError(f"{option} {value!r}: expected a whole number from {least} to {most}")
    return number


def optional_whole(option: str, value: str | None) -> int | None:
    """Return a whole number, or ``None`` if the option was not given."""
    return None if value is None else whole(option, value)


def positive_number(option: str, value: str, most: float = sys.float_info.max) -> float:
    """Return a number above 0.

    Raises:
        UsageError: It is none, or above ``most``.
    """
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number <= most:
        at_most = "" if most == sys.float_info.max else f", {most:,.0f} at most"
        raise UsageError(f"{option} {value!r}: expected a number above 0{at_most}")
    return number


def transports_of(values: Sequence[str] | None) -> list[str]:
    """Return the transports that a run varies.

    Raises:
        UsageError: One of them is not there.
    """
    return [
        require_transport(one_of("--transport", name, TRANSPORTS)).name for name in several(values)
    ] or [RESPX.name]


def clock_for(value: str | None, transports: Sequence[str]) -> ClockMode:
    """Return the mode of the clock that was asked for, or that the transports allow.

    Raises:
        UsageError: There is none of that name, or it cannot skip over real sockets.
    """
    over_sockets = [name for name in transports if not TRANSPORTS[name].in_process]
    if value is None:
        return ClockMode.WALL if over_sockets else ClockMode.WARP
    clock = clock_of(value)
    if over_sockets and clock is not ClockMode.WALL:
        raise UsageError(
            f"--clock {value!r}: transport {over_sockets[0]} uses real sockets, and no clock can "
            "skip over them: use --clock wall"
        )
    return clock


def clock_of(value: str) -> ClockMode:
    """Return the mode of a clock.

    Raises:
        UsageError: There is none of that name.
    """
    return ClockMode(one_of("--clock", value, [mode.value for mode in ClockMode]))


def trials(value: str | None, clock: ClockMode) -> int:
    """Return how many trials a cell gets."""
    if value is None:
        # A virtual trial is the same each time.
        return 1 if clock is ClockMode.VIRTUAL else DEFAULT_TRIALS
    return whole("--trials", value)


def duration_s(option: str, value: str) -> float:
    """Return a length of time in seconds: ``90``, ``90s``, ``1.5m``, ``1h``, ``250ms``.

    Raises:
        UsageError: It is none, or not above 0.
    """
    seconds = parse_duration_s(value)
    if seconds is None:
        raise UsageError(f"{option} {value!r}: expected a time above 0 such as 250ms, 60s, 5m, 1h")
    return seconds


def budget_s(value: str | None, clock: ClockMode) -> float | None:
    """Return the time that a run may take for further trials, or ``None``.

    Raises:
        UsageError: It is no time, or further trials would tell nothing.
    """
    if value is None:
        return None
    if clock is ClockMode.VIRTUAL:
        raise UsageError(
            f"--budget {value!r}: in virtual time every trial is the same: leave it out"
        )
    return duration_s("--budget", value)


def tool_workers(value: str) -> int | None:
    """Return the size of the pool for blocking tools, as ``Factors`` has it."""
    if value == "load":
        return None
    if value == "default":
        return 0
    return whole("--tool-workers", value)


def folder(name: str) -> Path:
    """Return a folder, made if need be.

    Raises:
        UsageError: It cannot be made.
    """
    path = Path(name)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {name!r}: cannot be made a folder: {error.strerror}") from error
    return path
