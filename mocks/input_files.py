"""Reads the user's files of JSON and TOML: up to a size, up to a depth, or with one reason why not.

Every reader of such a file goes through here, so that one rule holds for all: a file is read
within a bound (a device never ends), and what it holds is nested within a bound (what walks
over it later would fail where nobody expects it). The reasons are of one line; who reads says
in front which file it is, and behind what to do.
"""

import json
import os
import re
import stat
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from .errors import UsageError
from .printable import clipped, printable

DEEPEST = 100
"""Tables and arrays that may be inside one another."""

_PIECE_BYTES = 1 << 20
_MOST_NAMED = 300
_MOST_QUOTED = 200
_CONFLICT = re.compile(rb"^(?:<{7}|>{7}) ", re.MULTILINE)


class UnreadableError(UsageError):
    """A file cannot be read, or not as what it should be.

    Attributes:
        reason: Why, on one line, without the name of the file.
        is_missing: Whether there is no such file.
    """

    def __init__(self, reason: str, *, is_missing: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_missing = is_missing


def file_name(path: Path | str) -> str:
    """Return how messages call a file, whatever its name holds."""
    return clipped(str(path), _MOST_NAMED)


def read_content(path: Path | str, most_bytes: int) -> bytes:
    """Read a file, which may be a pipe.

    Args:
        path: The file.
        most_bytes: Its greatest size.

    Raises:
        UnreadableError: It is missing, no file, larger, or the system refuses it.
    """
    try:
        with Path(path).open("rb") as file:
            require_file(file.fileno())
            return _up_to(iter(lambda: file.read(_PIECE_BYTES), b""), most_bytes)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UnreadableError("no such file", is_missing=True) from error
    except IsADirectoryError as error:
        raise UnreadableError("expected a file, found a directory") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise UnreadableError(f"cannot be read: {system_reason(error)}") from error


def require_file(descriptor: int) -> None:
    """Refuse a device: one that never ends would be read until the memory is full.

    Raises:
        UnreadableError: It is one.
    """
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        raise UnreadableError("expected a file, found a device")


def bounded_lines(
    read_line: Callable[[int], bytes], longest: int, most_bytes: int
) -> Iterator[bytes]:
    """Yield the lines of a file, which may be unpacked as it is read.

    Args:
        read_line: Reads a line, or as much of it as the number of bytes that it is given.
        longest: Bytes of a line, at most; of a longer one the rest is the next line.
        most_bytes: Bytes of all lines together.

    Raises:
        UnreadableError: There are more.
    """
    seen = 0
    while line := read_line(longest):
        seen += len(line)
        if seen > most_bytes:
            raise UnreadableError(f"expected at most {most_bytes} bytes, found more")
        yield line


def parse_json(content: bytes | str) -> object:
    """Read JSON.

    Raises:
        UnreadableError: It is not JSON, or nested too deeply.
    """
    text = _text(content, "JSON")
    try:
        document: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise _not("JSON", f"line {error.lineno}: {error.msg}", text) from error
    except ValueError as error:  # an integer of more digits than Python converts
        raise _not("JSON", str(error), text) from error
    except RecursionError as error:
        raise _not("JSON", "nested too deeply", text) from error
    _require_shallow(document)
    return document


def parse_toml(content: bytes | str) -> dict[str, object]:
    """Read TOML.

    Raises:
        UnreadableError: It is not TOML, or nested too deeply.
    """
    text = _text(content, "TOML")
    try:
        document: dict[str, object] = tomllib.loads(text)
    except ValueError as error:  # an integer too long to convert is no TOMLDecodeError
        raise _not("TOML", " ".join(str(error).split()), text) from error
    except RecursionError as error:
        raise _not("TOML", "nested too deeply", text) from error
    _require_shallow(document)
    return document


def system_reason(error: OSError | ValueError) -> str:
    """Return what the operating system said."""
    reason = error.strerror if isinstance(error, OSError) else None
    return printable(reason or str(error) or type(error).__name__)


def _up_to(pieces: Iterable[bytes], most_bytes: int) -> bytes:
    content = bytearray()
    for piece in pieces:
        content += piece
        if len(content) > most_bytes:
            raise UnreadableError(f"expected at most {most_bytes} bytes, found more")
    return bytes(content)


def _text(content: bytes | str, form: str) -> str:
    if isinstance(content, str):
        return content
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{content[error.start]:02x} in line {line}"
        raise UnreadableError(f"not {form} (expected UTF-8, found {found})") from error


def _not(form: str, why: str, text: str) -> UnreadableError:
    """Return the error of a text that is not of a form: often, two people changed it."""
    content = text.encode("utf-8", errors="replace")
    conflict = _CONFLICT.search(content)
    if conflict is not None:
        line = content.count(b"\n", 0, conflict.start()) + 1
        return UnreadableError(f"holds a merge conflict (line {line}): resolve it first")
    return UnreadableError(f"not {form} ({clipped(why, _MOST_QUOTED)})")


def _require_shallow(document: object) -> None:
    """Refuse what is nested deeper than those who walk over it may go."""
    level: list[object] = [document]
    for _ in range(DEEPEST):
        level = [
            child
            for value in level
            for child in (
                value.values()
                if isinstance(value, dict)
                else value
                if isinstance(value, list)
                else ()
            )
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise UnreadableError(f"nested too deeply: more than {DEEPEST} levels")
