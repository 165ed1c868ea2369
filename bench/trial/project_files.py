"""The files of the project that a process depends on: the modules it imported, the files it read.

What is installed has a version, and is left out; so is Python. The lab's own modules count where
they are a checkout.
"""

import hashlib
import os
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from ..instruments.code_origin import Origin, origin_of

_WRITES = ("w", "a", "x", "+")
_COMPILED = ("__pycache__", ".pyc")


class ProjectFiles:
    """Notes from now on which files below the current directory this process reads.

    It does so by an audit hook, which stays: for a process of its own.
    """

    def __init__(self) -> None:
        self._since_ns = time.time_ns()
        self._folder = f"{Path.cwd()}{os.sep}"
        self._read: dict[str, None] = {}
        self._is_unsure = False
        sys.addaudithook(self._hook)

    def digests(self) -> dict[str, str] | None:
        """Return the files with a digest of each; ``None`` if one has changed since, or is written.

        Such a file says nothing of what the process found in it.
        """
        files = dict.fromkeys((*_modules(), *self._read))
        found = digests_of(files)
        return None if self._is_unsure or found is None or self._changed(files) else found

    def _changed(self, files: Iterable[str]) -> bool:
        return any(Path(file).stat().st_mtime_ns >= self._since_ns for file in files)

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if event != "open":
            return
        path, mode = arguments[0], arguments[1]
        if not isinstance(path, str) or mode is None:  # of a descriptor, or by `os.open`
            return
        file = path if path.startswith("/") else self._folder + path.removeprefix("./")
        if not file.startswith(self._folder) or any(part in file for part in _COMPILED):
            return
        if origin_of(file) is Origin.PACKAGE:
            return
        if any(letter in str(mode) for letter in _WRITES):
            self._is_unsure = True
        elif Path(file).is_file():
            self._read[file] = None


def digests_of(files: Iterable[str]) -> dict[str, str] | None:
    """Return a digest of each file's content; ``None`` if one cannot be read."""
    try:
        return {file: hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in files}
    except OSError:
        return None


def are_unchanged(digests: Mapping[str, str]) -> bool:
    """Return whether files have the content of which these are the digests."""
    return digests_of(digests) == dict(digests)


def _modules() -> Iterable[str]:
    """Yield the files of the imported modules that are neither installed nor Python's own."""
    for module in list(sys.modules.values()):
        file = None
        with suppress(Exception):  # a module may be any object
            file = getattr(module, "__file__", None)
        if isinstance(file, str) and _is_of_project(file):
            yield str(Path(file).absolute())


def _is_of_project(file: str) -> bool:
    return origin_of(file) in {Origin.OWN, Origin.LAB} and Path(file).is_file()
