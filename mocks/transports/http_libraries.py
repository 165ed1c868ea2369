"""The client libraries of httpx's kind that are installed here: httpx always, httpx2 perhaps.

Version 3 of the openai SDK sends by httpx2, and older ones by httpx. respx needs httpx.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from types import MappingProxyType, ModuleType


@dataclass(frozen=True, slots=True)
class HttpLibrary:
    """A client library, and the package with its pools of connections.

    Attributes:
        client: Name of the library.
        core: Name of the package below it.
    """

    client: str
    core: str

    @property
    def is_installed(self) -> bool:
        """Whether both can be imported."""
        return find_spec(self.client) is not None and find_spec(self.core) is not None

    def module(self) -> ModuleType:
        """Import the library."""
        return importlib.import_module(self.client)

    def core_module(self) -> ModuleType:
        """Import the package below it."""
        return importlib.import_module(self.core)


_HTTPX2 = HttpLibrary("httpx2", "httpcore2")
_HTTPX = HttpLibrary("httpx", "httpcore")

INSTALLED = tuple(library for library in (_HTTPX2, _HTTPX) if library.is_installed)
"""Those that are installed."""

CLIENTS: Mapping[str, str] = MappingProxyType(
    {each.core: each.client for each in INSTALLED}
    | {each.client: each.client for each in INSTALLED}
)
"""The library that uses a package with transports; these can be patched."""
