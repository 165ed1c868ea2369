"""The cell: one combination of the factors at one load, and its name."""

from dataclasses import dataclass

from ...mocks.clock import ClockMode

NO_LOOP = "none"
"""The loop of a cell whose strategy runs without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One combination of the factors at one load: the identity of a measurement.

    Attributes:
        scenario: Name of the scenario.
        target: The target as it was named (``agent``, ``bare-sdk``, ``module:attribute``).
        strategy: Name of the strategy.
        loop: Name of the event loop, or ``none`` for a strategy that runs without one.
        transport: How the model is reached; ``respx`` is in-process.
        clock: How time passes.
        concurrency: Sessions in flight at most; ``sync`` has one, whatever the load.
        session_count: Sessions in all.
        seed: Seed of the script.
        tool_workers: Threads for blocking tools that the target is handed.
        arrivals: When sessions arrive, as ``arrivals`` writes it: ``closed``, ``poisson:20``.
    """

    scenario: str
    target: str
    strategy: str
    loop: str
    transport: str
    clock: ClockMode
    concurrency: int
    session_count: int
    seed: int
    tool_workers: int
    arrivals: str = "closed"
