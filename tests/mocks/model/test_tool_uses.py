"""Which tools the model calls, by what a request declares."""

import json
from typing import Any

import pytest
from warpbench.mocks.model.tool_uses import tool_uses_of
from warpbench.mocks.workload.script import ToolCallScript, ToolKind


def call(name: str, arguments: dict[str, object]) -> ToolCallScript:
    return ToolCallScript(
        name=name, kind=ToolKind.ASYNC, latency_ns=0, arguments=json.dumps(arguments)
    )


def schema(required: dict[str, str], **more: object) -> dict[str, object]:
    properties = {name: {"type": kind} for name, kind in required.items()}
    return {"type": "object", "properties": properties, "required": list(required), **more}


SEARCH = call("search", {"query": "trains to Vienna"})
OF_THE_LAB = schema({"query": "string", "ticket": "string"}, additionalProperties=False)


def asked(
    declared: dict[str, dict[str, object]], *calls: ToolCallScript
) -> list[tuple[str, dict[str, Any]]]:
    uses = tool_uses_of(calls or (SEARCH,), declared, 7, 0)
    return [(use.name, json.loads(use.arguments)) for use in uses]


@pytest.mark.parametrize(
    "name",
    [
        "search",
        "trips-search",
        "mcp__server__search",
        "default_api.search",
        "trips_search",
        "Search",
    ],
)
def test_a_tool_of_the_lab_is_known_under_a_prefix_and_gets_its_ticket(name: str) -> None:
    assert asked({"own": schema({}), name: OF_THE_LAB}) == [
        (name, {"query": "trains to Vienna", "ticket": "7.0.0"})
    ]


def test_of_two_names_that_end_alike_it_is_the_one_with_the_shorter_prefix() -> None:
    assert asked({"trips-research": OF_THE_LAB, "trips-search": OF_THE_LAB}) == [
        ("trips-search", {"query": "trains to Vienna", "ticket": "7.0.0"})
    ]


def test_a_ticket_is_never_made_up() -> None:
    assert asked({"book": OF_THE_LAB}) == []
    assert asked({"book": OF_THE_LAB, "own": schema({"n": "integer"})}) == [("own", {"n": 1})]


def test_a_tool_of_the_users_own_gets_the_scripts_arguments_where_they_fit() -> None:
    assert asked({"search": schema({"query": "string"})}) == [
        ("search", {"query": "trains to Vienna"})
    ]


@pytest.mark.parametrize(
    "own",
    [
        schema({"q": "string", "limit": "integer"}, additionalProperties=False),
        schema({"query": "integer"}),
        schema({"q": "string"}),
        schema({}, additionalProperties=False),
    ],
)
def test_where_they_do_not_fit_they_are_made_up_from_its_schema(own: dict[str, object]) -> None:
    ((name, arguments),) = asked({"search": own})
    assert name == "search"
    assert arguments.keys() == set(own["required"])  # type: ignore[call-overload]
    assert "trains to Vienna" not in arguments.values()


@pytest.mark.parametrize(("value", "kind"), [(True, "integer"), (1.5, "integer"), ("1", "number")])
def test_a_value_of_another_type_does_not_fit(value: object, kind: str) -> None:
    ((_, arguments),) = asked({"f": schema({"n": kind})}, call("f", {"n": value}))
    assert arguments in ({"n": 1}, {"n": 1.5})
    assert type(arguments["n"]) is not type(value) or arguments["n"] != value


def test_without_tools_the_model_answers() -> None:
    assert asked({}) == []


def test_other_tools_are_called_in_rotation() -> None:
    declared = {"a": schema({}), "b": schema({})}
    assert [name for name, _ in asked(declared, SEARCH, SEARCH, SEARCH)] == ["a", "b", "a"]
