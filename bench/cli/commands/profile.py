"""``warpbench profile``: where the sessions' CPU time goes, cell beside cell."""

from dataclasses import dataclass

from cyclopts import Parameter

from ..options import (
    DEFAULT_OUT,
    DEFAULT_SCENARIO,
    Clock,
    Concurrency,
    FactorOptions,
    Loops,
    Messages,
    Out,
    Scenario,
    Strategies,
)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ProfileOptions(FactorOptions):
    """What ``profile`` takes."""

    strategy: Strategies = ("gather", "threads")
    loop: Loops = ("asyncio",)
    concurrency: Concurrency = ()
    clock: Clock = None
    out: Out = DEFAULT_OUT


def profile(
    *scenarios: Scenario,
    options: ProfileOptions = ProfileOptions(),
    messages: Messages = Messages(),
) -> int:
    """Show where the CPU time goes."""
    from ..profile import profile as profile_cells

    return profile_cells(scenarios or (DEFAULT_SCENARIO,), options, messages)
