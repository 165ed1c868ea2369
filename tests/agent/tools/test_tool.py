"""From a function to what the model is told, and back to a call."""

import functools
import json
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field
from warpbench.agent import Tool, ToolDefinitionError, tool
from warpbench.agent.messages import ToolCall
from warpbench.agent.tools.invocation import Invocation
from warpbench.agent.tools.toolbox import ToolRegistry


def run(offered: Any, name: str, **arguments: object) -> str:
    prepared = ToolRegistry(offered).current.prepare(ToolCall("1", name, json.dumps(arguments)))
    return prepared.run().text if isinstance(prepared, Invocation) else prepared.text


def weather(city: str, unit: Literal["C", "F"] = "C", days: Annotated[int, Field(ge=1)] = 1) -> str:
    """Look up the weather.

    It is that of a city.

    Args:
        city: Name of the city,
            in English.
        days: Ignored, for the type says more.

    Returns:
        A sentence.
    """
    return f"{city} {unit} {days}"


def test_hints_and_docstring_make_the_schema() -> None:
    assert Tool.from_function(weather).schema == {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "Look up the weather.\n\nIt is that of a city.",
            "parameters": {
                "type": "object",
                "additionalProperties": False,
                "required": ["city"],
                "properties": {
                    "city": {"type": "string", "description": "Name of the city, in English."},
                    "unit": {"type": "string", "enum": ["C", "F"], "default": "C"},
                    "days": {
                        "type": "integer",
                        "minimum": 1,
                        "default": 1,
                        "description": "Ignored, for the type says more.",
                    },
                },
            },
        },
    }


def test_arguments_are_validated_as_the_hints_say() -> None:
    assert run(weather, "weather", city="Oslo", days="2") == "Oslo C 2"
    assert run(weather, "weather", city="Oslo", unit="K") == (
        "error: wrong arguments for 'weather': unit: Input should be 'C' or 'F'"
    )
    assert "days: Input should be greater than" in run(weather, "weather", city="Oslo", days=0)


def test_the_decorator_leaves_the_function_as_it_is() -> None:
    @tool(name="forecast", description="Foretell.", timeout_s=5, max_parallel=2, critical=True)
    def decorated(city: str) -> str:
        """Not this."""
        return city.upper()

    assert decorated("Oslo") == "OSLO"
    made = Tool.from_function(decorated)
    assert (made.name, made.description) == ("forecast", "Foretell.")
    assert (made.timeout_s, made.max_parallel, made.critical) == (5, 2, True)
    assert Tool.from_function(decorated, timeout_s=1).timeout_s == 1


def test_it_may_stand_bare() -> None:
    @tool
    async def decorated(city: str) -> str:
        """This."""
        return city.upper()

    assert Tool.from_function(decorated).description == "This."
    assert run(decorated, "decorated", city="Oslo") == "OSLO"


class Shop:
    def __init__(self, stock: dict[str, int]) -> None:
        self.stock = stock

    @tool(name="in_stock")
    def count(self, item: str) -> int:
        """Count what there is."""
        return self.stock.get(item, 0)

    @tool
    async def order(self, item: str) -> str:
        """Order."""
        return f"{item} ordered"

    @classmethod
    @tool
    def names(cls) -> str:
        """Name the shop."""
        return cls.__name__

    @tool(name="opening")
    @staticmethod
    def hours() -> str:
        """Say when it is open."""
        return "9-17"


def test_methods_are_tools_of_their_object() -> None:
    small, large = Shop({"tea": 1}), Shop({"tea": 100})
    assert run(small.count, "in_stock", item="tea") == "1"
    assert run(large.count, "in_stock", item="tea") == "100"
    assert run(small.order, "order", item="tea") == "tea ordered"
    assert run(small.names, "names") == "Shop"
    assert run(small.hours, "opening") == "9-17"
    assert list(Tool.from_function(small.count).parameters["properties"]) == ["item"]  # type: ignore[call-overload]


def search(query: str, api_key: str, limit: int = 3) -> str:
    """Search."""
    return f"{query} {api_key} {limit}"


def test_what_a_partial_has_bound_is_neither_shown_to_the_model_nor_set_by_it() -> None:
    bound = functools.partial(functools.partial(search, api_key="secret"), limit=5)
    made = Tool.from_function(bound)
    assert made.name == "search"
    assert made.parameters["properties"] == {"query": {"type": "string"}}
    assert "secret" not in json.dumps(made.schema)
    assert run(bound, "search", query="tea") == "tea secret 5"
    refused = run(bound, "search", query="tea", api_key="mine")
    assert refused == (
        "error: wrong arguments for 'search': api_key: Extra inputs are not permitted"
    )


def test_a_partial_of_a_decorated_function_keeps_what_was_noted() -> None:
    noted = tool(name="find", timeout_s=3)(search)
    try:
        made = Tool.from_function(functools.partial(noted, api_key="secret"))
        assert (made.name, made.timeout_s) == ("find", 3)
    finally:
        del search.__agent_tool__  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Tool.from_function(lambda x: x), "'x' has no type|named '<lambda>'"),
        (lambda: Tool.from_function(functools.partial(max, 1)), "cannot be"),
        (lambda: Tool.from_function(weather, name="the weather"), "named 'the weather'"),
        (lambda: Tool.from_function(weather, timeout_s=0), "timeout_s is 0"),
        (lambda: Tool.from_function(weather, max_parallel=0), "max_parallel is 0"),
        (lambda: tool(len), "attributes cannot be set"),
        (
            lambda: Tool(name="t", description="", parameters={"type": "string"}, function=len),
            "tool 't': parameters must be",
        ),
        (
            lambda: Tool(name="t", description="", parameters={}, function="len"),  # type: ignore[arg-type]
            "cannot be called",
        ),
    ],
)
def test_what_cannot_be_a_tool_is_refused_with_a_reason(make: Any, complaint: str) -> None:
    with pytest.raises(ToolDefinitionError, match=complaint):
        make()
