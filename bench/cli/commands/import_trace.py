"""``warpbench import trace``: a scenario out of a recording of real traffic."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from ....mocks.traces import SubagentForm, TokenModel
from .. import names
from ..options import OUTPUT, FileMessages
from ..values import Count, Duration, Rate, name

_DERIVED = Group.create_ordered("Where a trace has no latencies", sort_key=3)
_TOKENS = TokenModel()


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class TraceImport:
    """What ``import trace`` takes."""

    out: Annotated[
        Path,
        Parameter(
            name="--out",
            alias="-o",
            metavar="SCENARIO.toml",
            group=OUTPUT,
            help="The scenario to write.",
        ),
    ]
    fit: Annotated[
        bool,
        Parameter(
            show_default=False,
            help="Draw from the trace's quantiles, instead of replaying it row by row.",
        ),
    ] = False
    format: Annotated[
        str | None,
        name(names.trace_formats),
        Parameter(help=f"{', '.join(names.trace_formats())}. Default: by content."),
    ] = None
    subagents: Annotated[
        str,
        name(names.subagent_forms, "FORM"),
        Parameter(
            help="nested: tools that run a session of their own; parallel: further sessions."
        ),
    ] = SubagentForm.NESTED.value
    sessions: Annotated[Count | None, Parameter(help="Only the first N sessions.")] = None
    overhead: Annotated[
        Duration,
        Parameter(
            group=_DERIVED,
            help="Time before the prompt is read.",
            show_default=lambda seconds: f"{seconds:g}s",
        ),
    ] = _TOKENS.overhead_s
    prompt_rate: Annotated[Rate, Parameter(group=_DERIVED, help="Prompt tokens read a second.")] = (
        _TOKENS.prompt_tokens_per_s
    )
    completion_rate: Annotated[Rate, Parameter(group=_DERIVED, help="Tokens written a second.")] = (
        _TOKENS.completion_tokens_per_s
    )


def trace(
    file: Annotated[Path, Parameter(name="FILE", help="The trace, gzipped or not.")],
    /,
    *,
    options: TraceImport,
    messages: FileMessages = FileMessages(),
) -> int:
    """Make a scenario of a trace."""
    from ..import_trace import import_trace

    return import_trace(file, options, messages)
