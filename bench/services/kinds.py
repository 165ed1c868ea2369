"""The kinds of services that a target's name may begin with, and what drives each."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from ...mocks.errors import TargetError
from ...mocks.scenario.diagnostics import listed
from ...mocks.scenario.request import RequestSpec
from ..strategies.protocol import Drives
from .asgi import AsgiService
from .wsgi import WsgiService


class OlderForm(NamedTuple):
    """A form that applications of an interface had before, and are not driven in.

    Attributes:
        arguments: How many arguments they took.
        found: What is wrong and what to do, in words.
    """

    arguments: int
    found: str


@dataclass(frozen=True, slots=True)
class ServiceKind:
    """An interface between servers and applications.

    Attributes:
        name: What a target's name begins with.
        interface: As it is called.
        drives: The form of session that it has.
        why_not: Why it has no other.
        build: Called with the target's name, the application and what a session asks; returns an
            object with the session, or an async context manager of one.
        positional: Names of the arguments that an application is called with.
        older: What applications were before, if they were something else.
    """

    name: str
    interface: str
    drives: Drives
    why_not: str
    build: Callable[[str, Any, RequestSpec], object]
    positional: tuple[str, ...]
    older: OlderForm | None = None

    @property
    def summary(self) -> str:
        """What it is, in one line."""
        return f"{self.article} {self.interface} application, driven in-process"

    @property
    def article(self) -> str:
        """The article before the interface's name."""
        return "an" if self.interface[0] in "AEIOU" else "a"


KINDS: Mapping[str, ServiceKind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            ServiceKind(
                "asgi",
                "ASGI",
                Drives.ASYNC,
                "an ASGI application runs on an event loop (gather, taskgroup, workers)",
                AsgiService,
                ("scope", "receive", "send"),
                OlderForm(
                    1,
                    "a callable of one argument, as ASGI 2 had it: wrap it, as "
                    "asgiref.compatibility.guarantee_single_callable does",
                ),
            ),
            ServiceKind(
                "wsgi",
                "WSGI",
                Drives.SYNC,
                "a WSGI application is plain code (sync, threads, executor)",
                lambda _name, app, spec: WsgiService(app, spec),
                ("environ", "start_response"),
            ),
        )
    }
)


class NamedService(NamedTuple):
    """A target that is a service.

    Attributes:
        kind: Its kind.
        spelled: Its application, as ``module:attribute``.
    """

    kind: ServiceKind
    spelled: str


def service_named(name: object) -> NamedService | None:
    """Return the service that a target's name names; ``None`` if it names none."""
    if not isinstance(name, str):
        return None
    prefix, _, spelled = name.partition(":")
    kind = KINDS.get(prefix)
    # A module may be called like a kind: asgi:build is a factory of one.
    return None if kind is None or ":" not in spelled else NamedService(kind, spelled)


def kinds_said() -> str:
    """Return how services are named, as the part of a message."""
    return listed(f"{name}:module:app" for name in KINDS)


def require_app(name: str, kind: ServiceKind, app: object) -> None:
    """Check that an object may be an application of a kind.

    Raises:
        TargetError: It cannot be called as one; the message says what to do.
    """
    wants = (
        f"{kind.article} {kind.interface} application, a callable of ({', '.join(kind.positional)})"
    )
    if not callable(app):
        raise TargetError(f"target {name!r}: expected {wants}, found {type(app).__name__}")
    if inspect.isclass(app):
        raise TargetError(
            f"target {name!r}: expected {wants}, found the class {app.__name__}: name an instance, "
            "as in app = " + f"{app.__name__}()"
        )
    signature = _signature_of(app)
    if signature is None or _takes(signature, len(kind.positional)):
        return
    older = kind.older
    if older is not None and _takes(signature, older.arguments) and not _takes(signature, 0):
        raise TargetError(f"target {name!r}: expected {wants}, found {older.found}")
    if _takes(signature, 0):
        variable = getattr(app, "__name__", "create_app")
        raise TargetError(
            f"target {name!r}: expected {wants}, found a factory, which is not called: make the "
            f"application in the module, as in app = {variable}(), and name that"
        )
    raise TargetError(f"target {name!r}: expected {wants}, found a callable of {signature}")


def looks_like_app(kind: ServiceKind, value: Any) -> bool:
    """Say whether something may be an application of a kind, and little else."""
    if not callable(value) or inspect.isclass(value) or inspect.isbuiltin(value):
        return False
    signature = _signature_of(value)
    return (
        signature is not None
        and _takes(signature, len(kind.positional))
        and not _takes(signature, len(kind.positional) - 1)
    )


def _signature_of(app: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(app)
    except (TypeError, ValueError):
        return None


def _takes(signature: inspect.Signature, count: int) -> bool:
    """Say whether something can be called with so many arguments."""
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True
