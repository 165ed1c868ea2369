"""Calls a function as soon as a package is there: now, or when somebody imports it.

A client's package is patched where it is in use, and no other is loaded for it.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Opens = Callable[[], None]


@contextmanager
def when_imported(opens: Mapping[str, Opens]) -> Iterator[None]:
    """Call each function once its package is imported, in this scope.

    Args:
        opens: The functions, by the names of the packages.
    """
    waiting = dict(opens)
    for package in list(waiting):
        if package in sys.modules:
            waiting.pop(package)()
    finder = _Finder(waiting)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder(MetaPathFinder):
    """Finds the packages that are waited for as the other finders do."""

    def __init__(self, waiting: dict[str, Opens]) -> None:
        self._waiting = waiting

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how a package is loaded; ``None`` for all that are not waited for."""
        if fullname not in self._waiting:
            return None
        for finder in sys.meta_path:
            if isinstance(finder, _Finder):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _Loading(spec.loader, self._waiting)
                return spec
        return None


class _Loading(Loader):
    """Loads a package as its own loader does, and calls the function then."""

    def __init__(self, loader: Loader, waiting: dict[str, Opens]) -> None:
        self._loader = loader
        self._waiting = waiting

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Return the module that its own loader makes."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Load it."""
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        opens = self._waiting.pop(module.__name__, None)
        if opens is not None:
            opens()
