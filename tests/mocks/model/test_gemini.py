"""Gemini's API, held against the official SDK, sync and async, whole and streamed."""

import json
from dataclasses import replace
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field
from warpbench.mocks.model.answer import opening_of
from warpbench.mocks.model.apis import addressed, question_of
from warpbench.mocks.scenario import ModelLimits
from warpbench.mocks.scenario.faults import Fault, FaultKind
from warpbench.mocks.workload.script import ModelCallScript

from ..mocked import LOOK_UP, MS, PROMPT, Mocked, call

genai = pytest.importorskip("google.genai")
errors: Any = pytest.importorskip("google.genai.errors")
types: Any = pytest.importorskip("google.genai.types")

# Of aiohttp, about the SDK's own class.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")

WHOLE = "/v1beta/models/m:generateContent"
STREAM = "/v1beta/models/m:streamGenerateContent"
ASKS = ModelCallScript(1000 * MS, 11, 22, (LOOK_UP, LOOK_UP), ttft_ns=200 * MS, pieces=22)
STREAMED = call(1000, ttft_ns=200 * MS, pieces=5)


def look_up(word: str, ticket: str) -> str:
    """Looks a word up."""
    return f"{word} by {ticket}"


def asked(**request: Any) -> Any:
    # A client that nobody holds any more closes itself.
    client = genai.Client(api_key="none")
    return client.models.generate_content(model="m", **{"contents": PROMPT, **request})


def question(**request: Any) -> Any:
    place = addressed(WHOLE)
    assert place is not None
    return question_of(place, json.dumps(request).encode())


def test_a_whole_answer() -> None:
    mocked = Mocked(call(1000))

    answer = mocked.run(asked)

    assert answer.text == "lorem ipsum dolor si"
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    usage = answer.usage_metadata
    counts = (usage.prompt_token_count, usage.candidates_token_count, usage.total_token_count)
    assert counts == (11, 5, 16)
    assert answer.model_version == "m"
    assert mocked.now_s == 1
    assert mocked.traffic.llm_calls == 1


def test_every_key_of_an_answer_is_known_to_the_sdk() -> None:
    seen: list[Any] = []
    for script, more in ((call(1000), {}), (ASKS, {"tools": [{"functionDeclarations": [F]}]})):
        body = json.dumps({"contents": [{"role": "user", "parts": [{"text": PROMPT}]}], **more})
        reply = Mocked(script).model.reply(WHOLE, body.encode(), 0).reply
        seen.append(types.GenerateContentResponse.model_validate_json(reply.body))

    # The SDK's types forbid what they do not know.
    assert seen[0].text
    assert [each.name for each in seen[1].function_calls] == ["look_up", "look_up"]


F = {
    "name": "look_up",
    "parameters": {
        "type": "OBJECT",
        "properties": {"word": {"type": "STRING"}, "ticket": {"type": "STRING"}},
        "required": ["word", "ticket"],
    },
}


def test_functions_are_called_and_the_script_goes_on() -> None:
    mocked = Mocked(ASKS, call(500))
    config = types.GenerateContentConfig(tools=[look_up])

    answer = mocked.run(lambda: asked(config=config))

    history = answer.automatic_function_calling_history
    results = [part.function_response.response for part in history[-1].parts]
    assert results == [{"result": "time by 0.0.0"}, {"result": "time by 0.0.1"}]
    assert answer.text == "lorem ipsum dolor si"
    assert mocked.now_s == 1.5
    assert mocked.traffic.llm_calls == 2


def test_functions_are_called_in_async_code() -> None:
    mocked = Mocked(ASKS, call(500))

    async def look_up(word: str, ticket: str) -> str:
        """Looks a word up."""
        return f"{word} by {ticket}"

    async def converse() -> Any:
        config = types.GenerateContentConfig(tools=[look_up])
        client = genai.Client(api_key="none")
        models = client.aio.models
        return await models.generate_content(model="m", contents=PROMPT, config=config)

    assert mocked.run_async(converse).text == "lorem ipsum dolor si"
    assert mocked.now_s == 1.5


def test_a_streamed_answer_is_the_whole_one_in_pieces() -> None:
    mocked = Mocked(STREAMED)

    def stream() -> Any:
        client = genai.Client(api_key="none")
        chunks = client.models.generate_content_stream(model="m", contents=PROMPT)
        return [(mocked.now_s, chunk) for chunk in chunks]

    chunks = mocked.run(stream)

    spoken = [(at_s, chunk.text) for at_s, chunk in chunks if chunk.text]
    assert "".join(text for _, text in spoken) == "lorem ipsum dolor si"
    assert [at_s for at_s, _ in spoken] == [0.2, 0.4, 0.6, 0.8, 1.0]
    last = chunks[-1][1]
    assert last.candidates[0].finish_reason == types.FinishReason.STOP
    assert last.usage_metadata.total_token_count == 16


def test_a_streamed_call_of_a_function_comes_as_a_whole() -> None:
    mocked = Mocked(ASKS)

    async def stream() -> Any:
        off = types.AutomaticFunctionCallingConfig(disable=True)
        config = types.GenerateContentConfig(tools=[look_up], automatic_function_calling=off)
        client = genai.Client(api_key="none")
        chunks = await client.aio.models.generate_content_stream(
            model="m", contents=PROMPT, config=config
        )
        return [call for chunk in [c async for c in chunks] for call in chunk.function_calls or ()]

    calls = mocked.run_async(stream)

    assert [each.args for each in calls] == [
        {"word": "time", "ticket": "0.0.0"},
        {"word": "time", "ticket": "0.0.1"},
    ]


def test_without_events_a_stream_is_one_array_that_grows() -> None:
    body = json.dumps({"contents": {"parts": [{"text": PROMPT}]}}).encode()
    mocked = Mocked(STREAMED)

    reply = mocked.world.exchange("POST", STREAM, f"https://x.example{STREAM}", body).reply

    chunks = json.loads(reply.body)
    texts = [each["candidates"][0]["content"]["parts"][0]["text"] for each in chunks]
    assert "".join(texts) == "lorem ipsum dolor si"
    assert [part.at_ns // MS for part in reply.parts] == [200, 400, 600, 800, 1000]
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("script", "limits", "code", "status"),
    [
        ((replace(call(0), faults=(Fault(FaultKind.STATUS, 503),)),), None, 503, "UNAVAILABLE"),
        ((call(0),), ModelLimits(tokens_per_minute=1), 429, "RESOURCE_EXHAUSTED"),
    ],
)
def test_errors_are_those_of_the_api(
    script: tuple[ModelCallScript, ...], limits: ModelLimits | None, code: int, status: str
) -> None:
    mocked = Mocked(*script, limits=limits)
    if code == 429:
        body = json.dumps({"contents": [{"parts": [{"text": PROMPT}]}]}).encode()
        mocked.model.reply(WHOLE, body, 0)

    with pytest.raises(errors.APIError) as error:
        mocked.run(asked)

    assert (error.value.code, error.value.status) == (code, status)


def test_both_spellings_of_a_key_are_read() -> None:
    in_snake_case = {"name": "f", "parameters_json_schema": {"type": "object"}}
    asked = question(
        contents=[{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": []}],
        tools=[
            {"functionDeclarations": [F]},
            {"function_declarations": [in_snake_case, {"name": "g"}]},
            {"googleSearch": {}},
        ],
    )

    assert asked.tools == {
        "look_up": {
            "type": "object",
            "properties": {"word": {"type": "string"}, "ticket": {"type": "string"}},
            "required": ["word", "ticket"],
        },
        "f": {"type": "object"},
        "g": {},
    }
    assert (asked.answers, list(opening_of(asked)), asked.model) == (1, [("user", "a")], "m")


class Route(BaseModel):
    to: Literal["billing", "support"]
    certainty: float = Field(ge=0, le=1)


@pytest.mark.parametrize("schema", [Route, Route.model_json_schema()])
def test_an_instance_of_a_schema(schema: Any) -> None:
    key = "response_schema" if schema is Route else "response_json_schema"
    config = {"response_mime_type": "application/json", key: schema}

    answer = Mocked(call(1000)).run(lambda: asked(config=config))

    Route.model_validate_json(answer.text)
    if schema is Route:
        assert isinstance(answer.parsed, Route)


def test_an_answer_has_the_form_that_its_request_asks_for() -> None:
    mocked = Mocked(call(1000))

    def ask(**config: Any) -> Any:
        return mocked.run(lambda: asked(config=config))

    short = ask(max_output_tokens=2).candidates[0]
    assert (short.content.parts[0].text, short.finish_reason.value) == ("lorem ip", "MAX_TOKENS")
    stopped = ask(stop_sequences=[" dolor"]).candidates[0]
    assert (stopped.content.parts[0].text, stopped.finish_reason.value) == ("lorem ipsum", "STOP")
    assert [each.index or 0 for each in ask(candidate_count=3).candidates] == [0, 1, 2]
    json.loads(ask(response_mime_type="application/json").text)


@pytest.mark.parametrize(
    ("mode", "called"), [("NONE", []), ("AUTO", ["look_up", "look_up"]), ("ANY", ["look_up"] * 2)]
)
def test_functions_are_called_as_the_request_says(mode: str, called: list[str]) -> None:
    config = types.GenerateContentConfig(
        tools=[look_up],
        automatic_function_calling={"disable": True},
        tool_config={"function_calling_config": {"mode": mode}},
    )

    answer = Mocked(ASKS).run(lambda: asked(config=config))

    assert [each.name for each in answer.function_calls or ()] == called


def test_what_no_answer_fits_is_refused_with_the_place() -> None:
    schema = {"type": "integer", "minimum": 3, "maximum": 2}
    config = {"response_mime_type": "application/json", "response_json_schema": schema}

    with pytest.raises(errors.ClientError, match=r"generationConfig\.responseJsonSchema"):
        Mocked(call(1000)).run(lambda: asked(config=config))


@pytest.mark.parametrize(
    ("generation", "tools", "problem"),
    [
        ({"maxOutputTokens": "9"}, {}, "`maxOutputTokens` is '9'; it must be a whole number"),
        ({"candidate_count": 999}, {}, "`candidateCount` is 999; it must be 128 at most"),
        ({}, {"mode": "SOME"}, "`functionCallingConfig.mode` is 'SOME', which is none of AUTO"),
    ],
)
def test_what_is_no_form_is_refused_with_the_reason(
    generation: dict[str, Any], tools: dict[str, Any], problem: str
) -> None:
    body = {
        "contents": [{"parts": [{"text": PROMPT}]}],
        "generationConfig": generation,
        "tool_config": {"function_calling_config": tools},
    }
    reply = Mocked(call(0)).model.reply(WHOLE, json.dumps(body).encode(), 0).reply

    assert problem in json.loads(reply.body)["error"]["message"]
