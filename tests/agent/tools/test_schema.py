import functools
import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field
from warpbench.agent import Tool, ToolArgumentsError, ToolDefinitionError
from warpbench.agent.tools.schema import split_docstring, validator_from_schema

SCHEMA = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "count": {"type": "integer"},
        "ratio": {"type": "number"},
        "flag": {"type": ["boolean", "null"]},
        "unit": {"enum": ["C", "F"]},
        "anything": {},
    },
    "required": ["text"],
}


class TestSchema:
    @pytest.mark.parametrize(
        "arguments",
        [
            {"text": "a"},
            {"text": "a", "count": 3, "ratio": 2, "flag": None, "unit": "C", "anything": [1]},
            {"text": "", "ratio": 0.5, "flag": True},
        ],
    )
    def test_good_arguments_pass_as_they_are(self, arguments: Any) -> None:
        assert validator_from_schema(SCHEMA)(json.dumps(arguments)) == arguments

    @pytest.mark.parametrize(
        ("raw", "complaint"),
        [
            ("{", "not valid JSON"),
            ('{"ratio": NaN}', "not valid JSON"),
            pytest.param("[" * 100_000, "not valid JSON", id="nested"),
            ("[]", "expected a JSON object, got array"),
            ("{}", "text: required, but missing"),
            ('{"text": 1}', "text: expected string, got integer"),
            ('{"text": "a", "count": true}', "count: expected integer, got boolean"),
            ('{"text": "a", "count": 1.5}', "count: expected integer, got number"),
            ('{"text": "a", "flag": "no"}', "flag: expected boolean or null, got string"),
            ('{"text": "a", "unit": "K"}', r"unit: expected one of \['C', 'F'\], got 'K'"),
            ('{"text": "a", "other": 1}', r"other: unknown; the parameters are \['anything'"),
        ],
    )
    def test_bad_arguments_are_named(self, raw: str, complaint: str) -> None:
        with pytest.raises(ToolArgumentsError, match=complaint):
            validator_from_schema(SCHEMA)(raw)

    def test_all_problems_are_told_at_once(self) -> None:
        with pytest.raises(ToolArgumentsError, match=r"text: required.*; count: expected"):
            validator_from_schema(SCHEMA)('{"count": "many"}')

    def test_unknown_names_pass_where_the_schema_says_so(self) -> None:
        validate = validator_from_schema({"additionalProperties": True})
        assert validate('{"x": 1}') == {"x": 1}

    @pytest.mark.parametrize(
        "schema",
        [{"type": "array"}, {"properties": ["text"]}, {"properties": {}, "required": ["text"]}],
    )
    def test_a_schema_that_cannot_be_meant_is_refused(self, schema: Any) -> None:
        with pytest.raises(ToolDefinitionError):
            validator_from_schema(schema)


@dataclass
class Place:
    name: str
    country: str = "NO"


def forecast(
    place: Place, days: Annotated[int, Field(ge=1)] = 3, unit: Literal["C", "F"] = "C"
) -> str:
    """Tell the weather.

    Also tomorrow's.

    Args:
        place: Where to look,
            by name.
        days: How many days.

    Returns:
        The forecast.
    """
    return f"{place} {days} {unit}"


class TestSignature:
    def test_the_schema_comes_from_hints_and_docstring(self) -> None:
        tool = Tool.from_function(forecast)
        assert (tool.name, tool.description) == (
            "forecast",
            "Tell the weather.\n\nAlso tomorrow's.",
        )
        assert tool.parameters["required"] == ["place"]
        assert tool.parameters["additionalProperties"] is False
        properties = tool.parameters["properties"]
        assert properties["place"]["description"] == "Where to look, by name."
        assert properties["days"] == {
            "type": "integer",
            "minimum": 1,
            "default": 3,
            "description": "How many days.",
        }
        assert properties["unit"] == {"type": "string", "enum": ["C", "F"], "default": "C"}

    def test_values_arrive_typed_and_defaults_are_the_functions_own(self) -> None:
        validate = Tool.from_function(forecast).validate
        assert validate('{"place": {"name": "Oslo"}, "days": "5"}') == {
            "place": Place("Oslo"),
            "days": 5,
        }

    @pytest.mark.parametrize(
        ("raw", "complaint"),
        [
            ("{", "Invalid JSON"),
            ("{}", "place: Field required"),
            ('{"place": {}}', "place.name: Field required"),
            ('{"place": {"name": "Oslo"}, "days": 0}', "days: .*greater than or equal to 1"),
            ('{"place": {"name": "Oslo"}, "when": 0}', "when: Extra inputs are not permitted"),
        ],
    )
    def test_bad_arguments_are_named(self, raw: str, complaint: str) -> None:
        with pytest.raises(ToolArgumentsError, match=complaint):
            Tool.from_function(forecast).validate(raw)

    def test_a_parameter_may_have_any_name(self) -> None:
        def odd(copy: int, schema: str, model_config: bool, _private: int = 1) -> None: ...

        raw = '{"copy": 1, "schema": "s", "model_config": true, "_private": 2}'
        assert Tool.from_function(odd).validate(raw) == json.loads(raw)

    def test_a_default_without_a_json_form_stays_out_of_the_schema(self) -> None:
        marker = object()

        def tool(x: int = marker) -> None: ...  # type: ignore[assignment]

        made = Tool.from_function(tool)
        assert made.parameters["properties"] == {"x": {"type": "integer"}}
        assert made.validate("{}") == {}

    def test_a_description_in_the_type_comes_before_the_docstrings(self) -> None:
        def tool(x: Annotated[int, Field(description="typed")]) -> None:
            """Do it.

            Args:
                x: docstring
            """

        assert Tool.from_function(tool).parameters["properties"]["x"]["description"] == "typed"

    def test_methods_and_partials_are_functions_too(self) -> None:
        class Shop:
            def price(self, item: str, currency: str) -> str:
                """Tell a price."""
                return item + currency

        tool = Tool.from_function(functools.partial(Shop().price, currency="EUR"))
        assert (tool.name, tool.description) == ("price", "Tell a price.")
        assert tool.parameters["required"] == ["item"]

    def test_string_annotations_are_read(self) -> None:
        def tool(x: "int") -> None: ...

        assert Tool.from_function(tool).validate('{"x": 1}') == {"x": 1}

    def test_what_a_model_cannot_call_is_refused(self) -> None:
        def untyped(x) -> None: ...  # noqa: ANN001
        def many(*x: int) -> None: ...
        def positional(x: int, /) -> None: ...
        def unknown(x: "Nowhere") -> None: ...  # noqa: F821
        def opaque(x: Tool) -> None: ...

        for function, complaint in [
            (untyped, "'x' has no type"),
            (many, "cannot be passed by name"),
            (positional, "cannot be passed by name"),
            (unknown, "cannot be read"),
            (opaque, "have no JSON schema"),
        ]:
            with pytest.raises(ToolDefinitionError, match=complaint):
                Tool.from_function(function)


def test_a_docstring_splits_into_description_and_parameters() -> None:
    assert split_docstring(
        "One.\n\n    Args:\n        a: A.\n        b (int): B\n            c.\n"
    ) == (
        "One.",
        {"a": "A.", "b": "B c."},
    )
    assert split_docstring("") == ("", {})
