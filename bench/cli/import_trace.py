"""What ``warpbench import trace`` does: makes a scenario out of a recording of real traffic."""

import re
import sys
from pathlib import Path

from ...mocks.errors import TraceError, UsageError
from ...mocks.scenario import load_scenario
from ...mocks.scenario.recording import recording_bytes
from ...mocks.traces import (
    SubagentForm,
    TokenModel,
    Trace,
    TraceOptions,
    fitted_scenario,
    read_trace,
    replayed_scenario,
)
from ..results.json_file import write_text, write_whole
from .commands.import_trace import TraceImport
from .exit_status import DONE
from .options import FileMessages

_HOUR_S = 3600


def import_trace(source: Path, options: TraceImport, messages: FileMessages) -> int:
    """Make a scenario of a trace; return the exit status.

    Raises:
        UsageError: The trace cannot be read, or the scenario cannot be written.
    """
    output = options.out
    name = re.sub(r"[^A-Za-z0-9._-]", "-", output.stem).strip(".-_")[:64]
    if output.suffix != ".toml" or not name:
        raise UsageError(f"--out {str(output)!r}: expected the name of a .toml file")
    trace = read_trace(source, _options(options), options.format)
    if options.fit:
        text = fitted_scenario(trace, name, source.name)
    else:
        recording = output.with_name(f"{output.stem}.sessions.jsonl.gz")
        text = replayed_scenario(trace, name, source.name, recording.name)
        write_whole(recording, recording_bytes(trace.sessions), TraceError)
    write_text(output, text, TraceError)
    load_scenario(str(output.parent / output.name))
    _tell(trace, output, messages)
    return DONE


def _options(options: TraceImport) -> TraceOptions:
    return TraceOptions(
        subagents=SubagentForm(options.subagents),
        tokens=TokenModel(options.overhead, options.prompt_rate, options.completion_rate),
        sessions=options.sessions,
    )


def _tell(trace: Trace, output: Path, messages: FileMessages) -> None:
    calls = trace.calls
    model_h = sum(call.latency_s for call in calls) / _HOUR_S
    lines = [
        f"{len(trace.sessions):,} sessions, {len(calls):,} model calls, {model_h:,.1f} h of them",
        *(f"{count:,} {what}" for what, count in sorted(trace.malformed.items())),
    ]
    if not messages.quiet:
        lines.append(f"{output}: run it with `warpbench run {output}`")
    sys.stdout.write("\n".join(lines) + "\n")
