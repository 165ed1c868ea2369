"""Says whether a library has replaced the standard library's threads and sockets by its own."""

import sys
from collections.abc import Callable, Mapping
from types import ModuleType


def _by_gevent(monkey: ModuleType) -> bool:
    return any(monkey.is_module_patched(name) for name in ("threading", "socket", "time"))


def _by_eventlet(patcher: ModuleType) -> bool:
    return any(patcher.is_monkey_patched(name) for name in ("thread", "socket", "time"))


_PATCHERS: Mapping[str, Callable[[ModuleType], bool]] = {
    "gevent.monkey": _by_gevent,
    "eventlet.patcher": _by_eventlet,
}


def monkey_patched_by() -> str | None:
    """Return the package that has replaced threads or sockets in this process, if any has."""
    for name, has_patched in _PATCHERS.items():
        module = sys.modules.get(name)
        if module is not None and has_patched(module):
            return name.partition(".")[0]
    return None
