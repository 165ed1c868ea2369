"""Scripts that take no time: what is played before anything is measured. Pure."""

from dataclasses import replace

from .script import ModelCallScript, SessionScript


def without_waits(script: SessionScript) -> SessionScript:
    """Return a script whose calls and tools take no time, and meet no faults."""
    return replace(script, model_calls=tuple(without_wait(call) for call in script.model_calls))


def without_wait(call: ModelCallScript) -> ModelCallScript:
    """Return a call that takes no time, nor do its tools, and that meets no faults."""
    tool_calls = tuple(replace(tool, latency_ns=0, session=None) for tool in call.tool_calls)
    return replace(
        call, latency_ns=0, tool_calls=tool_calls, ttft_ns=None, gaps=None, pieces=1, faults=()
    )
