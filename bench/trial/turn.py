"""When a trial may measure: one that is prepared ahead of time waits for its turn.

Trials are measured alone. What comes before a trial's sessions and what comes after them may
coincide with that of its neighbours: a machine of two cores then does both in the time of one.
"""

from typing import Protocol


class Turn(Protocol):
    """Told by a trial how far it is; holds it back until it may measure."""

    def begin(self) -> None:
        """Wait until no other trial of the run measures, or uses what is measured."""
        ...

    def end(self) -> None:
        """All sessions have ended: what is left to do may run beside others."""
        ...


class AtOnce:
    """The turn of a trial that is alone in any case."""

    def begin(self) -> None:
        """Go on at once."""

    def end(self) -> None:
        """Tell nobody."""
