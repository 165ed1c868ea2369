"""Compiles the tables of a scenario's file: checks across keys, and fills in the defaults."""

import json
import keyword
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import NoReturn
from urllib.parse import urlsplit

from .diagnostics import DeclarationError, listed, shown, unknown
from .distributions import Constant
from .endpoints import EndpointKind, EndpointSpec
from .faults import FaultKind, FaultSpec
from .model import (
    NO_PREFILL,
    RESERVED_ARGUMENT,
    JsonType,
    ModelLimits,
    PrefillSpec,
    RoundSpec,
    Scenario,
    ServiceSpec,
    Timing,
    ToolCallSpec,
    ToolKind,
    ToolSpec,
)
from .recording import Recording
from .schema import (
    EndpointTable,
    FaultTable,
    ModelLimitsTable,
    ModelTable,
    RoundTable,
    ScenarioTable,
    ServiceTable,
    ToolCallTable,
    ToolTable,
)

_MAX_INTEGER = 2**53
"""Beyond this, JSON numbers no longer mean the same to every reader."""

ReadRecording = Callable[[str], Recording]

_WITHOUT_BODY = frozenset({204, 304})


def scenario_of(table: ScenarioTable, read_recording: ReadRecording) -> Scenario:
    """Return the scenario that a table declares.

    Args:
        table: The table of the whole file.
        read_recording: Reads the recording that the table names, if any.

    Raises:
        DeclarationError: The table contradicts itself.
        ScenarioError: The recording cannot be used.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", table.name):
        _invalid("up to 64 letters, digits, '.', '_' or '-'", shown(table.name), "name")
    if not table.description.isprintable():
        _invalid("one line of text", shown(table.description), "description")
    tools = {name: _tool(name, part) for name, part in table.tools.items()}
    recording = _recording(table, tools, read_recording)
    if recording is None and table.model is None:
        _invalid("the table [model]", "nothing", "model")
    if recording is None and not table.rounds:
        _invalid("at least one [[rounds]], or a [recording]", "neither", "rounds")
    model = table.model or ModelTable()
    return Scenario(
        name=table.name,
        description=table.description,
        sessions=table.sessions,
        concurrency=tuple(table.concurrency),
        tools=tools,
        rounds=tuple(_rounds(table, model, tools)),
        recording=recording,
        limits=_limits(model.limits),
        prefill=_prefill(model, table.rounds),
        faults=tuple(_fault(part, ("faults", index)) for index, part in enumerate(table.faults)),
        services=tuple(_services(table.services)),
        optional_tools=table.optional_tools,
        endpoints={kind: _endpoint(kind, part) for kind, part in table.endpoints.items()},
    )


def _recording(
    table: ScenarioTable, tools: Mapping[str, ToolSpec], read_recording: ReadRecording
) -> Recording | None:
    if table.recording is None:
        return None
    if table.rounds:
        _invalid("[[rounds]] or a [recording]", "both", "recording")
    recording = read_recording(table.recording.file)
    for name in sorted(recording.tool_names - tools.keys()):
        _invalid(f"a table [tools.{name}]: the recording calls it", "nothing", "tools", name)
    return recording


def _limits(table: ModelLimitsTable) -> ModelLimits:
    return ModelLimits(table.requests_per_minute, table.tokens_per_minute, table.concurrency)


def _prefill(model: ModelTable, rounds: list[RoundTable]) -> PrefillSpec:
    """Return how the model reads prompts: of declared tokens nobody knows which the cache has."""
    key = "prefix_cache" if model.prefill_tokens_per_s is None else "prefill_tokens_per_s"
    spec = PrefillSpec(model.prefill_tokens_per_s, model.prefix_cache)
    if spec == NO_PREFILL:
        return spec
    if not rounds:
        _invalid("[[rounds]]: a recording has the times that were measured", "none", "model", key)
    of_rounds = ((("rounds", index), each.prompt_tokens) for index, each in enumerate(rounds))
    for path, tokens in ((("model",), model.prompt_tokens), *of_rounds):
        if tokens is not None:
            expected = f"none beside {key}, for which they are counted from what was sent"
            _invalid(expected, "some", *path, "prompt_tokens")
    return spec


def _fault(table: FaultTable, path: tuple[str | int, ...]) -> FaultSpec:
    whens = (table.probability, table.sessions, table.steps, table.attempts)
    if all(when is None for when in whens):
        _invalid("one of probability, sessions, steps or attempts", "none of them", *path)
    is_status = table.kind is FaultKind.STATUS
    if is_status and table.status is None:
        _invalid("the status of a fault of kind status", "nothing", *path, "status")
    if table.kind is FaultKind.SLOW_DRIP and table.latency_s is None:
        _invalid("seconds by which the body is late", "nothing", *path, "latency_s")
    for key in ("status", "retry_after_s", "retry_after_ms"):
        if not is_status and getattr(table, key) is not None:
            _invalid("kind status", f"{table.kind}, which has none", *path, key)
    return FaultSpec(
        kind=table.kind,
        probability=1.0 if table.probability is None else table.probability,
        sessions=_set_of(table.sessions),
        steps=_set_of(table.steps),
        attempts=_set_of(table.attempts),
        status=table.status or 500,
        retry_after_s=table.retry_after_s,
        retry_after_ms=table.retry_after_ms,
        latency=table.latency_s or Constant(0),
        share=table.share,
    )


def _set_of(numbers: list[int] | None) -> frozenset[int] | None:
    return None if numbers is None else frozenset(numbers)


def _services(tables: list[ServiceTable]) -> Iterator[ServiceSpec]:
    names: set[str] = set()
    for index, table in enumerate(tables):
        path = ("services", index)
        if table.name in names:
            _invalid("a name of its own", f"{shown(table.name)} twice", *path, "name")
        names.add(table.name)
        if not _is_pattern(table.url):
            _invalid("a pattern as https://api.example.com/*", shown(table.url), *path, "url")
        if table.body is not None and table.json_body is not None:
            _invalid("body or json", "both", *path, "body")
        is_json = table.json_body is not None
        if table.status in _WITHOUT_BODY and (is_json or table.body):
            _invalid(f"no body, since status {table.status} has none", "one", *path, "body")
        yield ServiceSpec(
            name=table.name,
            url=table.url,
            method=None if table.method is None else table.method.upper(),
            latency=table.latency_s,
            status=table.status,
            headers={"content-type": "application/json", **table.headers}
            if is_json
            else table.headers,
            body=_json_text(table.json_body, path) if is_json else table.body or "",
            faults=tuple(
                _fault_of_service(part, (*path, "faults", position))
                for position, part in enumerate(table.faults)
            ),
        )


def _endpoint(kind: EndpointKind, table: EndpointTable) -> EndpointSpec:
    return EndpointSpec(
        latency=table.latency_s or Constant(kind.latency_s),
        faults=tuple(
            _fault_of_service(part, ("endpoints", kind, "faults", position))
            for position, part in enumerate(table.faults)
        ),
    )


def _is_pattern(url: str) -> bool:
    try:
        return bool(re.fullmatch(r"https?://[^/\s]+(/\S*)?", url)) and bool(urlsplit(url).netloc)
    except ValueError:  # brackets that hold no address
        return False


def _json_text(value: object, path: tuple[str | int, ...]) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        _invalid("values that JSON has (no dates, no nan)", "another value", *path, "json")


def _fault_of_service(table: FaultTable, path: tuple[str | int, ...]) -> FaultSpec:
    if table.kind.alters_answer:
        kinds = [kind for kind in FaultKind if not kind.alters_answer]
        _invalid(listed(kinds), f"{table.kind}, which a service cannot have", *path, "kind")
    when = "probability or attempts"
    for key in ("sessions", "steps"):
        if getattr(table, key) is not None:
            _invalid(when, f"{key}, which a service does not know", *path, key)
    if table.probability is None and table.attempts is None:
        _invalid(when, "neither", *path)
    return _fault(table, path)


def _tool(name: str, table: ToolTable) -> ToolSpec:
    # What the API of the model accepts as the name of a function.
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        _invalid("a name of up to 64 letters, digits, '_' or '-'", shown(name), "tools", name)
    for parameter in table.parameters:
        path = ("tools", name, "parameters", parameter)
        if parameter == RESERVED_ARGUMENT:
            _invalid("another name", f"{shown(parameter)}, which the lab adds itself", *path)
        named = parameter.isidentifier() and not keyword.iskeyword(parameter)
        if not named or len(parameter) > 64:  # noqa: PLR2004 - as for tools
            _invalid("a Python identifier of up to 64 characters", shown(parameter), *path)
    if table.in_coroutine and table.kind is ToolKind.ASYNC:
        expected = "kind blocking or cpu: an async tool is a coroutine already"
        _invalid(expected, shown(table.kind.value), "tools", name, "in_coroutine")
    return ToolSpec(
        name,
        table.description,
        table.kind,
        table.latency_s,
        table.parameters,
        in_coroutine=table.in_coroutine,
    )


def _rounds(
    table: ScenarioTable, model: ModelTable, tools: Mapping[str, ToolSpec]
) -> Iterator[RoundSpec]:
    last = len(table.rounds) - 1
    for index, part in enumerate(table.rounds):
        path = ("rounds", index)
        if index == last and part.tools:
            _invalid(
                "no tools in the last round, the final answer", len(part.tools), *path, "tools"
            )
        if index < last and not part.tools:
            _invalid("tools in every round but the last", "none", *path, "tools")
        if index == last and part.repeat != Constant(1):
            _invalid("no repeat of the last round, the final answer", "one", *path, "repeat")
        yield RoundSpec(
            timing=_timing(model, part, path),
            prompt_tokens=part.prompt_tokens or model.prompt_tokens,
            completion_tokens=part.completion_tokens or model.completion_tokens,
            tool_calls=tuple(
                _tool_call(call, tools, (*path, "tools", position))
                for position, call in enumerate(part.tools)
            ),
            repeat=part.repeat,
        )


def _timing(model: ModelTable, part: RoundTable, path: tuple[str | int, ...]) -> Timing:
    """Return the timing of a round: its own latency or gap replaces both of the model's."""
    own = part.latency_s is not None or part.gap_s is not None
    latency, gap = (part.latency_s, part.gap_s) if own else (model.latency_s, model.gap_s)
    ttft = part.ttft_s or model.ttft_s
    where = path if own else ("model",)
    if latency is not None and gap is not None:
        _invalid("latency_s or gap_s, which each say when an answer ends", "both", *where)
    if latency is None and gap is None:
        _invalid("latency_s, or ttft_s and gap_s", "neither", *where, "latency_s")
    if gap is not None and ttft is None:
        _invalid("ttft_s beside gap_s", "nothing", *where, "ttft_s")
    return Timing(latency, ttft, gap, model.tokens_per_chunk)


def _tool_call(
    table: ToolCallTable, tools: Mapping[str, ToolSpec], path: tuple[str | int, ...]
) -> ToolCallSpec:
    tool = tools.get(table.tool)
    if tool is None:
        declared = listed(tools) if tools else "a tool declared under [tools]"
        _invalid(declared, unknown(table.tool, tools), *path, "tool")
    for name, value in table.arguments.items():
        argument_path = (*path, "arguments", name)
        if name not in tool.parameters:
            expected = listed(tool.parameters) if tool.parameters else "no arguments"
            found = f"the unknown argument {unknown(name, tool.parameters)}"
            _invalid(expected, found, *argument_path)
        expected_type = tool.parameters[name]
        if not _is_json(value, expected_type):
            _invalid(f"a JSON {expected_type}", shown(value), *argument_path)
    for name, expected_type in tool.parameters.items():
        if name not in table.arguments:
            _invalid(f"a JSON {expected_type}", "nothing", *path, "arguments", name)
    return ToolCallSpec(tool, table.arguments, table.latency_s or tool.latency)


def _is_json(value: object, expected: JsonType) -> bool:
    """Return whether a TOML value has a JSON type; NaN and infinity have none."""
    match value:
        case bool():
            return expected is JsonType.BOOLEAN
        case int():
            in_range = abs(value) <= _MAX_INTEGER
            return in_range and expected in {JsonType.INTEGER, JsonType.NUMBER}
        case float():
            return math.isfinite(value) and expected is JsonType.NUMBER
        case str():
            return expected is JsonType.STRING
    return False


def _invalid(expected: str, found: object, *path: str | int) -> NoReturn:
    raise DeclarationError(f"expected {expected}, found {found}", path)
