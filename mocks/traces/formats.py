"""The formats of traces: which there are, and which one a file has."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..errors import TraceError
from ..input_files import UnreadableError, bounded_lines, require_file, system_reason
from .azure import read_azure
from .burstgpt import read_burstgpt
from .coding_agent import read_coding_agent
from .mooncake import read_mooncake
from .opentelemetry import read_opentelemetry
from .trace import Trace, TraceOptions

FORMATS: Mapping[str, Callable[[Iterable[bytes], TraceOptions], Trace]] = {
    "coding-agent": read_coding_agent,
    "azure": read_azure,
    "opentelemetry": read_opentelemetry,
    "mooncake": read_mooncake,
    "burstgpt": read_burstgpt,
}
"""The reader of each format, by name."""

_OVER_OPENTELEMETRY = (
    "send its spans by OpenTelemetry to a collector with the file exporter, and import that file"
)
_FOREIGN: tuple[tuple[str, bytes], ...] = (
    ("LangSmith", b'"run_type"'),
    ("Langfuse", b'"observations"'),
    ("Langfuse", b'"GENERATION"'),
    ("Jaeger", b'"operationName"'),
)
"""What a file of another tool holds near its start."""

_SPANS = (
    *(b'"resourceSpans"', b'"batches"', b'"scopeSpans"', b'"instrumentationLibrarySpans"'),
    *(b'"spanId"', b'"span_id"'),
)
_GZIP = b"\x1f\x8b"
_MOST_BYTES = 1 << 31
_LONGEST_LINE_BYTES = 1 << 28
_SEEN_BYTES = 4096


def read_trace(path: Path, options: TraceOptions, format_name: str | None = None) -> Trace:
    """Read a trace, gzipped or not.

    Args:
        path: Path of the trace's file.
        options: Options of the reader.
        format_name: One of ``FORMATS``; by default recognised by the content of the file.

    Raises:
        TraceError: The file cannot be read, has no known format, or holds no usable session.
    """
    try:
        with _opened(path) as file:
            start = file.peek(_SEEN_BYTES)[:_SEEN_BYTES]
            name = format_name or _format_of(start)
            foreign = None if name else _tool_of(start)
            if foreign is not None:
                raise TraceError(f"{path}: an export of {foreign}: {_OVER_OPENTELEMETRY}")
            if name is None:
                raise TraceError(
                    f"{path}: expected a trace of format {', '.join(FORMATS)}; "
                    "found none of them at the start of the file; name the format with --format"
                )
            lines = bounded_lines(file.readline, _LONGEST_LINE_BYTES, _MOST_BYTES)
            trace = FORMATS[name](lines, options)
    except FileNotFoundError:
        raise TraceError(f"{path}: no such file") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TraceError(f"{path}: expected a complete gzip file: {error}") from None
    except UnreadableError as error:
        raise TraceError(f"{path}: {error.reason}") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise TraceError(f"{path}: cannot be read: {system_reason(error)}") from None
    if not trace.sessions:
        malformed = "; ".join(f"{count} {what}" for what, count in trace.malformed.items())
        raise TraceError(f"{path}: no usable session{f' ({malformed})' if malformed else ''}")
    return trace


@contextmanager
def _opened(path: Path) -> Iterator[io.BufferedReader | gzip.GzipFile]:
    """Yield a file, unpacked if it is packed; opened once, since it may be a pipe."""
    with path.open("rb") as file:
        require_file(file.fileno())
        if file.peek(len(_GZIP)).startswith(_GZIP):
            with gzip.open(file) as unpacked:
                yield unpacked
        else:
            yield file


def _format_of(start: bytes) -> str | None:
    first = start.lstrip(b"\xef\xbb\xbf \r\n\t")
    if first.startswith(b"TIMESTAMP,"):
        return "azure"
    if first.startswith(b"Timestamp,") and b"Request tokens" in first:
        return "burstgpt"
    if any(key in start for key in _SPANS):
        return "opentelemetry"
    if b'"input_length"' in start:
        return "mooncake"
    return "coding-agent" if first.startswith(b"{") and _tool_of(start) is None else None


def _tool_of(start: bytes) -> str | None:
    """Return the tool whose export a file is, if it is one that cannot be read."""
    return next((tool for tool, mark in _FOREIGN if mark in start), None)
