"""An endless world: sessions drawn when they are asked for, for a server that just runs."""

import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache

from ..clock import Clock
from ..model import ScriptedModel
from ..observe.traffic import Traffic
from ..scenario import MAX_SESSIONS, Scenario
from ..workload.script import SessionScript, draw_session, with_nested
from .endpoint_replies import EndpointReplies
from .services import Services
from .world import World

_KEPT = 10_000


class SessionsOnDemand(Mapping[int, SessionScript]):
    """All sessions that a scenario can have, each drawn when it is asked for.

    Args:
        scenario: The scenario that is drawn.
        seed: Seed of the draws.
    """

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self._drawn = lru_cache(_KEPT)(lambda session: draw_session(scenario, seed, session))

    def __getitem__(self, session: int) -> SessionScript:
        if session < 0:
            raise KeyError(session)
        # The number of a nested session contains that of its outermost one; see ``script``.
        for part in with_nested(self._drawn(session % MAX_SESSIONS)):
            if part.session == session:
                return part
        raise KeyError(session)

    def __iter__(self) -> Iterator[int]:
        return iter(range(MAX_SESSIONS))

    def __len__(self) -> int:
        return MAX_SESSIONS


def world_on_demand(scenario: Scenario, seed: int, clock: Clock) -> World:
    """Return a world in which each conversation is a session, chosen by its first message."""
    stream = f"{scenario.name}/{seed}"
    return World(
        ScriptedModel(
            SessionsOnDemand(scenario, seed),
            scenario.limits,
            lambda prompt: zlib.crc32(prompt.encode(errors="replace")) % MAX_SESSIONS,
            scenario.prefill,
        ),
        Services(scenario.services, stream, _KEPT),
        clock,
        Traffic(notes_calls=False),
        EndpointReplies(scenario.endpoints, stream, _KEPT),
    )
