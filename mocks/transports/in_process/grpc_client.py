"""gRPC, which sends in C: calls to other machines are refused, as by a server that is not there."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

from ...clock.patching import patched
from .connection import OpenWorld
from .own_senders import refused_to_send

_FORMS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
_SCHEMES_OF_THIS_MACHINE = ("unix:", "unix-abstract:", "vsock:")


@contextmanager
def refusing_grpc(opened: OpenWorld) -> Iterator[None]:
    """Refuse the calls over channels to other machines that are made in this scope.

    A channel is made as ever: that sends nothing.
    """
    grpc = importlib.import_module("grpc")
    aio = importlib.import_module("grpc.aio")
    with ExitStack() as patches:
        for name in ("insecure_channel", "secure_channel"):
            for owner, refusing in ((grpc, _refusing), (aio, _refusing_aio)):
                replacement = refusing(grpc, opened, getattr(owner, name))
                patches.enter_context(patched(owner, name, replacement))
        yield


def _refusing(grpc: Any, opened: OpenWorld, original: Callable[..., Any]) -> Callable[..., Any]:
    class Unavailable(grpc.RpcError):  # type: ignore[misc]
        def code(self) -> Any:
            return grpc.StatusCode.UNAVAILABLE

        def details(self) -> str:
            return str(self)

    @wraps(original)
    def channel(target: str, *args: Any, **options: Any) -> Any:
        made = original(target, *args, **options)
        url = _url_of(target)
        if url is None:
            return made

        def refuse(_interceptor: object, _continuation: object, details: Any, _sent: object) -> Any:
            refused = refused_to_send(opened, "gRPC", url + details.method)
            if refused is not None:
                raise Unavailable(str(refused)) from refused
            return _continuation(details, _sent)  # type: ignore[operator]

        return grpc.intercept_channel(made, _interceptor(grpc, refuse))

    return channel


def _refusing_aio(grpc: Any, opened: OpenWorld, original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def channel(target: str, *args: Any, interceptors: Any = None, **options: Any) -> Any:
        url = _url_of(target)

        async def refuse(
            _interceptor: object, continuation: Any, details: Any, sent: object
        ) -> Any:
            method = details.method
            path = method.decode() if isinstance(method, bytes) else method
            refused = refused_to_send(opened, "gRPC", (url or "") + path)
            if refused is None:
                return await continuation(details, sent)
            empty = grpc.aio.Metadata()
            unavailable = grpc.StatusCode.UNAVAILABLE
            raise grpc.aio.AioRpcError(unavailable, empty, empty, str(refused)) from refused

        if url is not None:
            added = [_interceptor(grpc.aio, refuse, form) for form in _FORMS]
            interceptors = [*added, *(interceptors or ())]
        return original(target, *args, interceptors=interceptors, **options)

    return channel


def _interceptor(owner: Any, refuse: Callable[..., Any], *forms: str) -> Any:
    """Return an interceptor of calls of some forms, or of all; asyncio's takes one form each."""
    chosen = forms or _FORMS
    names = ["".join(map(str.capitalize, form.split("_"))) for form in chosen]
    bases = tuple(getattr(owner, f"{name}ClientInterceptor") for name in names)
    return type("Refusing", bases, {f"intercept_{form}": refuse for form in chosen})()


def _url_of(target: str) -> str | None:
    """Return the address that a target stands for; ``None`` if it is a file of this machine."""
    if target.startswith(_SCHEMES_OF_THIS_MACHINE):
        return None
    return f"grpc://{target.rpartition('/')[2].removeprefix('ipv4:').removeprefix('dns:')}"
