"""``warpbench serve``: the mock model's server on loopback, for any client."""

from typing import Annotated

from cyclopts import Parameter

from ..options import DEFAULT_SCENARIO, Provenance, Scenario, Seed
from ..values import single, whole

_HIGHEST_PORT = 65_535


def serve(
    scenario: Scenario = DEFAULT_SCENARIO,
    /,
    *,
    port: Annotated[
        int, single(whole(least=0, most=_HIGHEST_PORT), "N"), Parameter(help="0 takes a free one.")
    ] = 8000,
    seed: Seed = 1,
    provenance: Provenance = None,
) -> int:
    """Serve the mock model."""
    from ..serve import serve as serve_it

    return serve_it(scenario, port, seed, provenance)
