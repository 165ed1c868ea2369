"""The options that several commands share: each is declared here, once."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from . import names
from .values import (
    AUTO,
    POOL_OF_LOAD,
    Count,
    Duration,
    any_name,
    arrivals,
    load,
    name,
    objectives,
    pool_size,
    serve_text,
    several,
    share,
    single,
    tool_workers,
    whole,
)
from .values import names as names_of

if TYPE_CHECKING:
    from ...mocks import scenario
    from ...mocks.clock import ClockMode
    from ..runner.plan import Factors

DEFAULT_SCENARIO = "tools"
DEFAULT_TARGET = "agent"
DEFAULT_TRIALS = 3
DEFAULT_OUT = Path("results")
DEFAULT_TIME_LIMIT_S = 600.0
DEFAULT_NETWORK = "shared"

# The groups of --help, in this order, after those of the app itself.
FACTORS = Group.create_ordered("What to run", sort_key=2)
EFFORT = Group.create_ordered("How long", sort_key=2)
JUDGING = Group.create_ordered("What counts as bad", sort_key=2)
OUTPUT = Group.create_ordered("Output", sort_key=2)
MESSAGES = Group.create_ordered("Messages", sort_key=2)

_NETWORK = (
    "What trials reach: shared (this machine's loopback; Python's sockets and uvloop are refused "
    "the rest) or isolated (a loopback of their own, for subprocesses and C code, too; Linux)"
)

_ON = "ray (a cluster on this machine, or the one at RAY_ADDRESS; pip install 'warpbench[ray]')"

Scenario = Annotated[
    str, Parameter(name="SCENARIO", group=FACTORS, help="A built-in name, or the path of a file.")
]
Target = Annotated[
    str,
    single(any_name, "NAME"),
    Parameter(
        group=FACTORS,
        help="The agent: module:factory, a built-in name, or a service: asgi:module:app, "
        "wsgi:module:app.",
    ),
]
Targets = Annotated[
    tuple[str, ...],
    several(any_name, "NAME"),
    Parameter(
        group=FACTORS,
        help="The agents: module:factory, built-in names, or services: asgi:module:app, "
        "wsgi:module:app.",
    ),
]
Strategies = Annotated[
    tuple[str, ...],
    names_of(names.strategies, of_others=names.is_of_a_module),
    Parameter(
        group=FACTORS, help="How sessions run concurrently: names, or module:ATTRIBUTE of your own."
    ),
]
Loops = Annotated[
    tuple[str, ...], names_of(names.loops), Parameter(group=FACTORS, help="The event loops.")
]
Sessions = Annotated[
    Count | None, Parameter(group=FACTORS, help="Sessions of a trial. Default: the scenario's.")
]
Seed = Annotated[
    int, single(whole(least=0), "N"), Parameter(group=FACTORS, help="Seed of the scripts.")
]
ToolWorkers = Annotated[
    int | str,
    single(tool_workers, "N"),
    Parameter(
        group=FACTORS,
        help="Threads for blocking tools: a number, default (Python's own size), or load: as many "
        "as the load needs.",
    ),
]
Concurrency = Annotated[
    tuple[int, ...],
    several(whole(), "N"),
    Parameter(group=FACTORS, help="Sessions in flight at most. Default: the scenario's."),
]
ConcurrencyOrAuto = Annotated[
    tuple[int | str, ...],
    several(load, "N"),
    Parameter(
        group=FACTORS,
        help=f"Sessions in flight at most, or {AUTO}: raised until throughput stops growing. "
        "Default: the scenario's.",
    ),
]
Clock = Annotated[
    str | None,
    name(names.clocks),
    Parameter(
        group=FACTORS,
        help="How time passes: warp, wall or virtual. Default: warp, over sockets wall.",
    ),
]
Provenance = Annotated[
    Literal["on", "off"] | None,
    Parameter(
        group=FACTORS,
        help="Whether texts of the model begin with marks that show where they go. Default: what "
        "the scenario says, else on.",
    ),
]
Transports = Annotated[
    tuple[str, ...],
    names_of(names.transports),
    Parameter(group=FACTORS, help="How the model is reached."),
]
Network = Annotated[
    str,
    name(names.networks),
    Parameter(group=FACTORS, help=f"{_NETWORK}."),
]
NetworkOfProject = Annotated[
    str | None,
    name(names.networks),
    Parameter(group=FACTORS, help=f"{_NETWORK}. Default: the project's, or {DEFAULT_NETWORK}."),
]
ArrivalPlans = Annotated[
    tuple[str, ...],
    several(arrivals, "PLAN"),
    Parameter(
        group=FACTORS,
        help="When sessions arrive: closed, constant:RATE, poisson:RATE, ramp:RATE-RATE (sessions "
        "a second: 20, 20/s or 1200/m), or trace[:SPEED].",
    ),
]
Processes = Annotated[
    tuple[int, ...],
    several(whole(), "N"),
    Parameter(
        group=FACTORS,
        help="Processes that share a cell's sessions, each with a strategy, a clock and a mocked "
        "model of its own.",
    ),
]
SplitLimits = Annotated[
    bool,
    Parameter(
        group=FACTORS,
        show_default=False,
        help="With several processes: give each its part of the model's limits.",
    ),
]
Shards = Annotated[
    Count | None,
    Parameter(
        group=FACTORS,
        help="Parts that a cell's sessions are cut into, each with a strategy, a clock and a "
        "mocked model of its own; they take turns on the cores that there are.",
    ),
]
On = Annotated[
    str | None,
    name(names.clusters),
    Parameter(
        group=EFFORT,
        help=f"Run trials on many cores at one time: {_ON}. Default: one trial at a time.",
    ),
]
OnInTheGate = Annotated[
    str | None,
    name(names.clusters),
    Parameter(
        group=EFFORT,
        help=f"Run trials on a cluster: {_ON}. Default: one on each core of this machine.",
    ),
]
Serve = Annotated[
    str | None,
    single(serve_text, "COMMAND"),
    Parameter(
        group=FACTORS,
        help="A service as it is deployed, in place of --target: the command that starts it, with "
        "{port} and {workers} where these belong; on the wall clock.",
    ),
]
ServiceWorkers = Annotated[
    tuple[int, ...],
    several(whole(), "N"),
    Parameter(
        group=FACTORS, help="Workers of that service, for {workers} of its command. Default: 1."
    ),
]
ReadyWithin = Annotated[
    Duration | None,
    Parameter(
        group=EFFORT,
        help="Real time that it gets to answer its first request. Default: 30s.",
    ),
]
Trials = Annotated[
    Count | None,
    Parameter(group=EFFORT, help=f"Trials of each cell. Default: {DEFAULT_TRIALS}, 1 if virtual."),
]
FixedTrials = Annotated[Count, Parameter(group=EFFORT, help="Trials of each cell.")]
Budget = Annotated[
    Duration | None,
    Parameter(
        group=EFFORT,
        help="More trials, until cells are ranked, intervals narrow, or this time up: 60s, 5m.",
    ),
]
TimeLimit = Annotated[
    Duration,
    Parameter(
        group=EFFORT,
        help="Real time after which a trial is killed.",
        show_default=lambda seconds: f"{seconds:g}s",
    ),
]
Objectives = Annotated[
    str | None,
    single(objectives, "FIGURE=TIME,..."),
    Parameter(
        name="--slo",
        group=JUDGING,
        help="Objectives such as p99=2s or ttft_p95=800ms,p99=10s; missed if no cell meets all.",
    ),
]
ObjectivesOfEach = Annotated[
    str | None,
    single(objectives, "FIGURE=TIME,..."),
    Parameter(
        name="--slo",
        group=JUDGING,
        help="Objectives such as max=5s or ttft_max=800ms,max=5s, in virtual time; missed if a "
        "cell does not meet all. Default: the project's.",
    ),
]
MaxFailed = Annotated[
    float,
    single(share, "SHARE"),
    Parameter(
        group=JUDGING,
        help="Share of a cell's sessions that may fail, such as 5%, before the exit status is 1.",
        show_default=lambda value: f"{value:.0%}",
    ),
]
Out = Annotated[
    Path,
    Parameter(name="--out", alias="-o", metavar="FOLDER", group=OUTPUT, help="Folder to write to."),
]
Resume = Annotated[
    Path | None,
    Parameter(
        metavar="FOLDER",
        group=OUTPUT,
        help="Go on with the interrupted run in this folder; the rest of the command is the same.",
    ),
]
OptionalOut = Annotated[
    Path | None,
    Parameter(name="--out", alias="-o", metavar="FOLDER", group=OUTPUT, help="Folder to write to."),
]
OutFile = Annotated[
    Path | None,
    Parameter(name="--out", alias="-o", metavar="FILE", group=OUTPUT, help="File to write."),
]
Cells = Annotated[
    tuple[str, ...],
    several(any_name, "NAME"),
    Parameter(
        name="--cell", group=FACTORS, help="These cells only, such as tools/agent/sync/none@10."
    ),
]
Json = Annotated[
    bool,
    Parameter(group=OUTPUT, show_default=False, help="Print the result as JSON, and nothing else."),
]
RunFile = Annotated[Path, Parameter(name="RUN", help="A run.json, or the folder that holds it.")]


def with_provenance(workload: "scenario.Scenario", chosen: str | None) -> "scenario.Scenario":
    """Return a workload with or without provenance marks; ``None`` leaves it as it is."""
    return workload if chosen is None else replace(workload, provenance=chosen == "on")


@Parameter(name="*")  # its fields are options of the command that takes it
@dataclass(frozen=True, kw_only=True)
class FactorOptions:
    """Which cells there are, whatever their load."""

    target: Targets = (DEFAULT_TARGET,)
    strategy: Strategies = field(default_factory=names.default_strategies)
    loop: Loops = field(default_factory=names.default_loops)
    sessions: Sessions = None
    seed: Seed = 1
    tool_workers: ToolWorkers = POOL_OF_LOAD
    provenance: Provenance = None

    def factors(self, scenarios: "tuple[scenario.Scenario, ...]", clock: "ClockMode") -> "Factors":
        """Return what a run of these cells varies: each option of above is passed on here.

        Args:
            scenarios: The workloads.
            clock: How time passes.
        """
        # Nothing is planned for --help, which reads this module.
        from ..runner.plan import Factors  # noqa: PLC0415
        from ..strategies import strategy_named  # noqa: PLC0415

        return Factors(
            scenarios=tuple(with_provenance(each, self.provenance) for each in scenarios),
            targets=self.target,
            strategies=tuple(map(strategy_named, self.strategy)),
            loops=self.loop,
            session_count=self.sessions,
            clock=clock,
            seed=self.seed,
            tool_workers=pool_size(self.tool_workers),
        )


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class FileMessages:
    """Whether a command names the files that it has written."""

    quiet: Annotated[
        bool, Parameter(group=MESSAGES, show_default=False, help="No progress, no list of files.")
    ] = False


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Messages(FileMessages):
    """What a command that measures says on stderr meanwhile."""

    verbose: Annotated[
        bool,
        Parameter(group=MESSAGES, show_default=False, help="Say which trial begins, and when."),
    ] = False
