"""What the options say is run: values that the parser has read, as the runner takes them."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from ...mocks.clock import ClockMode
from ...mocks.errors import UsageError
from ...mocks.scenario import Scenario, load_scenario
from ...mocks.transports.registry import RESPX, require_transport
from ...mocks.workload.arrivals import CLOSED, Arrivals
from ..results.formatting import counted
from ..runner.plan import Factors
from ..trial.loops import require_loop
from ..trial.machine import available_cores
from .options import DEFAULT_TRIALS, FactorOptions


def factors_of(
    scenarios: Sequence[str],
    options: FactorOptions,
    *,
    clock: ClockMode,
    concurrency: tuple[int, ...] = (),
    transports: Sequence[str] = (RESPX.name,),
    arrivals: Sequence[Arrivals] = (CLOSED,),
) -> Factors:
    """Return what a run varies.

    Args:
        scenarios: Their names or files.
        options: What else was asked for.
        clock: How time passes.
        concurrency: Sessions in flight at most; empty for what each scenario says.
        transports: Names of the ways of reaching the model.
        arrivals: When sessions arrive.

    Raises:
        UsageError: Something that was asked for is not there.
    """
    loaded = tuple(map(load_scenario, scenarios))
    _require_distinct_names(loaded)
    for loop in options.loop:
        require_loop(loop)
    return replace(
        options.factors(loaded, clock),
        concurrency=concurrency,
        transports=tuple(transports),
        arrivals=tuple(arrivals),
    )


def processes_of(
    counts: Sequence[int], scenarios: Iterable[Scenario], clock: ClockMode, *, split_limits: bool
) -> tuple[int, ...]:
    """Return over how many processes sessions are shared out, without repetitions.

    Args:
        counts: What was asked for.
        scenarios: The workloads.
        clock: How time passes.
        split_limits: Whether each process is to have its part of a limit.

    Raises:
        UsageError: So many would not tell the truth.
    """
    most = max(counts)
    if clock is ClockMode.WARP and most > available_cores():
        raise UsageError(
            f"--processes {most}: this machine has {counted(available_cores(), 'core')}, and with "
            "waiting left out more processes would contend for them than do in truth: use no more, "
            "or --clock wall"
        )
    if clock.skips or split_limits:  # in real time one server may serve all processes
        _require_limits_for(
            "--processes",
            most,
            scenarios,
            split_limits=split_limits,
            otherwise=", and with --clock wall they share them",
        )
    return tuple(dict.fromkeys(counts))


def shards_of(
    count: int, scenarios: Iterable[Scenario], clock: ClockMode, *, split_limits: bool
) -> tuple[int, ...]:
    """Return over how many processes sessions are shared out that need not begin at one moment.

    Args:
        count: How many shards were asked for.
        scenarios: The workloads.
        clock: How time passes.
        split_limits: Whether each shard is to have its part of a limit.

    Raises:
        UsageError: So many would not tell the truth.
    """
    if not clock.skips:
        raise UsageError(
            f"--shards {count}: in real time all parts of a service run at one time: use "
            "--processes, or another --clock"
        )
    _require_limits_for("--shards", count, scenarios, split_limits=split_limits)
    return (count,)


def _require_limits_for(
    option: str,
    most: int,
    scenarios: Iterable[Scenario],
    *,
    split_limits: bool,
    otherwise: str = "",
) -> None:
    """Refuse limits of the model that so many processes cannot share."""
    for scenario in scenarios if most > 1 else ():
        known = {name: limit for name, limit in asdict(scenario.limits).items() if limit}
        if known and not split_limits:
            raise UsageError(
                f"{option} {most}: scenario {scenario.name!r} has limits of the model that all "
                "sessions share, and each process would have them for itself: --split-limits gives "
                f"each its part{otherwise}"
            )
        for name, limit in known.items():
            if limit < most:
                raise UsageError(
                    f"--split-limits: {name} = {limit} of scenario {scenario.name!r} cannot be "
                    f"split among {most} processes: use fewer"
                )


def _require_distinct_names(scenarios: Iterable[Scenario]) -> None:
    """Refuse two scenarios of one name: a run tells its cells by it."""
    by_name: dict[str, Scenario] = {}
    for scenario in scenarios:
        if by_name.setdefault(scenario.name, scenario) != scenario:
            raise UsageError(
                f"two different scenarios are named {scenario.name!r}: rename one of them"
            )


def clock_for(name: str | None, transports: Sequence[str]) -> ClockMode:
    """Return the mode of the clock that was asked for, or that the transports allow.

    Raises:
        UsageError: A transport is not installed, or the clock cannot skip over real sockets.
    """
    over_sockets = [each for each in transports if not require_transport(each).in_process]
    if name is None:
        return ClockMode.WALL if over_sockets else ClockMode.WARP
    clock = ClockMode(name)
    if over_sockets and clock.skips:
        raise UsageError(
            f"--clock {name!r}: transport {over_sockets[0]} uses real sockets, and no clock can "
            "skip over them: use --clock wall"
        )
    return clock


def trials_of(trials: int | None, clock: ClockMode) -> int:
    """Return how many trials a cell gets; a virtual one is the same each time."""
    return trials or (DEFAULT_TRIALS if clock.charges_cpu else 1)


def budget_of(budget_s: float | None, clock: ClockMode) -> float | None:
    """Return the time that a run may take for further trials, in seconds; ``None`` for none.

    Raises:
        UsageError: Further trials would all be the same.
    """
    if budget_s is not None and not clock.charges_cpu:
        raise UsageError("--budget: in virtual time every trial is the same: leave it out")
    return budget_s


def folder(path: Path) -> Path:
    """Return a folder, made if need be.

    Raises:
        UsageError: It cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--out {str(path)!r}: cannot be made a folder: {error.strerror}"
        ) from error
    return path
