"""Turns the arguments that a model wrote into keyword arguments that a tool can trust."""

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema

from ..errors import ToolArgumentsError, ToolDefinitionError

Validator = Callable[[str], dict[str, Any]]
"""Takes the JSON of a call's arguments, gives keyword arguments, raises ``ToolArgumentsError``."""

_TYPE_NAMES: dict[type, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
    type(None): "null",
}
_SECTION = re.compile(r"^(Args|Returns|Raises|Yields|Examples?|Notes?):\s*$", re.MULTILINE)
_DESCRIBED = re.compile(r"^    (\w+)(?: \([^)]*\))?:\s*(.*(?:\n {5,}.*)*)", re.MULTILINE)


def validator_from_schema(parameters: Mapping[str, object]) -> Validator:
    """Make a validator for a JSON schema of simple properties.

    The validator checks for the usual errors of models: arguments that are no JSON object,
    missing and unknown names, and for each property its ``type`` (a name or a list of names)
    and its ``enum``. It does not check the inside of an array or an object, ``anyOf``, ``$ref``
    or ``pattern``. Unknown names are refused even where the schema does not forbid them (JSON
    Schema's default), because a function refuses them too; ``additionalProperties: true`` lets
    them pass.

    Args:
        parameters: A JSON schema of type ``object``.

    Raises:
        ToolDefinitionError: The schema is not that of an object, or contradicts itself.
    """
    properties = parameters.get("properties", {})
    required = parameters.get("required", ())
    if parameters.get("type", "object") != "object" or not isinstance(properties, Mapping):
        raise ToolDefinitionError(
            "parameters must be a JSON schema of type 'object' with its properties by name, "
            f"not {parameters!r}"
        )
    if not isinstance(required, list | tuple) or not set(required) <= set(properties):
        raise ToolDefinitionError(
            f"parameters require {required!r}, which are not all among the properties "
            f"{sorted(properties)}"
        )
    open_ended = bool(parameters.get("additionalProperties", False))

    def validate(raw: str) -> dict[str, Any]:
        try:
            arguments = msgspec.json.decode(raw)
        except (ValueError, RecursionError) as error:
            raise ToolArgumentsError(f"not valid JSON: {error}") from error
        if type(arguments) is not dict:
            raise ToolArgumentsError(f"expected a JSON object, got {_type_name(arguments)}")
        problems = [f"{name}: required, but missing" for name in required if name not in arguments]
        for name, value in arguments.items():
            if name in properties:
                problems += _problems(name, value, properties[name])
            elif not open_ended:
                problems.append(f"{name}: unknown; the parameters are {sorted(properties)}")
        if problems:
            raise ToolArgumentsError("; ".join(problems))
        return arguments

    return validate


def _problems(name: str, value: object, schema: object) -> list[str]:
    # A property may be `true` or `{}`: anything goes.
    if not isinstance(schema, Mapping):
        return []
    expected = schema.get("type")
    names = [expected] if isinstance(expected, str) else expected
    found = _type_name(value)
    # Every integer is a number.
    if names and found not in names and not (found == "integer" and "number" in names):
        return [f"{name}: expected {' or '.join(names)}, got {found}"]
    choices = schema.get("enum")
    if choices is not None and value not in choices:
        return [f"{name}: expected one of {choices}, got {value!r}"]
    return []


def _type_name(value: object) -> str:
    return _TYPE_NAMES[type(value)]


def schema_from_signature(
    name: str, function: Callable[..., object], descriptions: Mapping[str, str]
) -> tuple[dict[str, object], Validator]:
    """Make a JSON schema and a validator from the type hints of a function.

    Pydantic does both, in its lax mode: ``"5"`` passes for an ``int``, since models write that.
    A parameter that the model leaves out is left out of the call, so that the function's own
    default applies.

    Args:
        name: Name of the tool, for error messages.
        function: Its parameters must all be typed and be passable by name; those that a
            partial has bound by name are left out.
        descriptions: Descriptions of parameters for the model; may be incomplete.

    Raises:
        ToolDefinitionError: A parameter cannot be passed by name, or has no usable type.
    """
    fields: dict[str, Any] = {}
    # Fields are numbered and carry the parameter's name as an alias: a parameter may then
    # have any name, also one that a pydantic model has for itself (`copy`, `schema`).
    names: dict[str, str] = {}
    bound = _bound_by_name(function)
    for index, parameter in enumerate(_signature(name, function).parameters.values()):
        if parameter.name in bound:
            continue
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ToolDefinitionError(
                f"tool {name!r}: parameter {parameter} cannot be passed by name; "
                "models name every argument, so give the tool plain parameters"
            )
        if parameter.annotation is parameter.empty:
            raise ToolDefinitionError(
                f"tool {name!r}: parameter {parameter.name!r} has no type; annotate it, or give "
                "Tool(parameters=…) a JSON schema of your own"
            )
        default = ... if parameter.default is parameter.empty else parameter.default
        field = f"field_{index}"
        names[field] = parameter.name
        fields[field] = (parameter.annotation, Field(default, alias=parameter.name))
    try:
        model: type[BaseModel] = create_model(
            name, __config__=ConfigDict(extra="forbid", protected_namespaces=()), **fields
        )
        schema = model.model_json_schema(schema_generator=_ToolSchema)
    except PydanticUserError as error:
        raise ToolDefinitionError(
            f"tool {name!r}: its types have no JSON schema ({error.message}); "
            "give Tool(parameters=…) one of your own"
        ) from error
    del schema["title"]
    for parameter_name, description in descriptions.items():
        if parameter_name in schema["properties"]:
            # A description in the type (Annotated, Field) is the more deliberate one.
            schema["properties"][parameter_name].setdefault("description", description)

    def validate(raw: str) -> dict[str, Any]:
        try:
            values = model.model_validate_json(raw)
        except ValidationError as error:
            raise ToolArgumentsError(_explain(error)) from error
        given = values.model_fields_set
        return {names[field]: getattr(values, field) for field in names if field in given}

    return schema, validate


class _ToolSchema(GenerateJsonSchema):
    """A schema without what a model does not need to read, and pays for in tokens."""

    # A default without a JSON form is left out of the schema; the function still uses it.
    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - read

    def field_title_should_be_set(self, schema: object) -> bool:
        """Titles repeat the names."""
        del schema
        return False


def _bound_by_name(function: Callable[..., object]) -> set[str]:
    """Return the names that a partial has bound; their values may be secret, and no defaults."""
    bound: set[str] = set()
    while isinstance(function, functools.partial):
        bound |= set(function.keywords)
        function = function.func
    return bound


def _signature(name: str, function: Callable[..., object]) -> inspect.Signature:
    try:
        # eval_str: under `from __future__ import annotations` hints are strings.
        return inspect.signature(function, eval_str=True)
    except (TypeError, ValueError, NameError) as error:
        raise ToolDefinitionError(
            f"tool {name!r}: the signature of {function!r} cannot be read ({error})"
        ) from error


def _explain(error: ValidationError) -> str:
    return "; ".join(
        ": ".join(filter(None, (".".join(map(str, problem["loc"])), problem["msg"])))
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    )


def split_docstring(docstring: str) -> tuple[str, dict[str, str]]:
    """Split a Google-style docstring into what the tool does and what each parameter is.

    Args:
        docstring: The docstring as in the source.

    Returns:
        The text before the first section, and the entries of ``Args`` by parameter.
    """
    before, *sections = _SECTION.split(inspect.cleandoc(docstring))
    titles, bodies = sections[::2], sections[1::2]
    described: dict[str, str] = {}
    for title, body in zip(titles, bodies, strict=True):
        if title == "Args":
            for parameter, text in _DESCRIBED.findall(body):
                described[parameter] = " ".join(text.split())
    return before.strip(), described
