"""``warpbench serve``: the mock model's server on loopback, for any client."""

import argparse
import sys
from contextlib import closing

from ...mocks.scenario import load_scenario
from ...mocks.transports.loopback import SERVICES_PATH, PreciseWallClock, bound_socket, serve
from ...mocks.world.on_demand import world_on_demand
from ...mocks.world.services import service_root
from .options import DEFAULT_SCENARIO, whole

_DEFAULT_PORT = 8000
_HIGHEST_PORT = 65_535


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add it to the command line."""
    parser = commands.add_parser("serve", help="the mock model's server on loopback")
    parser.set_defaults(command=_serve)
    parser.add_argument(
        "scenario", nargs="?", default=DEFAULT_SCENARIO, help=f"default: {DEFAULT_SCENARIO}"
    )
    parser.add_argument(
        "--port",
        default=str(_DEFAULT_PORT),
        metavar="N",
        help=f"0 takes a free one ({_DEFAULT_PORT})",
    )
    parser.add_argument("--seed", default="1", metavar="N", help="seed of the scripts (1)")


def _serve(options: argparse.Namespace) -> int:
    scenario = load_scenario(options.scenario)
    port = whole("--port", options.port, least=0, most=_HIGHEST_PORT)
    seed = whole("--seed", options.seed, least=0)
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
            *services,
            "Each conversation is a session of it, chosen by its first message. Ctrl-C ends it.",
        ]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        serve(world_on_demand(scenario, seed, clock), listening)
    return 0
