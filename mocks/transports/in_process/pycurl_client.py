"""pycurl, which sends in C: requests to other machines are refused."""

import importlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from ...clock.patching import patched
from .connection import OpenWorld
from .own_senders import refused_to_send
from .refusing import refusal_text

_COULD_NOT_CONNECT = 7
"""libcurl's number of the error."""


@contextmanager
def refusing_pycurl(opened: OpenWorld) -> Iterator[None]:
    """Refuse what handles that are made in this scope ask of other machines."""
    pycurl = importlib.import_module("pycurl")
    with ExitStack() as patches:
        for name, kind in _refusing_kinds(pycurl, opened).items():
            patches.enter_context(patched(pycurl, name, kind))
        yield


def _refusing_kinds(pycurl: Any, opened: OpenWorld) -> dict[str, type]:
    """Return the classes in the place of those of pycurl: in C, they cannot be changed."""

    class Curl(pycurl.Curl):  # type: ignore[misc]
        # Not an attribute of the class: handles look there first, and never at their own.

        def setopt(self, option: int, value: Any) -> Any:
            if option == pycurl.URL:
                self._asked = value.decode() if isinstance(value, bytes) else value
            return super().setopt(option, value)

        def perform(self) -> Any:
            self.require_allowed()
            return super().perform()

        def perform_rb(self) -> Any:
            self.require_allowed()
            return super().perform_rb()

        def perform_rs(self) -> Any:
            self.require_allowed()
            return super().perform_rs()

        def require_allowed(self) -> None:
            asked = getattr(self, "_asked", "")
            url = asked if "://" in asked else f"http://{asked}"
            refused = refused_to_send(opened, "pycurl", url)
            if refused is not None:
                raise pycurl.error(_COULD_NOT_CONNECT, refusal_text(url)) from refused

    class CurlMulti(pycurl.CurlMulti):  # type: ignore[misc]
        def add_handle(self, handle: Any) -> Any:
            if isinstance(handle, Curl):
                handle.require_allowed()
            return super().add_handle(handle)

    return {"Curl": Curl, "CurlMulti": CurlMulti}
