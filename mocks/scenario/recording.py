"""Recordings: recorded sessions, to be replayed one by one.

A recording is a file of JSON lines, gzipped. The first line names the format, each other
line is one session: when it started, and its model calls with their latencies and the tools
that they asked for. ``warpbench import trace`` makes a recording of other formats.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import ScenarioError
from ..input_files import (
    UnreadableError,
    bounded_lines,
    parse_json,
    require_file,
    system_reason,
)
from ..printable import clipped
from .bounds import MAX_LATENCY_S, MAX_TOKENS

FORMAT_VERSION = 1
_HEADER = {"warpbench_recording": FORMAT_VERSION}
_MAX_LINE_BYTES = 1 << 28
_MAX_BYTES = 1 << 31
_LONGEST_KEY = 200
_NOTHING_ELSE = {"extra": "forbid"}  # a ConfigDict of pydantic


@dataclass(frozen=True, slots=True)
class RecordedToolCall:
    """A tool that an answer asked for.

    Attributes:
        tool: Name of the tool.
        latency_s: Seconds of the call; of a nested agent, the time before its session.
        session: What a nested agent did, if the tool was one.
    """

    tool: str
    latency_s: float
    session: "RecordedSession | None" = None

    __pydantic_config__ = _NOTHING_ELSE


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A model call.

    Attributes:
        latency_s: Seconds from the request to the end of the answer.
        ttft_s: Seconds to the first token, if that was recorded.
        prompt_tokens: Tokens that the model read.
        completion_tokens: Tokens that the model wrote.
        tools: What the answer asked for; of all answers but the last, at least one.
    """

    latency_s: float
    prompt_tokens: int
    completion_tokens: int
    tools: tuple[RecordedToolCall, ...] = ()
    ttft_s: float | None = None

    __pydantic_config__ = _NOTHING_ELSE


@dataclass(frozen=True, slots=True)
class RecordedSession:
    """A session: its start, in seconds since the start of the recording, and its model calls."""

    start_s: float
    calls: tuple[RecordedCall, ...]

    __pydantic_config__ = _NOTHING_ELSE


@dataclass(frozen=True, slots=True)
class Recording:
    """The sessions of a recording, in the order of their starts."""

    sessions: tuple[RecordedSession, ...]

    @property
    def widest_answer(self) -> int:
        """The greatest number of tool calls in one answer."""
        return max(
            (len(call.tools) for session in self.sessions for call in session.calls), default=0
        )

    @property
    def tool_names(self) -> frozenset[str]:
        """The names of the tools that are called, including those of nested sessions."""
        return frozenset(name for session in self.sessions for name in _tool_names(session))


def recording_bytes(sessions: Sequence[RecordedSession]) -> bytes:
    """Return the content of a recording's file; the same for the same sessions."""
    lines = [_HEADER, *(_without_defaults(asdict(session)) for session in sessions)]
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    return gzip.compress(text.encode(), mtime=0)


def read_recording(path: Path) -> Recording:
    """Read a recording.

    Raises:
        ScenarioError: The file cannot be read or is no recording; the message names file and line.
    """
    try:
        with path.open("rb") as raw:
            require_file(raw.fileno())
            with gzip.open(raw) as file:
                lines = bounded_lines(file.readline, _MAX_LINE_BYTES, _MAX_BYTES)
                sessions = tuple(_sessions(path, lines))
    except FileNotFoundError:
        raise ScenarioError(f"{path}: expected a recording, found no such file") from None
    except UnreadableError as error:
        raise ScenarioError(f"{path}: {error.reason}") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ScenarioError(f"{path}: expected a gzipped recording: {error}") from None
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {system_reason(error)}") from None
    except ValueError:  # a name that no file can have
        raise ScenarioError(f"{str(path)!r}: expected the path of a recording") from None
    if not sessions:
        raise ScenarioError(f"{path}: expected at least one session, found none")
    return Recording(sessions)


def _sessions(path: Path, lines: Iterator[bytes]) -> Iterator[RecordedSession]:
    try:
        header = parse_json(next(lines, b""))
    except UnreadableError:
        header = None
    if header != _HEADER:
        raise ScenarioError(
            f"{path}: expected a recording of format {FORMAT_VERSION}, as `warpbench import "
            "trace` writes them"
        )
    # It takes a third of a second to import, which a command that reads no scenario does not need.
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415

    adapter = TypeAdapter(RecordedSession)
    for number, line in enumerate(lines, 2):
        try:
            session = adapter.validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = clipped(".".join(str(part) for part in first["loc"]), _LONGEST_KEY)
            problem = clipped(first["msg"], _LONGEST_KEY)
            raise ScenarioError(f"{path}: line {number}: {where}: {problem}") from None
        _check(path, number, session)
        yield session


def _check(path: Path, number: int, session: RecordedSession) -> None:
    where = f"{path}: line {number}"
    if not 0 <= session.start_s <= MAX_LATENCY_S:
        raise ScenarioError(f"{where}: start_s: expected 0 to {MAX_LATENCY_S:.0f} seconds")
    if not session.calls:
        raise ScenarioError(f"{where}: expected at least one model call, found none")
    for index, call in enumerate(session.calls):
        is_last = index == len(session.calls) - 1
        if is_last == bool(call.tools):
            expected = "no tools in the last answer" if is_last else "tools in all answers but one"
            raise ScenarioError(f"{where}: calls[{index}]: expected {expected}")
        waits_s = [call.latency_s, call.ttft_s or 0, *(tool.latency_s for tool in call.tools)]
        if not all(0 <= wait_s <= MAX_LATENCY_S for wait_s in waits_s):
            expected = f"expected waits of 0 to {MAX_LATENCY_S:.0f} seconds"
            raise ScenarioError(f"{where}: calls[{index}]: {expected}")
        counts = (call.prompt_tokens, call.completion_tokens)
        if not all(0 <= count <= MAX_TOKENS for count in counts):
            raise ScenarioError(f"{where}: calls[{index}]: expected 0 to {MAX_TOKENS} tokens")
        for tool in call.tools:
            if tool.session is not None:
                _check(path, number, tool.session)


def _tool_names(session: RecordedSession) -> Iterator[str]:
    for call in session.calls:
        for tool in call.tools:
            yield tool.tool
            if tool.session is not None:
                yield from _tool_names(tool.session)


def _without_defaults(value: object) -> object:
    if isinstance(value, dict):
        kept = {key: _without_defaults(part) for key, part in value.items()}
        return {key: part for key, part in kept.items() if part is not None and part != []}
    if isinstance(value, list | tuple):
        return [_without_defaults(part) for part in value]
    return value
