"""JSON files that are written whole or not at all, and read back strictly."""

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from ...mocks.errors import UsageError
from ...mocks.input_files import (
    UnreadableError,
    file_name,
    parse_json,
    read_content,
    system_reason,
)
from ...mocks.printable import clipped
from ...mocks.redaction import redact, redacted
from .encoding import encoded_by_lines, first_non_finite

T = TypeVar("T")
Upgrade = Callable[[dict[str, Any]], dict[str, Any]]
"""Returns a document of one schema as one of the next, but for its ``schema_version``."""

_LONGEST_VALUE = 60
_LONGEST_KEY = 200
_GREATEST = 1e21
"""More nanoseconds than thirty thousand years have."""

_MOST_BYTES = 1 << 29
_INDENT = "  "


@dataclass(frozen=True, slots=True)
class JsonFile:
    """One kind of file: how it is written, and how its faults are reported.

    Attributes:
        written_by: The command that writes it.
        schema_version: Version of its layout that this warpbench reads and writes.
        error: What is raised for a file that cannot be used.
        most_bytes: Its greatest size.
        older: For each older version that is read: what makes of its document one of the next.
    """

    written_by: str
    schema_version: int
    error: type[UsageError]
    older: Mapping[int, Upgrade] = field(default_factory=dict)
    most_bytes: int = _MOST_BYTES

    def write(self, document: Mapping[str, Any], path: Path | str) -> None:
        """Write a document, or leave the file as it was.

        A reader never sees half a file, and a process that is interrupted while it writes
        loses nothing that was written before: the text goes to a temporary file beside the
        target, is flushed to the disk, and takes its place in one step.

        Raises:
            ValueError: A number is NaN or infinite. JSON has no word for either, and such a
                number is a fault of whoever computed it; the message names its key.
            UsageError: The file cannot be written.
        """
        key = first_non_finite(document)
        if key is not None:
            raise ValueError(f"{key} is not a finite number; a results file cannot hold it")
        text = _rendered(redacted(document)) + "\n"
        # A session's error may quote bytes that are no text; such characters become "?".
        write_whole(Path(path), text.encode("utf-8", errors="replace"), self.error)

    def write_value(self, value: object, path: Path | str) -> None:
        """Write a dataclass as ``write`` does a document, however much it holds.

        Raises:
            ValueError: As ``write``.
            UsageError: As ``write``.
        """
        write_pieces(Path(path), encoded_by_lines(redacted(value)), self.error)

    def read(self, path: Path | str, adapter: TypeAdapter[T]) -> T:
        """Read a file into values.

        Raises:
            UsageError: The file is missing, is not JSON, was written by another schema, or
                holds something that does not belong there. One line: file, key, what to do.
        """
        name = file_name(path)
        try:
            content = read_content(path, self.most_bytes)
        except UnreadableError as error:
            raise self.error(
                f"{name}: {error.reason}; name a file that `{self.written_by}` wrote"
            ) from error
        return self.parse(content, name, adapter)

    def parse(self, content: str | bytes, name: str, adapter: TypeAdapter[T]) -> T:
        """Read the content of a file into values.

        Args:
            content: Its text.
            name: What errors call it.
            adapter: Checks it.

        Raises:
            UsageError: As ``read``, but for a file that is missing.
        """
        document = self._document(content, name)
        if not isinstance(document, dict):
            raise self.error(f"{name}: expected an object at the top; {self._again}")
        document = self._upgraded(document, name)
        try:
            # Through JSON once more: only then does strict validation take a list for a tuple
            # and a text for an enumeration, as JSON has neither.
            return adapter.validate_json(json.dumps(document), strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            key = ".".join(str(part) for part in first["loc"])
            problem = clipped(first["msg"].removeprefix("Value error, "), _LONGEST_KEY)
            if first["type"] != "value_error":  # which says itself what it found
                problem += f", found {_short(first['input'])}"
            raise self.error(
                f"{name}: {clipped(key, _LONGEST_KEY)}: {problem}; {self._again}"
            ) from error

    def _upgraded(self, document: dict[str, Any], name: str) -> dict[str, Any]:
        """Return a document of any schema that can be read as one of the present."""
        version = document.get("schema_version")
        # `True == 1`, hence the comparison of types.
        if type(version) is not int or not (
            version == self.schema_version or version in self.older
        ):
            found = "nothing" if version is None else _short(version)
            known = ", ".join(map(str, sorted({*self.older, self.schema_version})))
            raise self.error(
                f"{name}: schema_version: found {found}, this warpbench reads"
                f" {known}; read it with the version that wrote it, or {self._again}"
            )
        try:
            while version != self.schema_version:
                document = self.older[version](document)
                version += 1
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise self.error(
                f"{name}: not a file of schema {version} ({type(error).__name__}:"
                f" {clipped(str(error), _LONGEST_KEY)}); {self._again}"
            ) from error
        return {**document, "schema_version": version}

    @property
    def _again(self) -> str:
        return f"make the file again with `{self.written_by}`"

    def _document(self, content: str | bytes, name: str) -> object:
        """Read JSON; numbers that are not finite, or greater than any measured one, are refused.

        With those, reports would fail where they compute: an axis of 1e308 seconds has no end.
        """
        try:
            document = parse_json(content)
        except UnreadableError as error:
            raise self.error(f"{name}: {error.reason}; {self._again}") from error
        key = first_non_finite(document, most=_GREATEST)
        if key is not None:
            shown = clipped(key, _LONGEST_KEY)
            raise self.error(
                f"{name}: {shown}: not a finite number up to {_GREATEST:g}; {self._again}"
            )
        return document


def _rendered(value: object, indent: str = "") -> str:
    """Return JSON with a line for each key, but a list of plain values on one line."""
    inner = indent + _INDENT
    if isinstance(value, Mapping) and value:
        lines = [f"{_plain(str(key))}: {_rendered(each, inner)}" for key, each in value.items()]
        opening, closing = "{", "}"
    elif isinstance(value, list | tuple) and not all(map(_is_plain, value)):
        lines = [_rendered(each, inner) for each in value]
        opening, closing = "[", "]"
    else:
        return _plain(value)
    return f"{opening}\n{inner}" + f",\n{inner}".join(lines) + f"\n{indent}{closing}"


def _is_plain(value: object) -> bool:
    return not isinstance(value, Mapping | list | tuple)


def _plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def write_text(target: Path, text: str, error: type[UsageError]) -> None:
    """Write a text without the secrets in it; else as ``write_whole``."""
    write_whole(target, redact(text).encode("utf-8", errors="replace"), error)


def write_whole(
    target: Path, content: bytes, error: type[UsageError], *, is_flushed: bool = True
) -> None:
    """Write a file, or leave it as it was; missing folders above it are made.

    Args:
        target: The file.
        content: What it is to hold.
        error: What is raised where it cannot be written.
        is_flushed: Whether it is to be on the disk at once, so that it outlasts a loss of power.

    Raises:
        UsageError: Of the given class: it cannot be written.
    """
    write_pieces(target, (content,), error, is_flushed=is_flushed)


def write_pieces(
    target: Path, pieces: Iterable[bytes], error: type[UsageError], *, is_flushed: bool = True
) -> None:
    """Write a file of pieces that are made as they are needed; else as ``write_whole``."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, pieces, is_flushed=is_flushed)
    except OSError as cause:
        raise error(
            f"{file_name(target)}: cannot be written ({system_reason(cause)}); "
            "choose another folder"
        ) from cause


def _replace(target: Path, pieces: Iterable[bytes], *, is_flushed: bool) -> None:
    """Put the pieces in the target's place in one step."""
    # The process's number keeps two runs that share a folder apart.
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.writelines(pieces)
            if is_flushed:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _short(value: object) -> str:
    """Show a value that was found, on one line and not for ever."""
    text = redact(json.dumps(value, default=str, ensure_ascii=False))
    return clipped(text, _LONGEST_VALUE)
