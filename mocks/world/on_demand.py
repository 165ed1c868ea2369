"""An endless world: sessions drawn when they are asked for, for a server that just runs."""

from itertools import count

from ..clock import Clock
from ..model import Kinds, ScriptedModel
from ..observe.traffic import Traffic
from ..scenario import MAX_SESSIONS, Scenario
from ..workload.scripts import Scripts
from .endpoint_replies import EndpointReplies
from .services import Services
from .world import World

_KEPT = 10_000


def world_on_demand(scenario: Scenario, seed: int, clock: Clock) -> World:
    """Return a world in which each conversation that begins is a new session.

    Equal ones are, too: they have draws of their own. Only a request that retries a failed one is
    of the same session.

    Args:
        scenario: What is drawn.
        seed: Seed of the draws.
        clock: Keeps the time.
    """
    numbers = count()
    stream = f"{scenario.name}/{seed}"
    return World(
        ScriptedModel(
            Scripts(None, scenario, seed),
            scenario.limits,
            Kinds(scenario.conversations),
            lambda: next(numbers) % (MAX_SESSIONS - 1),
            prefill=scenario.prefill,
            marks_texts=scenario.provenance,
        ),
        Services(scenario.services, stream, _KEPT),
        clock,
        Traffic(notes_calls=False),
        EndpointReplies(scenario.endpoints, stream, _KEPT),
    )
