"""The loopback transport: the mocked world over real sockets, in a process of its own.

    ServerProcess (in the trial) ──stdin──▶ WorldSpec ──▶ uvicorn ──▶ ServerApp ──▶ World

An ASGI app sends the same replies as in-process: the world decides what they are, and only how
they are sent is decided here. ``serving`` needs uvicorn, which only the server's process imports.
"""

from .app import CONTROL_PATH, SERVICES_PATH, ServerApp
from .cpu_wakeup import kept_awake
from .process import ServerProcess
from .wall_timer import PreciseWallClock

__all__ = [
    "CONTROL_PATH",
    "SERVICES_PATH",
    "PreciseWallClock",
    "ServerApp",
    "ServerProcess",
    "kept_awake",
]
