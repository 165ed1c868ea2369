"""The names that an option may take. Each registry is imported when it is asked for, not before."""

from collections.abc import Iterable


def scenarios() -> Iterable[str]:
    """Return the names of the built-in scenarios."""
    from ...mocks.scenario import builtin_scenarios

    return builtin_scenarios()


def targets() -> Iterable[str]:
    """Return the names of the built-in targets."""
    from ..targets.built_in import BUILT_IN_TARGETS

    return BUILT_IN_TARGETS


def strategies() -> Iterable[str]:
    """Return the names of the strategies, those of other packages among them."""
    from ..strategies import available_strategies

    return available_strategies()


def is_of_a_module(name: str) -> bool:
    """Say whether the name of a strategy is one of a module's: ``module:ATTRIBUTE``."""
    from ..strategies import is_of_a_module

    return is_of_a_module(name)


def default_strategies() -> tuple[str, ...]:
    """Return the names of the strategies that are measured unless others are named."""
    from ..strategies import default_strategies

    return default_strategies()


def default_loops() -> tuple[str, ...]:
    """Return the names of the loops that are measured unless others are named."""
    from ..trial.loops import default_loops

    return default_loops()


def loops() -> Iterable[str]:
    """Return the names of the event loops."""
    from ..trial.loops import LOOPS

    return LOOPS


def clocks() -> Iterable[str]:
    """Return the names of the clock's modes."""
    from ...mocks.clock import ClockMode

    return [mode.value for mode in ClockMode]


def networks() -> Iterable[str]:
    """Return the names of the networks that a trial may be in."""
    from ...mocks.network import Network

    return [network.value for network in Network]


def clusters() -> Iterable[str]:
    """Return the names of what trials may run on, many at one time."""
    return ("ray",)


def transports() -> Iterable[str]:
    """Return the names of the ways of reaching the model."""
    from ...mocks.transports.registry import TRANSPORTS

    return TRANSPORTS


def tiers() -> Iterable[str]:
    """Return the names of the gate's tiers."""
    from ..gate import isolation
    from ..gate.judging import TIERS
    from ..gate.time.compare import TIER

    return (*TIERS, TIER, isolation.TIER)


def metrics() -> Iterable[str]:
    """Return the names of the figures whose trend is known."""
    from ..statistics.figures import FIGURES

    return FIGURES


def exports() -> Iterable[str]:
    """Return the names of the formats that a run is exported to."""
    from ...reports.exports import EXPORTS

    return EXPORTS


def trace_formats() -> Iterable[str]:
    """Return the names of the formats of traces."""
    from ...mocks.traces import FORMATS

    return FORMATS


def subagent_forms() -> Iterable[str]:
    """Return the names of the forms that a trace's nested agents take."""
    from ...mocks.traces import SubagentForm

    return [form.value for form in SubagentForm]


def lessons() -> Iterable[str]:
    """Return the names of the lessons, and the one that stands for all."""
    from ..lessons import LESSONS

    return (*LESSONS, ALL_LESSONS)


ALL_LESSONS = "all"


def identities() -> Iterable[str]:
    """Return what makes a cell that cell."""
    from ..results.cell import IDENTITY

    return IDENTITY
