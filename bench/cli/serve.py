"""What ``warpbench serve`` does: serves the mock model on loopback, until Ctrl-C."""

import sys
from contextlib import closing

from ...mocks.scenario import load_scenario
from ...mocks.transports.loopback import SERVICES_PATH, PreciseWallClock
from ...mocks.transports.loopback.serving import bound_socket, serve_to_anybody
from ...mocks.world.on_demand import world_on_demand
from ...mocks.world.services import service_root
from .exit_status import DONE
from .options import with_provenance


def serve(scenario_name: str, port: int, seed: int, provenance: str | None) -> int:
    """Serve a scenario; return the exit status."""
    scenario = with_provenance(load_scenario(scenario_name), provenance)
    with bound_socket("127.0.0.1", port) as listening, closing(PreciseWallClock()) as clock:
        root = f"http://127.0.0.1:{listening.getsockname()[1]}"
        services = (
            f"  {service.name}: {root}{SERVICES_PATH}{service_root(service).replace('://', '/')}"
            for service in scenario.services
        )
        lines = [
            f"The scenario {scenario.name} is served at {root}",
            f"  OPENAI_BASE_URL={root}/v1",
            f"  ANTHROPIC_BASE_URL={root}",
            f"  GOOGLE_GEMINI_BASE_URL={root}",
            f"  CO_API_URL={root}",
            *services,
            f"  metrics: {root}/metrics, health: {root}/health",
            "Each conversation that begins is a session of it. Ctrl-C ends it.",
        ]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        world = world_on_demand(scenario, seed, clock)
        serve_to_anybody(world, listening, scenario.name)
    return DONE
