"""Which tools the model calls, by what a request declares."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from warpbench.mocks.model.answer import ToolUse, UnusableRequestError
from warpbench.mocks.model.answer_options import AS_USUAL, AnswerOptions, ToolMode
from warpbench.mocks.model.schemas import Instances
from warpbench.mocks.model.tool_uses import tool_uses_of
from warpbench.mocks.workload.script import ToolCallScript, ToolKind

pytestmark = pytest.mark.once


def call(name: str, arguments: dict[str, object]) -> ToolCallScript:
    return ToolCallScript(
        name=name, kind=ToolKind.ASYNC, latency_ns=0, arguments=json.dumps(arguments)
    )


def schema(required: dict[str, str], **more: object) -> dict[str, object]:
    properties = {name: {"type": kind} for name, kind in required.items()}
    return {"type": "object", "properties": properties, "required": list(required), **more}


INSTANCES = Instances()
SEARCH = call("search", {"query": "trains to Vienna"})
OF_THE_LAB = schema({"query": "string", "ticket": "string"}, additionalProperties=False)


def asked(
    declared: dict[str, dict[str, object]],
    *calls: ToolCallScript,
    options: AnswerOptions = AS_USUAL,
    made: int = 0,
) -> list[tuple[str, dict[str, Any]]]:
    uses = tool_uses_of(
        calls or (SEARCH,), declared, 7, 0, instances=INSTANCES, options=options, made=made
    )
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
    ((name, arguments),) = asked({"book": OF_THE_LAB, "own": schema({"n": "integer"})})
    assert (name, list(arguments)) == ("own", ["n"])


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
    Draft202012Validator(own).validate(arguments)


@pytest.mark.parametrize(("value", "kind"), [(True, "integer"), (1.5, "integer"), ("1", "number")])
def test_a_value_of_another_type_does_not_fit(value: object, kind: str) -> None:
    declared = schema({"n": kind})

    ((_, arguments),) = asked({"f": declared}, call("f", {"n": value}))

    assert arguments != {"n": value}
    Draft202012Validator(declared).validate(arguments)


def test_without_tools_the_model_answers() -> None:
    assert asked({}) == []


def test_other_tools_are_called_in_rotation() -> None:
    declared = {"a": schema({}), "b": schema({})}
    assert [name for name, _ in asked(declared, SEARCH, SEARCH, SEARCH)] == ["a", "b", "a"]


def test_arguments_of_own_tools_are_drawn_by_session_step_and_place() -> None:
    declared = {"a": schema({"n": "integer"})}

    def arguments(session: int) -> list[str]:
        uses = tool_uses_of((SEARCH, SEARCH), declared, session, 0, instances=INSTANCES)
        return [use.arguments for use in uses]

    assert arguments(7) == arguments(7)
    assert len({text for session in range(8) for text in arguments(session)}) > 4


def test_of_own_tools_defaults_are_taken_and_what_is_not_required_is_left_out() -> None:
    properties = {"unit": {"type": "string", "default": "metre"}, "digits": {"type": "integer"}}
    own: dict[str, object] = {"type": "object", "properties": properties, "required": ["unit"]}

    assert asked({"measure": own}) == [("measure", {"unit": "metre"})]


def test_the_scripts_arguments_go_to_no_property_that_is_not_declared() -> None:
    own = {"type": "object", "properties": {"q": {"type": "string"}}}

    assert asked({"search": own}) == [("search", {})]


@pytest.mark.parametrize(
    ("own", "path"),
    [
        (schema({"n": "integer"}) | {"properties": {"n": {"enum": []}}}, "#/properties/n/enum"),
        (schema({"n": "integr"}), "#/properties/n/type"),
        (schema({"n": "integer"}) | {"properties": {"n": {"$ref": "#/$defs/n"}}}, "/n/$ref"),
    ],
)
def test_arguments_that_cannot_be_made_are_refused_with_the_path(
    own: dict[str, object], path: str
) -> None:
    with pytest.raises(UnusableRequestError, match="the tool 'count'") as refused:
        asked({"count": own})
    assert path in str(refused.value)


REQUIRED = AnswerOptions(tool_mode=ToolMode.REQUIRED)
OWN = {"a": schema({}), "b": schema({}), "final_answer": schema({"answer": "string"})}


def uses_of_last_round(declared: Any, options: AnswerOptions) -> tuple[ToolUse, ...]:
    return tool_uses_of((), declared, 7, 0, instances=INSTANCES, options=options)


class TestToolChoice:
    def test_none_calls_none(self) -> None:
        assert asked(OWN, options=AnswerOptions(tool_mode=ToolMode.NONE)) == []

    def test_auto_is_as_the_script_has_it(self) -> None:
        assert uses_of_last_round(OWN, AnswerOptions()) == ()
        assert [name for name, _ in asked(OWN, SEARCH, options=AnswerOptions())] == ["a"]

    def test_required_calls_the_last_tool_in_the_last_round(self) -> None:
        ((use),) = uses_of_last_round(OWN, REQUIRED)

        assert use.name == "final_answer"
        assert list(json.loads(use.arguments)) == ["answer"]

    def test_and_not_before(self) -> None:
        names = [name for name, _ in asked(OWN, *(SEARCH,) * 4, options=REQUIRED)]

        assert names == ["a", "b", "a", "b"]

    def test_a_single_tool_is_called_in_every_round(self) -> None:
        assert asked({"a": schema({})}, options=REQUIRED) == [("a", {})]

    def test_the_labs_tools_come_first_and_the_own_one_last(self) -> None:
        declared = {"search": OF_THE_LAB, "final_answer": schema({})}

        assert [name for name, _ in asked(declared, options=REQUIRED)] == ["search"]
        assert [use.name for use in uses_of_last_round(declared, REQUIRED)] == ["final_answer"]

    def test_a_named_tool_is_called_once_whatever_the_round(self) -> None:
        options = AnswerOptions(tool_mode=ToolMode.REQUIRED, tool="b")

        assert asked(OWN, SEARCH, SEARCH, options=options) == [("b", {})]
        assert [use.name for use in uses_of_last_round(OWN, options)] == ["b"]

    def test_a_named_tool_of_the_lab_gets_its_ticket(self) -> None:
        declared = {"look_up": OF_THE_LAB, "search": OF_THE_LAB}
        options = AnswerOptions(tool_mode=ToolMode.REQUIRED, tool="search")

        ((name, arguments),) = asked(declared, call("look_up", {}), SEARCH, options=options)

        assert (name, arguments["ticket"]) == ("search", "7.0.1")

    def test_only_allowed_tools_are_called(self) -> None:
        options = AnswerOptions(allowed_tools=("b", "unknown"))

        assert [name for name, _ in asked(OWN, SEARCH, SEARCH, options=options)] == ["b", "b"]

    @pytest.mark.parametrize(
        ("declared", "options", "why"),
        [
            (OWN, AnswerOptions(tool_mode=ToolMode.REQUIRED, tool="x"), "'x', which is not"),
            ({}, AnswerOptions(tool_mode=ToolMode.REQUIRED, tool="x"), "'x', which is not"),
            (
                {"search": OF_THE_LAB},
                AnswerOptions(tool_mode=ToolMode.REQUIRED, tool="search"),
                "a tool of the lab",
            ),
            ({"search": OF_THE_LAB}, REQUIRED, "only tools of the lab"),
        ],
    )
    def test_what_cannot_be_called_is_refused(
        self, declared: Any, options: AnswerOptions, why: str
    ) -> None:
        with pytest.raises(UnusableRequestError, match=why):
            uses_of_last_round(declared, options)

    def test_one_call_at_a_time_is_the_first_that_was_not_made(self) -> None:
        declared = {"search": OF_THE_LAB}
        options = AnswerOptions(is_one_call=True)

        tickets = [
            [
                use["ticket"]
                for _, use in asked(declared, SEARCH, SEARCH, options=options, made=made)
            ]
            for made in range(3)
        ]

        assert tickets == [["7.0.0"], ["7.0.1"], []]
