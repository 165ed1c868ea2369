"""The results file: a run as JSON, written whole or not at all, and read back strictly."""

import contextlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ..mocks.errors import RunFileError
from .record import SCHEMA_VERSION, Run

_MAKE_IT_AGAIN = "make the file again with `warpbench run`"
_LONGEST_VALUE = 60


def write_run(run: Run, path: Path | str) -> None:
    """Write a run to its results file, or leave the file as it was.

    A reader never sees half a file, and a run that is interrupted while it writes loses
    nothing that was written before: the text goes to a temporary file beside the results
    file, is flushed to the disk, and takes its place in one step.

    Args:
        run: The run.
        path: The results file; missing folders above it are made.

    Raises:
        ValueError: A number is NaN or infinite. JSON has no word for either, and such a
            number is a fault of whoever computed it; the message names its key.
        RunFileError: The file cannot be written.
    """
    document = asdict(run)
    key = _first_non_finite(document)
    if key is not None:
        raise ValueError(f"{key} is not a finite number; a results file cannot hold it")
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # A session's error may quote bytes that are no text; such characters become "?".
        _replace(target, text.encode("utf-8", errors="replace"))
    except OSError as error:
        raise RunFileError(
            f"{_name(target)}: cannot be written ({_reason(error)}); choose another folder"
        ) from error


def read_run(path: Path | str) -> Run:
    """Read a run from its results file.

    Args:
        path: The results file.

    Returns:
        The run, equal to the one that was written.

    Raises:
        RunFileError: The file is missing, is not JSON, was written by another schema, or
            holds something that does not belong there. One line: file, key, what to do.
    """
    file = Path(path)
    document = _parse(file)
    if not isinstance(document, dict):
        raise RunFileError(f"{_name(file)}: expected an object at the top; {_MAKE_IT_AGAIN}")
    version = document.get("schema_version")
    # `True == 1`, hence the comparison of types.
    if type(version) is not int or version != SCHEMA_VERSION:
        found = "nothing" if version is None else _short(version)
        raise RunFileError(
            f"{_name(file)}: schema_version: found {found}, this warpbench reads"
            f" {SCHEMA_VERSION}; read it with the version that wrote it, or {_MAKE_IT_AGAIN}"
        )
    try:
        # Through JSON once more: only then does strict validation take a list for a tuple
        # and a text for an enumeration, as JSON has neither.
        run = _adapter().validate_json(json.dumps(document), strict=True, extra="forbid")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise RunFileError(
            f"{_name(file)}: {_one_line(key)}: {_one_line(first['msg'])}, found"
            f" {_short(first['input'])}; {_MAKE_IT_AGAIN}"
        ) from error
    return run


@cache
def _adapter() -> TypeAdapter[Run]:
    """Build the validator at the first use: a command that reads no file pays nothing."""
    return TypeAdapter(Run)


def _parse(file: Path) -> object:
    """Read the file as JSON; numbers that are not finite are refused."""
    try:
        document: object = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunFileError(
            f"{_name(file)}: no such file; name a results file that `warpbench run` wrote"
        ) from error
    except OSError as error:
        raise RunFileError(
            f"{_name(file)}: cannot be read ({_reason(error)});"
            " name a results file that `warpbench run` wrote"
        ) from error
    except json.JSONDecodeError as error:
        raise RunFileError(
            f"{_name(file)}: not JSON (line {error.lineno}: {_one_line(error.msg)});"
            f" {_MAKE_IT_AGAIN}"
        ) from error
    except (ValueError, RecursionError) as error:  # bad UTF-8, endless digits, deep nesting
        raise RunFileError(
            f"{_name(file)}: not JSON ({_one_line(str(error))}); {_MAKE_IT_AGAIN}"
        ) from error
    key = _first_non_finite(document)
    if key is not None:
        raise RunFileError(
            f"{_name(file)}: {_one_line(key)}: not a finite number; {_MAKE_IT_AGAIN}"
        )
    return document


def _replace(target: Path, content: bytes) -> None:
    """Put the content in the target's place in one step."""
    # The process's number keeps two runs that share a folder apart.
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _first_non_finite(value: object, key: str = "") -> str | None:
    """Name the first NaN or infinity in a document of JSON's shape, or ``None``."""
    if isinstance(value, float):
        return None if math.isfinite(value) else key
    if isinstance(value, Mapping):
        children = ((str(name), child) for name, child in value.items())
    elif isinstance(value, list | tuple):
        children = ((str(index), child) for index, child in enumerate(value))
    else:
        return None
    for name, child in children:
        found = _first_non_finite(child, f"{key}.{name}" if key else name)
        if found is not None:
            return found
    return None


def _name(file: Path) -> str:
    """Name the file on one line, whatever it is called."""
    return _one_line(str(file))


def _reason(error: OSError) -> str:
    """Say what the operating system said."""
    return error.strerror or type(error).__name__


def _short(value: object) -> str:
    """Show a value that was found, on one line and not for ever."""
    text = json.dumps(value, default=str)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def _one_line(text: str) -> str:
    """Put a text on one line."""
    return "".join(character if character.isprintable() else " " for character in text)
