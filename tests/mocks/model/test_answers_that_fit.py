"""Answers in the form that a request asks for, held against the official SDKs."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import anthropic
import openai
import pytest
from pydantic import BaseModel, Field
from warpbench.mocks.model import ScriptedModel
from warpbench.mocks.scenario.faults import Fault, FaultKind
from warpbench.mocks.workload.script import ModelCallScript, SessionScript

from ..mocked import LOOK_UP, MS, PROMPT, SCHEMA, Mocked, call
from .schemas.pydantic_models import Expression, Invoice, Node, Owner

pytestmark = pytest.mark.once

USER: list[Any] = [{"role": "user", "content": PROMPT}]
TEN_PIECES = call(1000, ttft_ns=100 * MS, pieces=10, tokens=10)
OWN_SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


OWN_FORMAT = {"type": "json_schema", "json_schema": {"name": "n", "schema": OWN_SCHEMA}}


class Route(BaseModel):
    to: Literal["billing", "support"]
    score: float = Field(ge=0, le=1)
    reason: str


MODELS = [Route, Invoice, Owner, Node, Expression]


def openai_client() -> openai.OpenAI:
    return openai.OpenAI(api_key="none", _strict_response_validation=True)


def anthropic_client() -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="none", _strict_response_validation=True)


def chat(**more: Any) -> Any:
    options: Any = {"model": "m", "messages": USER, **more}
    return openai_client().chat.completions.create(**options)


def responses(**more: Any) -> Any:
    options: Any = {"model": "m", "input": PROMPT, **more}
    return openai_client().responses.create(**options)


def messages(**more: Any) -> Any:
    options: Any = {"model": "m", "messages": USER, "max_tokens": 4096, **more}
    return anthropic_client().messages.create(**options)


def text_of_chat(chunks: Any) -> str:
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


@pytest.mark.parametrize("model", MODELS)
class TestParse:
    """What the SDKs' own helpers read: each sends the schema of a model, and validates."""

    def test_chat_completions(self, model: type[BaseModel]) -> None:
        def parse() -> Any:
            client = openai_client()
            return client.chat.completions.parse(model="m", messages=USER, response_format=model)

        message = Mocked(TEN_PIECES).run(parse).choices[0].message

        assert isinstance(message.parsed, model)

    def test_chat_completions_streamed(self, model: type[BaseModel]) -> None:
        def stream() -> Any:
            client = openai_client()
            with client.chat.completions.stream(
                model="m", messages=USER, response_format=model
            ) as events:
                return events.get_final_completion()

        message = Mocked(TEN_PIECES).run(stream).choices[0].message

        assert isinstance(message.parsed, model)

    def test_responses(self, model: type[BaseModel]) -> None:
        def parse() -> Any:
            client = openai_client()
            return client.responses.parse(model="m", input=PROMPT, text_format=model)

        assert isinstance(Mocked(TEN_PIECES).run(parse).output_parsed, model)

    def test_responses_streamed(self, model: type[BaseModel]) -> None:
        def stream() -> Any:
            client = openai_client()
            with client.responses.stream(model="m", input=PROMPT, text_format=model) as events:
                return events.get_final_response()

        assert isinstance(Mocked(TEN_PIECES).run(stream).output_parsed, model)

    def test_messages(self, model: type[BaseModel]) -> None:
        def parse() -> Any:
            client = anthropic_client()
            return client.messages.parse(
                model="m", messages=USER, max_tokens=4096, output_format=model
            )

        assert isinstance(Mocked(TEN_PIECES).run(parse).parsed_output, model)

    def test_messages_streamed(self, model: type[BaseModel]) -> None:
        def stream() -> Any:
            client = anthropic_client()
            with client.messages.stream(
                model="m", messages=USER, max_tokens=4096, output_format=model
            ) as events:
                return events.get_final_message()

        assert isinstance(Mocked(TEN_PIECES).run(stream).parsed_output, model)


def test_tools_that_are_parsed_get_arguments_of_their_models() -> None:
    tool = openai.pydantic_function_tool(Route)

    def parse() -> Any:
        client = openai_client()
        return client.chat.completions.parse(
            model="m", messages=USER, tools=[tool], tool_choice="required"
        )

    (called,) = Mocked(call()).run(parse).choices[0].message.tool_calls

    assert isinstance(called.function.parsed_arguments, Route)


def test_the_fragments_of_a_stream_add_up_to_the_instance() -> None:
    schema = {
        "type": "json_schema",
        "json_schema": {"name": "r", "schema": Route.model_json_schema()},
    }

    whole = Mocked(TEN_PIECES).run(lambda: chat(response_format=schema))
    chunks = Mocked(TEN_PIECES).run(lambda: list(chat(response_format=schema, stream=True)))

    assert text_of_chat(chunks) == whole.choices[0].message.content
    assert len([c for c in chunks if c.choices[0].delta.content]) > 5


def test_sessions_get_different_instances() -> None:
    model = ScriptedModel({number: SessionScript(number, (call(),)) for number in range(12)})
    schema = {
        "type": "json_schema",
        "json_schema": {"name": "r", "schema": Route.model_json_schema()},
    }

    def answer(session: int) -> str:
        prompt = PROMPT.replace("session 0", f"session {session}")
        request = {
            "model": "m",
            "messages": [{"role": "user", "content": prompt}],
            "response_format": schema,
        }
        reply = model.reply("/v1/chat/completions", json.dumps(request).encode(), 0).reply
        text: str = json.loads(reply.body)["choices"][0]["message"]["content"]
        return text

    assert {json.loads(answer(number))["to"] for number in range(12)} == {"billing", "support"}
    assert answer(3) == answer(3)


OF_ANY_JSON: dict[str, Callable[[], Any]] = {
    "chat completions": lambda: (
        chat(response_format={"type": "json_object"}).choices[0].message.content
    ),
    "responses": lambda: responses(text={"format": {"type": "json_object"}}).output_text,
}


@pytest.mark.parametrize("ask", OF_ANY_JSON.values(), ids=OF_ANY_JSON)
def test_json_of_any_form_is_a_small_object(ask: Callable[[], Any]) -> None:
    assert list(json.loads(Mocked(call()).run(ask))) == ["answer"]


PROMPTED = (
    f"{PROMPT} Use no {{}}. Answer with JSON of this form: {json.dumps(OWN_SCHEMA)} and {{no}}"
)


def test_json_without_a_schema_is_by_one_in_the_prompt() -> None:
    of_chat = Mocked(call()).run(
        lambda: chat(
            response_format={"type": "json_object"},
            messages=[{"role": "user", "content": [{"type": "text", "text": PROMPTED}]}],
        )
    )
    of_responses = Mocked(call()).run(
        lambda: responses(text={"format": {"type": "json_object"}}, instructions=PROMPTED)
    )

    texts = [of_chat.choices[0].message.content, of_responses.output_text]
    assert [list(json.loads(text)) for text in texts] == [["n"], ["n"]]


def test_if_that_one_has_an_instance() -> None:
    prompt = f"{PROMPT} {json.dumps(NO_INSTANCE)}"
    answer = Mocked(call()).run(
        lambda: chat(
            response_format={"type": "json_object"}, messages=[{"role": "user", "content": prompt}]
        )
    )

    assert list(json.loads(answer.choices[0].message.content)) == ["answer"]


def test_the_beta_of_messages_has_the_format_elsewhere() -> None:
    schema = {"type": "json_schema", "schema": OWN_SCHEMA}

    answer = Mocked(call()).run(lambda: messages(extra_body={"output_format": schema}))

    assert list(json.loads(answer.content[0].text)) == ["n"]


class TestMaxTokens:
    def test_chat_completions(self) -> None:
        for name in ("max_tokens", "max_completion_tokens"):
            answer = Mocked(call(tokens=5)).run(lambda: chat(**{name: 3}))  # noqa: B023 - runs now

            assert answer.choices[0].message.content == "lorem ipsum "
            assert answer.choices[0].finish_reason == "length"
            assert answer.usage.completion_tokens == 3

    def test_responses(self) -> None:
        answer = Mocked(call(tokens=5)).run(lambda: responses(max_output_tokens=3))

        assert (answer.status, answer.incomplete_details.reason) == (
            "incomplete",
            "max_output_tokens",
        )
        assert answer.output_text == "lorem ipsum "
        assert answer.output[0].status == "incomplete"

    def test_responses_streamed(self) -> None:
        asked = call(tokens=5)
        events = Mocked(asked).run(lambda: list(responses(max_output_tokens=3, stream=True)))

        assert events[-1].type == "response.incomplete"
        assert events[-1].response.output_text == "lorem ipsum "

    def test_messages(self) -> None:
        answer = Mocked(call(tokens=5)).run(lambda: messages(max_tokens=3))

        assert (answer.stop_reason, answer.stop_sequence) == ("max_tokens", None)
        assert answer.content[0].text == "lorem ipsum "

    def test_arguments_of_a_tool_are_cut_as_well(self) -> None:
        tool = {"type": "function", "function": {"name": "look_up", "parameters": SCHEMA}}
        asks = ModelCallScript(1000 * MS, 11, 22, (LOOK_UP, LOOK_UP))

        choice = Mocked(asks).run(lambda: chat(tools=[tool], max_tokens=3)).choices[0]

        assert choice.finish_reason == "length"
        assert [each.function.arguments for each in choice.message.tool_calls] == ['{"word":"tim']

    def test_an_answer_within_the_bound_is_whole(self) -> None:
        choice = Mocked(call(tokens=5)).run(lambda: chat(max_tokens=5)).choices[0]

        assert (choice.finish_reason, choice.message.content) == ("stop", "lorem ipsum dolor si")

    def test_it_takes_as_long_as_the_script_says(self) -> None:
        mocked = Mocked(call(1000, tokens=5))

        mocked.run(lambda: chat(max_tokens=1))

        assert mocked.now_s == 1


class TestStop:
    def test_chat_completions(self) -> None:
        for stop in (" dolor", ["never", " dolor"]):
            choice = Mocked(call()).run(lambda: chat(stop=stop)).choices[0]  # noqa: B023 - runs now

            assert (choice.finish_reason, choice.message.content) == ("stop", "lorem ipsum")

    def test_messages_say_which_it_was(self) -> None:
        answer = Mocked(call()).run(lambda: messages(stop_sequences=["amet", "ipsum"]))

        assert answer.content[0].text == "lorem "
        assert (answer.stop_reason, answer.stop_sequence) == ("stop_sequence", "ipsum")
        assert answer.usage.output_tokens == 2

    def test_messages_streamed(self) -> None:
        events = Mocked(call()).run(lambda: list(messages(stop_sequences=["ipsum"], stream=True)))

        (ended,) = [event for event in events if event.type == "message_delta"]
        assert (ended.delta.stop_reason, ended.delta.stop_sequence) == ("stop_sequence", "ipsum")

    def test_one_that_does_not_come_ends_nothing(self) -> None:
        answer = Mocked(call()).run(lambda: messages(stop_sequences=["\nObservation:"]))

        assert (answer.stop_reason, answer.stop_sequence) == ("end_turn", None)


class TestSeveralChoices:
    def test_whole(self) -> None:
        answer = Mocked(call(tokens=5)).run(lambda: chat(n=3, response_format=OWN_FORMAT))

        assert [choice.index for choice in answer.choices] == [0, 1, 2]
        assert len({choice.message.content for choice in answer.choices}) > 1
        assert answer.usage.completion_tokens == 15

    def test_streamed_they_come_at_the_same_times(self) -> None:
        mocked = Mocked(TEN_PIECES)

        def stream() -> Any:
            return [(mocked.now_s, chunk.choices[0]) for chunk in chat(n=2, stream=True)]

        sent = mocked.run(stream)

        of = [[(at, c) for at, c in sent if c.index == index] for index in (0, 1)]
        assert [at for at, _ in of[0]] == [at for at, _ in of[1]]
        assert all(
            "".join(c.delta.content or "" for _, c in each)
            == "lorem ipsum dolor sit amet, lorem ipsum "[:40]
            for each in of
        )
        assert [each[-1][1].finish_reason for each in of] == ["stop", "stop"]

    def test_tool_calls_have_identifiers_of_their_own(self) -> None:
        tool = {"type": "function", "function": {"name": "look_up", "parameters": SCHEMA}}
        asks = ModelCallScript(1000 * MS, 11, 22, (LOOK_UP, LOOK_UP))

        whole = Mocked(asks).run(lambda: chat(tools=[tool], n=2))
        chunks = Mocked(asks).run(lambda: list(chat(tools=[tool], n=2, stream=True)))

        identifiers = [each.id for c in whole.choices for each in c.message.tool_calls]
        opened = [
            each.id
            for chunk in chunks
            for each in chunk.choices[0].delta.tool_calls or ()
            if each.id is not None
        ]
        assert len(set(identifiers)) == 4
        assert sorted(opened) == sorted(identifiers)

    def test_a_fault_alters_all(self) -> None:
        empty = replace(call(), faults=(Fault(FaultKind.EMPTY_ANSWER),))

        answer = Mocked(empty).run(lambda: chat(n=2))

        assert [choice.message.content for choice in answer.choices] == ["", ""]


ASKS_TWICE = ModelCallScript(1000 * MS, 11, 22, (LOOK_UP, LOOK_UP))
CHAT_TOOL = {"type": "function", "function": {"name": "own", "parameters": OWN_SCHEMA}}
RESPONSES_TOOL = {"type": "function", "name": "own", "parameters": OWN_SCHEMA}
MESSAGES_TOOL = {"name": "own", "input_schema": OWN_SCHEMA}
Calls = Callable[[ModelCallScript, Any], list[str]]


def chat_calls(asked: ModelCallScript, options: Any) -> list[str]:
    answer = Mocked(asked).run(lambda: chat(tools=[CHAT_TOOL], **options))
    return [each.function.name for each in answer.choices[0].message.tool_calls or ()]


def responses_calls(asked: ModelCallScript, options: Any) -> list[str]:
    answer = Mocked(asked).run(lambda: responses(tools=[RESPONSES_TOOL], **options))
    return [item.name for item in answer.output if item.type == "function_call"]


def messages_calls(asked: ModelCallScript, options: Any) -> list[str]:
    answer = Mocked(asked).run(lambda: messages(tools=[MESSAGES_TOOL], **options))
    return [block.name for block in answer.content if block.type == "tool_use"]


FORCED: list[tuple[Calls, Any]] = [
    (chat_calls, {"tool_choice": "required"}),
    (chat_calls, {"tool_choice": {"type": "function", "function": {"name": "own"}}}),
    (
        chat_calls,
        {
            "tool_choice": {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "required", "tools": [CHAT_TOOL]},
            }
        },
    ),
    (responses_calls, {"tool_choice": "required"}),
    (responses_calls, {"tool_choice": {"type": "function", "name": "own"}}),
    (
        responses_calls,
        {
            "tool_choice": {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "own"}],
            }
        },
    ),
    (messages_calls, {"tool_choice": {"type": "any"}}),
    (messages_calls, {"tool_choice": {"type": "tool", "name": "own"}}),
]
NONE: list[tuple[Calls, Any]] = [
    (chat_calls, {"tool_choice": "none"}),
    (responses_calls, {"tool_choice": "none"}),
    (messages_calls, {"tool_choice": {"type": "none"}}),
]
AUTO: list[tuple[Calls, Any]] = [
    (chat_calls, {"tool_choice": "auto"}),
    (responses_calls, {"tool_choice": "auto"}),
    (messages_calls, {"tool_choice": {"type": "auto"}}),
]
ONE_AT_A_TIME: list[tuple[Calls, Any]] = [
    (chat_calls, {"parallel_tool_calls": False}),
    (responses_calls, {"parallel_tool_calls": False}),
    (messages_calls, {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}),
]


class TestToolChoice:
    @pytest.mark.parametrize(("calls", "options"), FORCED)
    def test_a_forced_tool_is_called_even_in_the_last_round(
        self, calls: Calls, options: Any
    ) -> None:
        assert calls(call(), options) == ["own"]

    @pytest.mark.parametrize(("calls", "options"), NONE)
    def test_none_calls_none_whatever_the_script_says(self, calls: Calls, options: Any) -> None:
        assert calls(ASKS_TWICE, options) == []

    @pytest.mark.parametrize(("calls", "options"), AUTO)
    def test_auto_is_as_the_script_says(self, calls: Calls, options: Any) -> None:
        assert calls(ASKS_TWICE, options) == ["own", "own"]
        assert calls(call(), options) == []

    @pytest.mark.parametrize(("calls", "options"), ONE_AT_A_TIME)
    def test_one_call_at_a_time(self, calls: Calls, options: Any) -> None:
        assert calls(ASKS_TWICE, options) == ["own"]


NO_INSTANCE = {
    "type": "object",
    "properties": {"n": {"type": "integer", "minimum": 3, "maximum": 2}},
    "required": ["n"],
}
PATH = "#/properties/n/maximum"
CHAT_FORMAT = {"type": "json_schema", "json_schema": {"name": "n", "schema": NO_INSTANCE}}
TEXT_FORMAT = {"format": {"type": "json_schema", "name": "n", "schema": NO_INSTANCE}}
OUTPUT_CONFIG = {"format": {"type": "json_schema", "schema": NO_INSTANCE}}
REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: chat(response_format=CHAT_FORMAT), f"response_format.json_schema.schema{PATH}"),
    (lambda: responses(text=TEXT_FORMAT), f"text.format.schema{PATH}"),
    (lambda: messages(output_config=OUTPUT_CONFIG), f"output_config.format.schema{PATH}"),
    (
        lambda: chat(
            tools=[{"type": "function", "function": {"name": "own", "parameters": NO_INSTANCE}}],
            tool_choice="required",
        ),
        f"the tool 'own': its schema, {PATH}",
    ),
    (
        lambda: messages(
            tools=[{"name": "own", "input_schema": NO_INSTANCE}], tool_choice={"type": "any"}
        ),
        f"the tool 'own': its schema, {PATH}",
    ),
    (lambda: chat(response_format={"type": "json_schema"}), "`response_format` has no `schema`"),
    (lambda: messages(output_config={"format": {"type": "json_schema"}}), "has no `schema`"),
    (lambda: chat(tool_choice="always"), "`tool_choice` is 'always', which is none of auto, none"),
    (lambda: messages(tool_choice={"type": "all"}), "`tool_choice.type` is 'all'"),
    (lambda: messages(tool_choice={"type": "tool"}), "has no `name`"),
    (lambda: chat(tool_choice={"type": "function"}), "`tool_choice` names no tool"),
    (
        lambda: responses(tool_choice={"type": "function", "name": "x"}),
        "'x', which is not declared",
    ),
    (lambda: chat(n=0), "`n` is 0; it must be 1 or more"),
    (lambda: chat(n=129), "`n` is 129; it must be 128 at most"),
    (lambda: messages(max_tokens=0), "`max_tokens` is 0"),
]


@pytest.mark.parametrize(("ask", "why"), REFUSED, ids=[case[1] for case in REFUSED])
def test_what_cannot_be_answered_is_a_bad_request_that_says_where(
    ask: Callable[[], Any], why: str
) -> None:
    with pytest.raises((openai.BadRequestError, anthropic.BadRequestError)) as refused:
        Mocked(call()).run(ask)

    assert why in str(refused.value)
