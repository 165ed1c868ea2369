"""Keeps the programs that a trial starts from asking other machines, as far as they let themselves.

No hook reaches into another process. But most programs ask an API at the address that a variable
names, and everything else by a proxy, if there is one. So a child's environment, and not that of
the trial, names a server of the trial for both: it refuses at once, says why, and tells of it.

What is on loopback stays as it is: a mocked world that is served there, or a service of the user's.
A program that reads none of these variables is out of reach; see ``namespace``.
"""

import os
import subprocess
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from ..environment import BASE_URLS
from .addresses import is_loopback
from .refusing_server import Refused, RefusingServer
from .replacing import Methods, replaced
from .uvloop_methods import guarded_loop

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_NO_PROXY = "localhost,127.0.0.1,::1"
_NODE_READS_PROXIES = "NODE_USE_ENV_PROXY"
_ENV = 10
"""Position of ``env`` among the arguments of ``Popen``."""

_API_HOSTS = frozenset(urlsplit(each.usual).hostname for each in BASE_URLS)

Environment = Mapping[Any, Any]


class ChildRefusals:
    """The requests of a trial's children that were refused, and the server that refuses them.

    Close it in the end: a child that lives on finds nobody then.

    Attributes:
        told: Called with each request, from the thread of the server.

    Args:
        begins: Called in that thread at its begin.
        way_out: What there is to do about it, in words.
    """

    def __init__(self, begins: Callable[[], None], way_out: str = "") -> None:
        self.told: Callable[[Refused], None] | None = None
        self._way_out = way_out
        self._server = RefusingServer(self._explain, self._note, begins)
        self._apis: dict[str, None] = {}
        self._children: weakref.WeakSet[subprocess.Popen[Any]] = weakref.WeakSet()
        self.close = self._server.close

    @property
    def apis(self) -> tuple[str, ...]:
        """The hosts of models' APIs that children asked for, in the order of the first request."""
        return tuple(self._apis)

    @property
    def have_children(self) -> bool:
        """Whether a program that was started has not been waited for."""
        return any(child.returncode is None for child in tuple(self._children))

    def started(self, child: "subprocess.Popen[Any]") -> None:
        """Note a program that was started."""
        self._children.add(child)

    def environment(self, given: Environment | None) -> Environment:
        """Return what a child is to have as its environment, in place of what it is given.

        Args:
            given: That; ``None`` for the environment of this process.
        """
        own = os.environ if given is None else given
        is_bytes = any(isinstance(name, bytes) for name in own)
        decoded = {os.fsdecode(name): os.fsdecode(value) for name, value in own.items()}
        child = environment_of_child(decoded, os.environ, self._server)
        if not is_bytes:
            return child
        return {os.fsencode(name): os.fsencode(value) for name, value in child.items()}

    def _note(self, refused: Refused) -> None:
        if refused.was_named or refused.host in _API_HOSTS:
            self._apis.setdefault(refused.host)
        if self.told is not None:
            self.told(refused)

    def _explain(self, refused: Refused) -> str:
        asked = f"{refused.host}{refused.path}" or "a request"
        return f"{asked} was refused: in a trial, programs reach this machine only{self._way_out}"


@contextmanager
def children_refused(refusals: ChildRefusals) -> Iterator[None]:
    """Give the processes that are started in this scope, by whatever thread, that environment."""
    with ExitStack() as scope:
        scope.enter_context(replaced(subprocess.Popen, _popen_methods(refusals)))
        scope.enter_context(replaced(guarded_loop(), _uvloop_methods(refusals)))
        yield


def environment_of_child(
    given: Mapping[str, str], own: Mapping[str, str], server: RefusingServer
) -> dict[str, str]:
    """Return the environment of a child process.

    Args:
        given: What it would have.
        own: That of this process, which names the mocked world, if that is served.
        server: Refuses what is meant for another machine.
    """
    child = dict(given)
    for each in BASE_URLS:
        candidates = [found for found in (given.get(each.name), own.get(each.name)) if found]
        served = next((url for url in candidates if is_loopback(_host(url))), None)
        child[each.name] = served or server.address(next(iter(candidates), each.usual))
    for name in (*_PROXIES, "NO_PROXY"):
        # curl reads small letters, others what they find first.
        child[name] = child[name.lower()] = _NO_PROXY if name == "NO_PROXY" else server.root
    child[_NODE_READS_PROXIES] = "1"
    return child


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url


def _popen_methods(refusals: ChildRefusals) -> Methods:
    original: Callable[..., None] = subprocess.Popen.__init__

    @wraps(original)
    def init(self: Any, *arguments: Any, **options: Any) -> None:
        if len(arguments) > _ENV:
            given = refusals.environment(arguments[_ENV])
            arguments = (*arguments[:_ENV], given, *arguments[_ENV + 1 :])
        else:
            options["env"] = refusals.environment(options.get("env"))
        original(self, *arguments, **options)
        refusals.started(self)

    return {"__init__": init}


def _uvloop_methods(refusals: ChildRefusals) -> Methods:
    """Return the methods of uvloop's loop that start processes, in libuv."""

    def given(original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        async def start(*arguments: Any, **options: Any) -> Any:
            options["env"] = refusals.environment(options.get("env"))
            return await original(*arguments, **options)

        return start

    own = guarded_loop()
    return {name: given(getattr(own, name)) for name in ("subprocess_exec", "subprocess_shell")}
