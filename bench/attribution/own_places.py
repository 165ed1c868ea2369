"""Where sessions waited in their own code, place by place, as the report has it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...mocks.clock import seconds
from ..results.own_waits import OwnWait, by_place
from ..results.samples import SessionSample
from .observations import Observations
from .own_tools import Held
from .own_waits import Awaited
from .segments import retries_ns

if TYPE_CHECKING:
    from .own_waits import ObservedWait, Place


_ASIDE = frozenset({Awaited.TIME, Awaited.RESULT, Awaited.BESIDE})
_HELD_UP = 0.05
"""The share of such waits from which on they are told of."""


@dataclass(slots=True)
class _Sum:
    """What sessions waited at one place."""

    seen_ns: int = 0
    waits: int = 0
    sessions: int = 0
    lost_ns: int = 0
    in_turn: bool = False
    blocks_loop: bool = False
    is_aside: bool = True
    retry_ns: int = 0

    @property
    def is_worth_telling(self) -> bool:
        """Whether these waits are more than what goes on beside other waits of their sessions."""
        held_up_ns = self.lost_ns + self.retry_ns
        holds_up = held_up_ns > 0 and held_up_ns >= _HELD_UP * self.seen_ns
        return holds_up or not self.is_aside


def own_waits_by_place(
    samples: Sequence[SessionSample], observations: Observations, held_up: Sequence[Held]
) -> tuple[OwnWait, ...]:
    """Sum up the waits of sessions' own code by place, the longest first.

    Args:
        samples: The sessions.
        observations: What the mocks and the meters know.
        held_up: What its own waits held each session up by, in the order of the samples.

    Returns:
        The places; a wait whose place is not known is left out. So are waits for what threads and
        packages do, and sleeps that are no tool's (heartbeats), where they hold nobody up.
    """
    sums: dict[Place, _Sum] = {}
    for sample, held in zip(samples, held_up, strict=True):
        if sample.session not in observations.own_waits.of:
            continue
        _, end_ns = observations.span_of(sample)
        places: dict[Place, None] = {}
        rounds = observations.own_waits.rounds.get(sample.session, ())
        of_tools = {id(wait) for each in rounds for wait in each.waits}
        retries = retries_ns(
            observations.scripts[sample.session], observations.waits_of.get(sample.session, ())
        )
        for wait in observations.own_waits.of[sample.session]:
            if wait.place and wait.begin_ns < end_ns:
                at = sums.setdefault((wait.place, wait.awaits), _Sum())
                at.seen_ns += min(wait.over_ns, end_ns) - wait.begin_ns
                at.waits += 1
                at.is_aside &= wait.awaited in _ASIDE and id(wait) not in of_tools
                at.blocks_loop = at.blocks_loop or wait.blocks_loop
                if id(wait) not in of_tools and _lies_in(wait, retries):
                    at.retry_ns += wait.over_ns - wait.begin_ns
                places[wait.place, wait.awaits] = None
        for place in places:
            sums[place].sessions += 1
            sums[place].lost_ns += held.lost_ns.get(place, 0)
            sums[place].in_turn = sums[place].in_turn or place in held.in_turn
    return by_place(
        OwnWait(
            place=place,
            awaits=awaits,
            seen_s=seconds(each.seen_ns),
            waits=each.waits,
            sessions=each.sessions,
            lost_s=seconds(each.lost_ns),
            in_turn=each.in_turn,
            blocks_loop=each.blocks_loop,
            retry_s=seconds(each.retry_ns),
        )
        for (place, awaits), each in sums.items()
        if each.is_worth_telling
    )


def _lies_in(wait: "ObservedWait", spans_ns: Sequence[tuple[int, int]]) -> bool:
    return any(
        begin_ns <= wait.begin_ns and wait.over_ns <= end_ns for begin_ns, end_ns in spans_ns
    )
