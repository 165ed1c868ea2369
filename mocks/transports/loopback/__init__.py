"""The loopback transport: the mocked world over real sockets, in a process of its own.

    ServerProcess (in the trial) ──stdin──▶ WorldSpec ──▶ uvicorn ──▶ ServerApp ──▶ World

An ASGI app sends the same replies as in-process: the world decides what they are, and only how
they are sent is decided here.
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
