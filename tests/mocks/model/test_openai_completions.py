"""The older Completions API, held against the official SDK, sync and async, whole and streamed."""

import json
from typing import Any

import openai
import pytest
from warpbench.mocks.model import Rule

from ..mocked import MS, PROMPT, Mocked, call

pytestmark = pytest.mark.once

STREAMED = call(1000, ttft_ns=200 * MS, pieces=5)


def client() -> openai.OpenAI:
    return openai.OpenAI(api_key="none", _strict_response_validation=True)


@pytest.mark.parametrize("prompt", [PROMPT, [PROMPT]])
def test_a_whole_answer(prompt: Any) -> None:
    mocked = Mocked(call(1000))

    answer = mocked.run(lambda: client().completions.create(model="m", prompt=prompt))

    (choice,) = answer.choices
    assert (choice.text, choice.finish_reason) == ("lorem ipsum dolor si", "stop")
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (11, 16)
    assert (answer.model, answer.object) == ("m", "text_completion")
    assert mocked.now_s == 1


def test_a_streamed_answer_is_the_whole_one_in_pieces() -> None:
    mocked = Mocked(STREAMED)

    def stream() -> Any:
        # The SDK's types do not know that every chunk but the last has no reason: no strict ones.
        chunks = openai.OpenAI(api_key="none").completions.create(
            model="m", prompt=PROMPT, stream=True, stream_options={"include_usage": True}
        )
        return [(mocked.now_s, chunk) for chunk in chunks]

    chunks = mocked.run(stream)

    spoken = [(at_s, c.choices[0].text) for at_s, c in chunks if c.choices and c.choices[0].text]
    assert "".join(text for _, text in spoken) == "lorem ipsum dolor si"
    assert [at_s for at_s, _ in spoken] == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert chunks[-2][1].choices[0].finish_reason == "stop"
    assert chunks[-1][1].usage.total_tokens == 16


def test_async() -> None:
    async def ask() -> str:
        async with openai.AsyncOpenAI(api_key="none", _strict_response_validation=True) as asking:
            answer = await asking.completions.create(model="m", prompt=PROMPT)
        return answer.choices[0].text

    assert Mocked(call(1000)).run_async(ask) == "lorem ipsum dolor si"


@pytest.mark.parametrize(
    ("prompt", "more", "choices"),
    [
        ([PROMPT, PROMPT], {}, 2),
        (PROMPT, {"n": 3}, 3),
        ([PROMPT, "and more"], {"n": 2}, 4),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_each_prompt_is_answered_as_often_as_is_asked(
    prompt: Any, more: dict[str, Any], choices: int, *, stream: bool
) -> None:
    def ask() -> Any:
        asking = openai.OpenAI(api_key="none")
        answer: Any = asking.completions.create(model="m", prompt=prompt, stream=stream, **more)
        return list(answer) if stream else [answer]

    texts: dict[int, str] = {}
    for chunk in Mocked(STREAMED).run(ask):
        for choice in chunk.choices:
            texts[choice.index] = texts.get(choice.index, "") + choice.text

    assert texts == dict.fromkeys(range(choices), "lorem ipsum dolor si")


def test_an_answer_ends_where_the_request_says() -> None:
    def ask(**more: Any) -> tuple[str, str, int]:
        answer = client().completions.create(model="m", prompt=PROMPT, **more)
        assert answer.usage is not None
        (choice,) = answer.choices
        return choice.text, choice.finish_reason, answer.usage.completion_tokens

    mocked = Mocked(call(1000))
    assert mocked.run(lambda: ask(max_tokens=2)) == ("lorem ip", "length", 2)
    assert mocked.run(lambda: ask(stop=" dolor")) == ("lorem ipsum", "stop", 3)


def test_texts_and_tokens_are_not_mixed() -> None:
    mixed: Any = ["text", 1]

    with pytest.raises(openai.BadRequestError, match="`prompt` has both texts and tokens"):
        Mocked(call(1000)).run(lambda: client().completions.create(model="m", prompt=mixed))


@pytest.mark.parametrize("prompt", [[1, 2, 3], [[1, 2, 3], [4]]])
def test_tokens_are_a_prompt_of_nobody(prompt: Any) -> None:
    mocked = Mocked(call(1000))

    assert mocked.run(lambda: client().completions.create(model="m", prompt=prompt)).choices
    assert mocked.model.conversations.rules == {Rule.SHARED: 1}


def test_a_model_that_nobody_names_is_missing_except_at_azures_deployments() -> None:
    mocked = Mocked(call(1000))
    body = json.dumps({"prompt": PROMPT}).encode()

    missing = mocked.model.reply("/v1/completions", body, 0).reply
    named = mocked.model.reply("/openai/deployments/small/completions", body, 0).reply

    assert (missing.status, named.status) == (400, 200)
    assert b"missing required field `model`" in missing.body
    assert json.loads(named.body)["model"] == "small"
