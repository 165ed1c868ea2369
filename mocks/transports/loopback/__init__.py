"""The loopback edge: the mocked world over real sockets, in a process of its own.

    ServerProcess (in the trial) ──stdin──▶ WorldSpec ──▶ uvicorn ──▶ ServerApp ──▶ World

The same replies as in-process, played by an ASGI app: what they are is decided by the world,
and only how they are sent is decided here.
"""

from .app import CONTROL_PATH, SERVICES_PATH, ServerApp
from .cpu_wakeup import kept_awake
from .process import ServerProcess
from .serving import bound_socket, serve
from .wall_timer import PreciseWallClock

__all__ = [
    "CONTROL_PATH",
    "SERVICES_PATH",
    "PreciseWallClock",
    "ServerApp",
    "ServerProcess",
    "bound_socket",
    "kept_awake",
    "serve",
]
