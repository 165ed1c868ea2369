"""Reads spans from JSON, in whichever envelope they come.

Read are OTLP (``{"resourceSpans": …}``, as collectors and exporters write it, one document or one
a line), what Grafana Tempo answers (``{"batches": …}``, and ``{"trace": {"resourceSpans": …}}``),
and the objects that the Python SDK's console exporter prints.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from ..scenario.bounds import MAX_LATENCY_S
from .dialects import SpanKind, kind_of

LONGEST_NS = round(MAX_LATENCY_S * 1e9)
"""Nanoseconds that a span may last."""

_NOT_JSON = "text that is not JSON: left out"

_RESOURCES = frozenset({"resourceSpans", "batches"})
# Before version 0.15 of OTLP, scopes were libraries.
_SCOPES = frozenset({"scopeSpans", "instrumentationLibrarySpans"})

Key = tuple[str, str]
"""What names a span: identifiers of spans are unique in their trace, and only there."""


@dataclass(frozen=True)
class Span:
    """A span: its place in its trace, its times and what it says of itself."""

    trace: str
    span: str
    parent: str
    name: str
    start_ns: int
    end_ns: int
    attributes: Mapping[str, Any]

    @property
    def key(self) -> Key:
        """What names it."""
        return (self.trace, self.span)

    @property
    def above(self) -> Key:
        """What names the span above it."""
        return (self.trace, self.parent)

    @cached_property
    def kind(self) -> SpanKind:
        """What it records."""
        return kind_of(self.name, self.attributes)


def read_spans(lines: Iterable[bytes], malformed: Counter[str]) -> dict[Key, Span]:
    """Read the spans of a file; what cannot be read is counted."""
    spans: dict[Key, Span] = {}
    for span in _spans(_documents(lines, malformed), malformed):
        if span.key in spans:
            malformed["spans with the identifiers of another: left out"] += 1
        else:
            spans[span.key] = span
    return spans


def _documents(lines: Iterable[bytes], malformed: Counter[str]) -> Iterator[Any]:
    """Yield the JSON documents of a file: one a line, or one over all its lines."""
    whole: list[bytes] = []
    is_one_a_line = False
    for line in lines:
        if not whole and line.strip():
            try:
                yield json.loads(line)
                is_one_a_line = True
            except (ValueError, RecursionError):
                if is_one_a_line:
                    malformed[_NOT_JSON] += 1
                else:
                    whole.append(line)
        elif whole:
            whole.append(line)
    text = b"".join(whole).decode("utf-8", errors="replace")
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            document, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            malformed[_NOT_JSON] += 1
            return
        yield document


def _spans(documents: Iterable[Any], malformed: Counter[str]) -> Iterator[Span]:
    for document in documents:
        for raw in _raw_spans(document):
            span = _span_of(raw)
            if span is None:
                malformed["spans without identifiers or times: left out"] += 1
            else:
                yield span


def _raw_spans(document: Any) -> Iterator[Any]:
    if isinstance(document, list):
        for part in document:
            yield from _raw_spans(part)
    elif isinstance(document, dict) and isinstance(document.get("trace"), dict):
        yield from _raw_spans(document["trace"])
    elif isinstance(document, dict) and not _RESOURCES.isdisjoint(document):
        for name in sorted(_RESOURCES):
            for resource in _list_in(document, name):
                for scopes in sorted(_SCOPES):
                    for scope in _list_in(resource, scopes):
                        yield from _list_in(scope, "spans")
    else:
        yield document


def _list_in(container: Any, key: str) -> list[Any]:
    found = container.get(key) if isinstance(container, dict) else None
    return found if isinstance(found, list) else []


def _span_of(raw: Any) -> Span | None:
    if not isinstance(raw, dict):
        return None
    try:
        if "context" in raw:  # as the SDK's console exporter prints it
            context = raw["context"]
            span = Span(
                trace=str(context["trace_id"]),
                span=str(context["span_id"]),
                parent=str(raw.get("parent_id") or ""),
                name=str(raw.get("name") or ""),
                start_ns=_iso_ns(raw["start_time"]),
                end_ns=_iso_ns(raw["end_time"]),
                attributes=dict(raw.get("attributes") or {}),
            )
        else:
            span = Span(
                trace=str(raw["traceId"]),
                span=str(raw["spanId"]),
                parent=str(raw.get("parentSpanId") or ""),
                name=str(raw.get("name") or ""),
                start_ns=_nanoseconds(raw["startTimeUnixNano"]),
                end_ns=_nanoseconds(raw["endTimeUnixNano"]),
                attributes={
                    item["key"]: _value_of(item["value"]) for item in raw.get("attributes") or ()
                },
            )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None
    # A time of 0 was never set.
    is_timed = span.start_ns > 0 and 0 <= span.end_ns - span.start_ns <= LONGEST_NS
    return span if is_timed else None


def _nanoseconds(value: object) -> int:
    if isinstance(value, str) and len(value) > 30:  # noqa: PLR2004 - int() is quadratic
        raise ValueError(value[:30])
    return int(str(value))


def _iso_ns(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1e6) * 1_000


def _value_of(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    return int(content) if kind == "intValue" else content
