"""The scenario: a workload declared in TOML, read and checked before anything runs.

    name = "tools"
    description = "One sentence: which claim this scenario makes visible."
    sessions = 100                     # sessions of a run, unless it is told otherwise
    concurrency = [10, 50, 100]        # optional: loads of a run, likewise

    [model]                            # what each round's model call takes
    latency_s = 0.5
    prompt_tokens = 500                # optional, as is the next
    completion_tokens = 80

    [tools.search]
    description = "Searches the web."
    kind = "async"                     # async, blocking or cpu
    latency_s = 0.2
    parameters = { query = "string" }  # name -> string, integer, number or boolean
    # in_coroutine = true             # blocking or cpu: an async def that blocks its loop

    [[rounds]]                         # one model call, and the tools its answer asks for
    tools = [{ tool = "search", arguments = { query = "asyncio" } }]
    repeat = 5                         # optional: so many such rounds in a row

    [[rounds]]                         # the last asks for no tools: the final answer

Each ``latency_s``, token count and ``repeat`` is a number or a distribution (see
``latency``). A round may have its own ``latency_s``, ``prompt_tokens`` and
``completion_tokens``, and a call of a tool its own ``latency_s``.

Reading goes in two steps. The tables below (``_ScenarioTable`` and its parts) hold the
shape of the file: which keys, of which types. ``_scenario`` then checks what takes more
than one key to see, and puts every default in its place, so that a ``Scenario`` has none
left to look up.
"""

import keyword
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, NoReturn

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from .declaration import DeclarationError, listed, shown, unknown
from .errors import ScenarioError
from .latency import Constant, Distribution, parse_distribution

RESERVED_ARGUMENT = "ticket"
"""Name of the argument that the lab adds to each call of a tool."""

MAX_LATENCY_S = 1e9
"""Longest wait, some 31 years: it fits into 64 bits of nanoseconds."""

MAX_TOKENS = 10_000_000
MAX_REPEAT = 10_000
MAX_SESSIONS = 1_000_000
MAX_ROUNDS = 1_000
_MAX_FILE_BYTES = 1 << 20
_MAX_INTEGER = 2**53
"""Beyond it, JSON numbers no longer mean the same to every reader."""

_BOUND_HOLDS_BELOW = 0.999
"""A distribution that passes its bound above this quantile is cut there; below, refused."""


class ToolKind(StrEnum):
    """How a tool spends its time."""

    ASYNC = "async"
    BLOCKING = "blocking"
    CPU = "cpu"


class JsonType(StrEnum):
    """Type of a tool's parameter."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model is told of it.

    Attributes:
        name: Its name, unique in the scenario.
        description: What the model reads about it.
        kind: How it spends its time.
        latency: Seconds that a call takes, unless the call says otherwise.
        parameters: Type of each parameter by name; all of them are required.
        in_coroutine: Whether it blocks or computes inside an ``async def``, and so on the
            event loop: the blunder.
    """

    name: str
    description: str
    kind: ToolKind
    latency: Distribution
    parameters: Mapping[str, JsonType]
    in_coroutine: bool = False


@dataclass(frozen=True, slots=True)
class ToolCallSpec:
    """A call that a round asks for.

    Attributes:
        tool: The tool.
        arguments: One argument for each of its parameters.
        latency: Seconds that this call takes.
    """

    tool: ToolSpec
    arguments: Mapping[str, object]
    latency: Distribution


@dataclass(frozen=True, slots=True)
class RoundSpec:
    """A model call, and the tools that its answer asks for.

    Attributes:
        latency: Seconds that the model takes.
        prompt_tokens: Tokens that the model is said to have read.
        completion_tokens: Tokens that the model is said to have written.
        tool_calls: What the answer asks for, all at once; nothing in the last round.
        repeat: How many such rounds follow each other.
    """

    latency: Distribution
    prompt_tokens: Distribution
    completion_tokens: Distribution
    tool_calls: tuple[ToolCallSpec, ...]
    repeat: Distribution


@dataclass(frozen=True, slots=True)
class Scenario:
    """A declared workload: what a session does, and how long each part may take.

    Attributes:
        name: Its name; with the seed it fixes every draw.
        description: The claim that it makes visible, in a sentence.
        sessions: How many sessions a run has, unless it is told otherwise.
        concurrency: The loads of a run, unless it is told otherwise; may be empty.
        tools: The tools by name.
        rounds: What a session does, in order.
    """

    name: str
    description: str
    sessions: int
    concurrency: tuple[int, ...]
    tools: Mapping[str, ToolSpec]
    rounds: tuple[RoundSpec, ...]

    @property
    def widest_round(self) -> int:
        """The most tool calls that one round asks for."""
        return max(len(part.tool_calls) for part in self.rounds)


def builtin_scenarios() -> tuple[str, ...]:
    """Names of the scenarios that come with the lab, sorted."""
    return tuple(sorted(_builtin_files()))


def load_scenario(name_or_path: str) -> Scenario:
    """Load a built-in scenario by its name, or any other by the path of its file.

    A built-in name wins over a file of that name, which ``./name`` still reaches.

    Raises:
        ScenarioError: There is no such scenario, or it cannot be used. One line that names
            the file, the key, what was expected and what was found.
    """
    builtin = _builtin_files().get(name_or_path)
    if builtin is not None:
        return parse_scenario(_decoded(builtin.read_bytes(), name_or_path), name_or_path)
    source = name_or_path if name_or_path.isprintable() and name_or_path else repr(name_or_path)
    return parse_scenario(_decoded(_bytes_of(name_or_path, source), source), source)


def parse_scenario(text: str, source: str = "scenario") -> Scenario:
    """Read a scenario from TOML; ``source`` is what errors call it.

    Raises:
        ScenarioError: The text is no TOML, or not that of a usable scenario.
    """
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise _refusal(source, "not valid TOML: nested too deeply") from None
    except ValueError as error:  # an integer too long to convert is no TOMLDecodeError
        raise _refusal(source, f"not valid TOML: {' '.join(str(error).split())}") from None
    return scenario_from_table(table, source)


def scenario_from_table(table: Mapping[str, object], source: str = "scenario") -> Scenario:
    """Check the table that a TOML file holds; ``source`` is what errors call it.

    Raises:
        ScenarioError: The table is not that of a usable scenario.
    """
    try:
        return _scenario(_ScenarioTable.model_validate(table))
    except DeclarationError as error:
        raise _refusal(source, str(error)) from None
    except ValidationError as error:
        raise _refusal(source, str(_declaration_error(error))) from None


# ---------------------------------------------------------------- the shape of the file


class _Table(BaseModel):
    """A TOML table; each required field says in its description what is expected."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _check_keys(cls, table: object) -> object:
        """Say more than pydantic does of a key that is unknown or missing.

        The unknown ones first: a misspelt key is also a missing one.
        """
        if isinstance(table, Mapping):
            fields = cls.model_fields
            for key in table:
                if key not in fields:
                    found = f"the unknown key {unknown(key, fields)}"
                    raise DeclarationError(f"expected {listed(fields)}, found {found}", (key,))
            for key, declared in fields.items():
                if declared.is_required() and key not in table:
                    raise DeclarationError(
                        f"expected {declared.description}, found nothing", (key,)
                    )
        return table


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
    """Refuse what is out of bounds in more than one draw of a thousand.

    Rarer draws are cut to the bounds: nobody who declares a median and a 99th percentile
    should have to answer for the tail that comes with them.
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


class _ModelTable(_Table):
    latency_s: _Latency = Field(description=_SECONDS)
    prompt_tokens: _Tokens = Constant(500)
    completion_tokens: _Tokens = Constant(80)


class _ToolTable(_Table):
    description: str = Field(description="a sentence for the model to read", min_length=1)
    kind: ToolKind = Field(description=listed(ToolKind), strict=False)
    latency_s: _Latency = Field(description=_SECONDS)
    parameters: dict[str, Annotated[JsonType, Field(strict=False)]] = {}
    in_coroutine: bool = False


class _ToolCallTable(_Table):
    tool: str = Field(description="the name of a tool")
    arguments: dict[str, object] = {}
    latency_s: _Latency | None = None


class _RoundTable(_Table):
    tools: list[_ToolCallTable] = []
    repeat: _Repeat = Constant(1)
    latency_s: _Latency | None = None
    prompt_tokens: _Tokens | None = None
    completion_tokens: _Tokens | None = None


class _ScenarioTable(_Table):
    name: str = Field(description="a name for the scenario")
    description: str = Field(description="a sentence that says what it shows", min_length=1)
    sessions: _SessionCount = Field(description="a number of sessions")
    concurrency: list[_SessionCount] = []
    model: _ModelTable = Field(description="the table [model]")
    tools: dict[str, _ToolTable] = {}
    rounds: list[_RoundTable] = Field(
        description="at least one [[rounds]]", min_length=1, max_length=MAX_ROUNDS
    )


_EXPECTED_BY_PYDANTIC_TYPE = {
    "model_type": "a table",
    "dict_type": "a table",
    "list_type": "an array",
    "string_type": "a string",
    "int_type": "a whole number",
    "string_too_short": "a string that is not empty",
    "too_short": "at least {min_length}",
    "too_long": "at most {max_length}",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "enum": "{expected}",
}


def _declaration_error(error: ValidationError) -> DeclarationError:
    """The first of pydantic's errors; the others often follow from it."""
    first = error.errors(include_url=False)[0]
    context = first.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, DeclarationError):
        return cause.below(*first["loc"])
    template = _EXPECTED_BY_PYDANTIC_TYPE.get(first["type"])
    if template is None:
        return DeclarationError(" ".join(first["msg"].split()), first["loc"])
    found = str(context["actual_length"]) if "actual_length" in context else shown(first["input"])
    return DeclarationError(f"expected {template.format(**context)}, found {found}", first["loc"])


# -------------------------------------------------------------- what the tables mean


def _scenario(table: _ScenarioTable) -> Scenario:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", table.name):
        _misfit("up to 64 letters, digits, '.', '_' or '-'", shown(table.name), "name")
    if not table.description.isprintable():
        _misfit("one line of text", shown(table.description), "description")
    tools = {name: _tool(name, part) for name, part in table.tools.items()}
    return Scenario(
        name=table.name,
        description=table.description,
        sessions=table.sessions,
        concurrency=tuple(table.concurrency),
        tools=tools,
        rounds=tuple(_rounds(table, tools)),
    )


def _tool(name: str, table: _ToolTable) -> ToolSpec:
    # What the API of the model accepts as the name of a function.
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        _misfit("a name of up to 64 letters, digits, '_' or '-'", shown(name), "tools", name)
    for parameter in table.parameters:
        path = ("tools", name, "parameters", parameter)
        if parameter == RESERVED_ARGUMENT:
            _misfit("another name", f"{shown(parameter)}, which the lab adds itself", *path)
        named = parameter.isidentifier() and not keyword.iskeyword(parameter)
        if not named or len(parameter) > 64:  # noqa: PLR2004 - as for tools
            _misfit("a Python identifier of up to 64 characters", shown(parameter), *path)
    if table.in_coroutine and table.kind is ToolKind.ASYNC:
        expected = "kind blocking or cpu: an async tool is a coroutine already"
        _misfit(expected, shown(table.kind.value), "tools", name, "in_coroutine")
    return ToolSpec(
        name,
        table.description,
        table.kind,
        table.latency_s,
        table.parameters,
        in_coroutine=table.in_coroutine,
    )


def _rounds(table: _ScenarioTable, tools: Mapping[str, ToolSpec]) -> Iterator[RoundSpec]:
    last = len(table.rounds) - 1
    for index, part in enumerate(table.rounds):
        path = ("rounds", index)
        if index == last and part.tools:
            _misfit("no tools in the last round, the final answer", len(part.tools), *path, "tools")
        if index < last and not part.tools:
            _misfit("tools in every round but the last", "none", *path, "tools")
        if index == last and part.repeat != Constant(1):
            _misfit("no repeat of the last round, the final answer", "one", *path, "repeat")
        yield RoundSpec(
            latency=part.latency_s or table.model.latency_s,
            prompt_tokens=part.prompt_tokens or table.model.prompt_tokens,
            completion_tokens=part.completion_tokens or table.model.completion_tokens,
            tool_calls=tuple(
                _tool_call(call, tools, (*path, "tools", position))
                for position, call in enumerate(part.tools)
            ),
            repeat=part.repeat,
        )


def _tool_call(
    table: _ToolCallTable, tools: Mapping[str, ToolSpec], path: tuple[str | int, ...]
) -> ToolCallSpec:
    tool = tools.get(table.tool)
    if tool is None:
        declared = listed(tools) if tools else "a tool declared under [tools]"
        _misfit(declared, unknown(table.tool, tools), *path, "tool")
    for name, value in table.arguments.items():
        argument_path = (*path, "arguments", name)
        if name not in tool.parameters:
            expected = listed(tool.parameters) if tool.parameters else "no arguments"
            found = f"the unknown argument {unknown(name, tool.parameters)}"
            _misfit(expected, found, *argument_path)
        expected_type = tool.parameters[name]
        if not _is_json(value, expected_type):
            _misfit(f"a JSON {expected_type}", shown(value), *argument_path)
    for name, expected_type in tool.parameters.items():
        if name not in table.arguments:
            _misfit(f"a JSON {expected_type}", "nothing", *path, "arguments", name)
    return ToolCallSpec(tool, table.arguments, table.latency_s or tool.latency)


def _is_json(value: object, expected: JsonType) -> bool:
    """Whether a value of TOML is one of this JSON type; NaN and infinity are none."""
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


def _misfit(expected: str, found: object, *path: str | int) -> NoReturn:
    raise DeclarationError(f"expected {expected}, found {found}", path)


# ------------------------------------------------------------------------- files


def _builtin_files() -> dict[str, Traversable]:
    folder = resources.files(f"{__package__}.scenarios")
    return {
        file.name.removesuffix(".toml"): file
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    }


def _bytes_of(path: str, source: str) -> bytes:
    """Content of a file, which may be a pipe; never more than is sensible."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(_MAX_FILE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        names = builtin_scenarios()
        meant = unknown(path, names).removeprefix(shown(path))
        raise _refusal(
            source,
            f"expected a file or a built-in scenario, found neither{meant};"
            f" built in are {listed(names, 'and')}",
        ) from None
    except IsADirectoryError:
        raise _refusal(source, "expected a file, found a directory") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        reason = error.strerror if isinstance(error, OSError) else None
        raise _refusal(source, f"cannot be read: {reason or error}") from None
    if len(content) > _MAX_FILE_BYTES:
        raise _refusal(source, f"expected at most {_MAX_FILE_BYTES} bytes, found more")
    return content


def _decoded(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{content[error.start]:02x}"
        raise _refusal(source, f"expected UTF-8, found {found} in line {line}") from None


def _refusal(source: str, problem: str) -> ScenarioError:
    return ScenarioError(f"{source}: {problem}")
