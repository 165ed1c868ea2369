"""What a cluster's library runs on a node for a lease: it passes requests on, and knows no trial.

The process of this is the library's: full of threads, reused, with variables of its own in the
environment. The trials are run by a fresh child of it (see ``node_process``).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from ..results.node import Node
from .leases import WorkerLostError
from .node_process import NodeProcess, NodeSettings

# What Ray sets in the environment of its workers, beside all that begins with its name.
_OF_RAY = {"OMP_NUM_THREADS": "1", "PYTHONBREAKPOINT": "ray.util.rpdb.set_trace", "SPT_NOENV": "1"}
_PREFIX = "RAY_"


@dataclass(frozen=True, slots=True)
class Gone:
    """The process of the trials has ended; says how."""

    reason: str


class OnNode:
    """The lease, on its node.

    Args:
        settings: How trials run.
        folder: The current directory of the trials; ``None`` for that of this process.
    """

    def __init__(self, settings: NodeSettings, folder: str | None) -> None:
        self._process: NodeProcess | None = None
        self._gone = Gone("")
        try:
            self._process = NodeProcess(settings, without_ray(os.environ), folder)
        except WorkerLostError as error:
            self._gone = Gone(str(error))

    def node(self) -> Node | Gone:
        """Return the node; or why there is no process on it."""
        return self._gone if self._process is None else self._process.node

    def exchange(self, request: bytes) -> bytes | Gone:
        """Pass a request on, and return the reply; or that nobody replies any more."""
        if self._process is None:
            return self._gone
        try:
            return self._process.exchange(request)
        except WorkerLostError as error:
            return Gone(str(error))


def without_ray(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of an environment that are not Ray's own."""
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith(_PREFIX) and _OF_RAY.get(name) != value
    }
