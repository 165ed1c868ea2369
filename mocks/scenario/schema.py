"""The shape of a scenario's file: which keys, of which types; one clear line for any other."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, Any, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from .bounds import MAX_LATENCY_S, MAX_TOKENS
from .diagnostics import DeclarationError, listed, shown, unknown
from .distribution_syntax import parse_distribution
from .distributions import Constant, Distribution
from .endpoints import EndpointKind
from .faults import FaultKind
from .model import (
    MAX_CONVERSATIONS,
    MAX_FAULTS,
    MAX_REPEAT,
    MAX_ROUNDS,
    MAX_SERVICES,
    MAX_SESSIONS,
    USUAL_MAX_MODEL_CALLS,
    JsonType,
    ToolKind,
)
from .request import MAX_TURNS

_BOUND_HOLDS_BELOW = 0.999
"""A distribution that exceeds its bound above this quantile is cut there; below, refused."""


class _Table(BaseModel):
    """A TOML table; the description of each required field says what is expected."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _check_keys(cls, table: object) -> object:
        """Refuse unknown and missing keys, with more detail than pydantic gives.

        Unknown keys are reported first, since a misspelt key is also a missing one.
        """
        if isinstance(table, Mapping):
            fields = {field.alias or name: field for name, field in cls.model_fields.items()}
            for key in table:
                if key not in fields:
                    found = f"the unknown key {unknown(key, fields)}{_place_of(key, cls)}"
                    raise DeclarationError(f"expected {listed(fields)}, found {found}", (key,))
            for key, declared in fields.items():
                if declared.is_required() and key not in table:
                    raise DeclarationError(
                        f"expected {declared.description}, found nothing", (key,)
                    )
        return table


def _place_of(key: object, table: type[_Table]) -> str:
    """Say of which tables below another one a key is, as the end of a message; or nothing."""
    places = [
        declared.alias or name
        for name, declared in table.model_fields.items()
        if any(key in _keys_of(below) for below in _tables_in(declared.annotation))
    ]
    return f", which is a key of {listed(places)}" if places else ""


def _keys_of(table: type[_Table]) -> set[str]:
    return {field.alias or name for name, field in table.model_fields.items()}


def _tables_in(annotation: object) -> Iterator[type[_Table]]:
    """Yield the tables that a field may have: itself, or the items of its array or table."""
    if isinstance(annotation, type) and issubclass(annotation, _Table):
        yield annotation
    for part in get_args(annotation):
        yield from _tables_in(part)


def _latency(value: object) -> Distribution:
    return _bounded(parse_distribution(value), value, 0, MAX_LATENCY_S, "seconds")


def _count(value: object, info: ValidationInfo, *, low: int, high: int) -> Distribution:
    distribution = parse_distribution(value)
    unit = str(info.field_name).replace("_", " ").replace("repeat", "rounds")
    if isinstance(distribution, Constant) and not distribution.value.is_integer():
        raise DeclarationError(
            f"expected a whole number or a distribution of {unit}, found {shown(value)}"
        )
    return _bounded(distribution, value, low, high, unit)


def _bounded(
    distribution: Distribution, value: object, low: float, high: float, unit: str
) -> Distribution:
    """Refuse a distribution with more than one draw of a thousand out of bounds.

    Rarer draws are cut to the bounds, since whoever declares a median and a 99th percentile does
    not choose the tail that comes with them.
    """
    typical = distribution.quantile(_BOUND_HOLDS_BELOW)
    if not low <= typical <= high:
        found = shown(value) if isinstance(distribution, Constant) else f"{typical:g} at p99.9"
        raise DeclarationError(f"expected {low} to {high:.0f} {unit}, found {found}")
    return distribution


_Latency = Annotated[Distribution, PlainValidator(_latency)]
_Tokens = Annotated[Distribution, PlainValidator(partial(_count, low=0, high=MAX_TOKENS))]
_Repeat = Annotated[Distribution, PlainValidator(partial(_count, low=1, high=MAX_REPEAT))]
_SessionCount = Annotated[int, Field(ge=1, le=MAX_SESSIONS)]
_SECONDS = "seconds or a distribution of them"


class ModelLimitsTable(_Table):
    """``[model.limits]``."""

    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    tokens_per_minute: Annotated[int, Field(ge=1)] | None = None
    concurrency: Annotated[int, Field(ge=1)] | None = None


class ModelTable(_Table):
    """``[model]``."""

    latency_s: _Latency | None = None
    ttft_s: _Latency | None = None
    gap_s: _Latency | None = None
    tokens_per_chunk: Annotated[int, Field(ge=1, le=MAX_TOKENS)] = 1
    prompt_tokens: _Tokens | None = None
    completion_tokens: _Tokens = Constant(80)
    prefill_tokens_per_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    prefix_cache: bool = False
    limits: ModelLimitsTable = ModelLimitsTable()


class ToolTable(_Table):
    """``[tools.NAME]``."""

    description: str = Field(description="a sentence for the model to read", min_length=1)
    kind: ToolKind = Field(description=listed(ToolKind), strict=False)
    latency_s: _Latency = Field(description=_SECONDS)
    parameters: dict[str, Annotated[JsonType, Field(strict=False)]] = {}
    in_coroutine: bool = False


class ToolCallTable(_Table):
    """A call in the ``tools`` of a round."""

    tool: str = Field(description="the name of a tool")
    arguments: dict[str, object] = {}
    latency_s: _Latency | None = None


class RoundTable(_Table):
    """``[[rounds]]``."""

    tools: list[ToolCallTable] = []
    repeat: _Repeat = Constant(1)
    latency_s: _Latency | None = None
    ttft_s: _Latency | None = None
    gap_s: _Latency | None = None
    prompt_tokens: _Tokens | None = None
    completion_tokens: _Tokens | None = None
    turn: bool = False


class FaultTable(_Table):
    """``[[faults]]``, ``[[services.faults]]`` and ``[[endpoints.KIND.faults]]``."""

    kind: FaultKind = Field(description=listed(FaultKind), strict=False)
    probability: Annotated[float, Field(gt=0, le=1)] | None = None
    sessions: list[Annotated[int, Field(ge=0, le=MAX_SESSIONS)]] | None = None
    steps: list[Annotated[int, Field(ge=0)]] | None = None
    attempts: list[Annotated[int, Field(ge=1)]] | None = None
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    retry_after_s: Annotated[float, Field(ge=0, le=MAX_LATENCY_S)] | None = None
    retry_after_ms: Annotated[float, Field(ge=0, le=MAX_LATENCY_S)] | None = None
    latency_s: _Latency | None = None
    share: Annotated[float, Field(ge=0, le=1)] = 0.5


class ServiceTable(_Table):
    """``[[services]]``."""

    name: str = Field(description="a name for the service", min_length=1)
    url: str = Field(description="the pattern of its addresses, as https://api.example.com/*")
    method: str | None = None
    latency_s: _Latency = Field(description=_SECONDS)
    status: Annotated[int, Field(ge=200, le=599)] = 200
    headers: dict[str, str] = {}
    body: str | None = None
    json_body: object = Field(default=None, alias="json")
    faults: Annotated[list[FaultTable], Field(max_length=MAX_FAULTS)] = []


class ConversationTable(_Table):
    """``[[conversations]]``."""

    name: str = Field(description="a name for the kind of conversation", min_length=1)
    model: str | None = None
    system: str | None = None
    prompt: str | None = None
    tools: list[str] = []
    text: str | None = None
    latency_s: _Latency | None = None
    ttft_s: _Latency | None = None
    gap_s: _Latency | None = None
    prompt_tokens: _Tokens | None = None
    completion_tokens: _Tokens | None = None
    rounds: Annotated[list[RoundTable], Field(max_length=MAX_ROUNDS)] = []
    faults: Annotated[list[FaultTable], Field(max_length=MAX_FAULTS)] | None = None


class EndpointTable(_Table):
    """``[endpoints.KIND]``."""

    latency_s: _Latency | None = None
    faults: Annotated[list[FaultTable], Field(max_length=MAX_FAULTS)] = []


class RecordingTable(_Table):
    """``[recording]``."""

    file: str = Field(description="the path of a recording, from the scenario's own folder")


class IsolationTable(_Table):
    """``[isolation]``."""

    shared: list[str] = []


class RequestTable(_Table):
    """``[request]``."""

    method: str = "POST"
    path: str = "/chat"
    headers: dict[str, str] = {}
    json_body: object = Field(default=None, alias="json")
    form: dict[str, str] | None = None
    text: str | None = None
    answer: str = "auto"
    turns: Annotated[int, Field(ge=1, le=MAX_TURNS)] | None = None


class ScenarioTable(_Table):
    """The whole file."""

    name: str = Field(description="a name for the scenario")
    description: str = Field(description="a sentence that says what it shows", min_length=1)
    sessions: _SessionCount = Field(description="a number of sessions")
    concurrency: list[_SessionCount] = []
    model: ModelTable | None = None
    tools: dict[str, ToolTable] = {}
    rounds: Annotated[list[RoundTable], Field(max_length=MAX_ROUNDS)] = []
    recording: RecordingTable | None = None
    faults: Annotated[list[FaultTable], Field(max_length=MAX_FAULTS)] = []
    services: Annotated[list[ServiceTable], Field(max_length=MAX_SERVICES)] = []
    optional_tools: bool = False
    conversations: Annotated[list[ConversationTable], Field(max_length=MAX_CONVERSATIONS)] = []
    max_model_calls: Annotated[int, Field(ge=1)] = USUAL_MAX_MODEL_CALLS
    provenance: bool = True
    endpoints: dict[Annotated[EndpointKind, Field(strict=False)], EndpointTable] = {}
    isolation: IsolationTable = IsolationTable()
    request: RequestTable = RequestTable()


_EXPECTED_BY_PYDANTIC_TYPE = {
    "model_type": "a table",
    "dict_type": "a table",
    "list_type": "an array",
    "string_type": "a string",
    "int_type": "a whole number",
    "string_too_short": "a string that is not empty",
    "float_type": "a number",
    "bool_type": "true or false",
    "too_short": "at least {min_length}",
    "too_long": "at most {max_length}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "enum": "{expected}",
}


def declaration_error(error: ValidationError) -> DeclarationError:
    """Return the first of pydantic's errors, since the others often follow from it."""
    first = error.errors(include_url=False)[0]
    # Where a key itself is wrong, pydantic adds that behind the key.
    path = tuple(part for part in first["loc"] if part != "[key]")
    context = first.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, DeclarationError):
        return cause.below(*path)
    template = _EXPECTED_BY_PYDANTIC_TYPE.get(first["type"])
    if template is None:
        return DeclarationError(" ".join(first["msg"].split()), path)
    return DeclarationError(
        f"expected {template.format(**context)}, found {_found(first['input'], context)}",
        path,
    )


def _found(value: object, context: Mapping[str, Any]) -> str:
    if "actual_length" in context:
        return str(context["actual_length"])
    if isinstance(value, str) and "expected" in context:
        # Of an enumeration pydantic names the values as text only: 'async', 'blocking' or 'cpu'.
        return unknown(value, re.findall(r"'([^']+)'", context["expected"]))
    return shown(value)
