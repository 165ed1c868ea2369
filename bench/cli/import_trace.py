"""``warpbench import trace``: a scenario out of a recording of real traffic."""

import argparse
import re
import sys
from pathlib import Path

from ...mocks.errors import TraceError, UsageError
from ...mocks.scenario import load_scenario
from ...mocks.scenario.recording import recording_bytes
from ...mocks.traces import (
    FORMATS,
    SubagentForm,
    TokenModel,
    Trace,
    TraceOptions,
    fitted_scenario,
    read_trace,
    replayed_scenario,
)
from ..results.json_file import write_whole
from ..runner.choices import one_of
from .options import optional_whole, positive_number

_HOUR_S = 3600


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add it to the command line."""
    parser = commands.add_parser("import", help="make a scenario of a recording of real traffic")
    kinds = parser.add_subparsers(title="what is imported", required=True, metavar="KIND")
    trace = kinds.add_parser(
        "trace", help="a trace: coding-agent sessions, Azure's CSV, OpenTelemetry spans"
    )
    trace.set_defaults(command=_import)
    trace.add_argument("file", metavar="FILE", help="the trace, gzipped or not")
    trace.add_argument(
        "-o", "--output", required=True, metavar="SCENARIO.toml", help="the scenario to write"
    )
    trace.add_argument(
        "--fit",
        action="store_true",
        help="draw from the trace's quantiles, instead of replaying it row by row",
    )
    trace.add_argument(
        "--format", metavar="NAME", help=f"{', '.join(FORMATS)}; default: by content"
    )
    trace.add_argument(
        "--subagents",
        default=SubagentForm.NESTED,
        metavar="FORM",
        help="nested: tools that run a session of their own; parallel: further sessions (nested)",
    )
    trace.add_argument("--sessions", metavar="N", help="only the first N sessions")
    defaults = TokenModel()
    for option, default, meaning in (
        ("--overhead", defaults.overhead_s, "seconds before the prompt is read"),
        ("--prompt-rate", defaults.prompt_tokens_per_s, "prompt tokens read a second"),
        ("--completion-rate", defaults.completion_tokens_per_s, "tokens written a second"),
    ):
        trace.add_argument(
            option,
            default=str(default),
            metavar="X",
            help=f"where a trace has no latencies: {meaning} ({default:g})",
        )


def _import(options: argparse.Namespace) -> int:
    source, output = Path(options.file), Path(options.output)
    name = re.sub(r"[^A-Za-z0-9._-]", "-", output.stem).strip(".-_")[:64]
    if output.suffix != ".toml" or not name:
        raise UsageError(f"--output {options.output!r}: expected the name of a .toml file")
    trace = read_trace(source, _options(options), _format(options.format))
    if options.fit:
        text = fitted_scenario(trace, name, source.name)
    else:
        recording = output.with_name(f"{output.stem}.sessions.jsonl.gz")
        text = replayed_scenario(trace, name, source.name, recording.name)
        write_whole(recording, recording_bytes(trace.sessions), TraceError)
    write_whole(output, text.encode(), TraceError)
    load_scenario(str(output.parent / output.name))
    _tell(trace, output)
    return 0


def _options(options: argparse.Namespace) -> TraceOptions:
    return TraceOptions(
        subagents=SubagentForm(one_of("--subagents", options.subagents, list(SubagentForm))),
        tokens=TokenModel(
            positive_number("--overhead", options.overhead),
            positive_number("--prompt-rate", options.prompt_rate),
            positive_number("--completion-rate", options.completion_rate),
        ),
        sessions=optional_whole("--sessions", options.sessions),
    )


def _format(name: str | None) -> str | None:
    return None if name is None else one_of("--format", name, FORMATS)


def _tell(trace: Trace, output: Path) -> None:
    calls = trace.calls
    model_h = sum(call.latency_s for call in calls) / _HOUR_S
    lines = [
        f"{len(trace.sessions):,} sessions, {len(calls):,} model calls, {model_h:,.1f} h of them",
        *(f"{count:,} {what}" for what, count in sorted(trace.malformed.items())),
        f"{output}: run it with `warpbench run {output}`",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
