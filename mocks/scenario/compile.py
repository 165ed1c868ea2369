"""Compiles the tables of a scenario's file: checks across keys, and fills in the defaults."""

import json
import keyword
import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

from .compile_faults import fault_of
from .compile_request import request_of
from .compile_rounds import conversations_of, rounds_of
from .diagnostics import listed, refuse, shown, unknown
from .distributions import Constant, Distribution
from .endpoints import EndpointKind, EndpointSpec
from .faults import FaultKind, FaultSpec
from .model import (
    NO_PREFILL,
    RESERVED_ARGUMENT,
    ModelLimits,
    PrefillSpec,
    Scenario,
    ServiceSpec,
    ToolKind,
    ToolSpec,
)
from .recording import Recording
from .schema import (
    EndpointTable,
    FaultTable,
    ModelLimitsTable,
    ModelTable,
    ScenarioTable,
    ServiceTable,
    ToolTable,
)

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
        refuse("up to 64 letters, digits, '.', '_' or '-'", shown(table.name), "name")
    if not table.description.isprintable():
        refuse("one line of text", shown(table.description), "description")
    tools = {name: _tool(name, part) for name, part in table.tools.items()}
    recording = _recording(table, tools, read_recording)
    if recording is None and table.model is None:
        refuse("the table [model]", "nothing", "model")
    if recording is None and not table.rounds:
        refuse("at least one [[rounds]], or a [recording]", "neither", "rounds")
    model = table.model or ModelTable()
    _require_known(table)
    return Scenario(
        name=table.name,
        description=table.description,
        sessions=table.sessions,
        concurrency=tuple(table.concurrency),
        tools=tools,
        rounds=tuple(rounds_of(table.rounds, model, tools, ("rounds",))),
        recording=recording,
        limits=_limits(model.limits),
        prefill=_prefill(model, table),
        faults=tuple(fault_of(part, ("faults", index)) for index, part in enumerate(table.faults)),
        services=tuple(_services(table.services)),
        optional_tools=table.optional_tools,
        endpoints={kind: _endpoint(kind, part) for kind, part in table.endpoints.items()},
        conversations=tuple(conversations_of(table.conversations, model, tools)),
        max_model_calls=table.max_model_calls,
        provenance=table.provenance,
        shared=tuple(table.isolation.shared),
        request=request_of(table.request, 1 + sum(part.turn for part in table.rounds)),
    )


def _require_known(table: ScenarioTable) -> None:
    """Check that what sessions share is a tool, a service or a kind of conversation."""
    known = [
        *table.tools,
        *(each.name for each in table.services),
        *(each.name for each in table.conversations),
    ]
    for index, name in enumerate(table.isolation.shared):
        if name not in known:
            expected = "the name of a tool, a service or a kind of conversation"
            refuse(expected, unknown(name, known), "isolation", "shared", index)


def _recording(
    table: ScenarioTable, tools: Mapping[str, ToolSpec], read_recording: ReadRecording
) -> Recording | None:
    if table.recording is None:
        return None
    if table.rounds:
        refuse("[[rounds]] or a [recording]", "both", "recording")
    recording = read_recording(table.recording.file)
    for name in sorted(recording.tool_names - tools.keys()):
        refuse(f"a table [tools.{name}]: the recording calls it", "nothing", "tools", name)
    return recording


def _limits(table: ModelLimitsTable) -> ModelLimits:
    return ModelLimits(table.requests_per_minute, table.tokens_per_minute, table.concurrency)


def _prefill(model: ModelTable, table: ScenarioTable) -> PrefillSpec:
    """Return how the model reads prompts: of declared tokens nobody knows which the cache has."""
    key = "prefix_cache" if model.prefill_tokens_per_s is None else "prefill_tokens_per_s"
    spec = PrefillSpec(model.prefill_tokens_per_s, model.prefix_cache)
    if spec == NO_PREFILL:
        return spec
    if not table.rounds:
        refuse("[[rounds]]: a recording has the times that were measured", "none", "model", key)
    declared: list[tuple[tuple[str | int, ...], Distribution | None]] = [
        (("model",), model.prompt_tokens)
    ]
    declared += [(("rounds", at), each.prompt_tokens) for at, each in enumerate(table.rounds)]
    for index, kind in enumerate(table.conversations):
        declared.append((("conversations", index), kind.prompt_tokens))
        for at, each in enumerate(kind.rounds):
            declared.append((("conversations", index, "rounds", at), each.prompt_tokens))
    for path, tokens in declared:
        if tokens is not None:
            expected = f"none beside {key}, for which they are counted from what was sent"
            refuse(expected, "some", *path, "prompt_tokens")
    return spec


def _services(tables: list[ServiceTable]) -> Iterator[ServiceSpec]:
    names: set[str] = set()
    for index, table in enumerate(tables):
        path = ("services", index)
        if table.name in names:
            refuse("a name of its own", f"{shown(table.name)} twice", *path, "name")
        names.add(table.name)
        if not _is_pattern(table.url):
            refuse("a pattern as https://api.example.com/*", shown(table.url), *path, "url")
        if table.body is not None and table.json_body is not None:
            refuse("body or json", "both", *path, "body")
        is_json = table.json_body is not None
        if table.status in _WITHOUT_BODY and (is_json or table.body):
            refuse(f"no body, since status {table.status} has none", "one", *path, "body")
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
        refuse("values that JSON has (no dates, no nan)", "another value", *path, "json")


def _fault_of_service(table: FaultTable, path: tuple[str | int, ...]) -> FaultSpec:
    if table.kind.alters_answer:
        kinds = [kind for kind in FaultKind if not kind.alters_answer]
        refuse(listed(kinds), f"{table.kind}, which a service cannot have", *path, "kind")
    when = "probability or attempts"
    for key in ("sessions", "steps"):
        if getattr(table, key) is not None:
            refuse(when, f"{key}, which a service does not know", *path, key)
    if table.probability is None and table.attempts is None:
        refuse(when, "neither", *path)
    return fault_of(table, path)


def _tool(name: str, table: ToolTable) -> ToolSpec:
    # What the API of the model accepts as the name of a function.
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        refuse("a name of up to 64 letters, digits, '_' or '-'", shown(name), "tools", name)
    for parameter in table.parameters:
        path = ("tools", name, "parameters", parameter)
        if parameter == RESERVED_ARGUMENT:
            refuse("another name", f"{shown(parameter)}, which the lab adds itself", *path)
        named = parameter.isidentifier() and not keyword.iskeyword(parameter)
        if not named or len(parameter) > 64:  # noqa: PLR2004 - as for tools
            refuse("a Python identifier of up to 64 characters", shown(parameter), *path)
    if table.in_coroutine and table.kind is ToolKind.ASYNC:
        expected = "kind blocking or cpu: an async tool is a coroutine already"
        refuse(expected, shown(table.kind.value), "tools", name, "in_coroutine")
    return ToolSpec(
        name,
        table.description,
        table.kind,
        table.latency_s,
        table.parameters,
        in_coroutine=table.in_coroutine,
    )
