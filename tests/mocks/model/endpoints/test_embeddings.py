"""Embeddings, held against the official SDKs: vectors made up of the text alone."""

import math
from typing import Any

import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warpbench.mocks.model.endpoints import Asked
from warpbench.mocks.model.endpoints.embeddings import EMBEDDINGS, USUAL_DIMENSIONS
from warpbench.mocks.model.endpoints.vectors import vector_of
from warpbench.mocks.scenario.endpoints import EndpointKind

from ...mocked import Mocked, call

pytestmark = pytest.mark.once

TAKES_S = EndpointKind.EMBEDDINGS.latency_s


def asked(**request: Any) -> openai.types.CreateEmbeddingResponse:
    # The SDK asks for base64 unless told otherwise; its own types then fit what it decoded only.
    is_strict = request.get("encoding_format") == "float"
    with openai.OpenAI(api_key="none", _strict_response_validation=is_strict) as client:
        return client.embeddings.create(model="m", **request)


def vectors(**request: Any) -> list[list[float]]:
    answer = Mocked().run(lambda: asked(**request))
    assert [each.index for each in answer.data] == list(range(len(answer.data)))
    return [each.embedding for each in answer.data]


def refused(**request: Any) -> str:
    with pytest.raises(openai.BadRequestError) as error:
        Mocked().run(lambda: asked(**request))
    return str(error.value)


def test_a_vector_has_unit_length_and_the_usual_dimensions() -> None:
    (vector,) = vectors(input="a text")

    assert len(vector) == USUAL_DIMENSIONS == 1536
    assert math.isclose(math.hypot(*vector), 1, rel_tol=1e-6)


def test_equal_texts_have_equal_vectors_and_others_are_nearly_at_right_angles() -> None:
    first, second, again = vectors(input=["one text", "another text", "one text"])

    assert first == again
    assert abs(sum(x * y for x, y in zip(first, second, strict=True))) < 0.1


def test_base64_says_the_same_numbers() -> None:
    assert vectors(input="a text") == vectors(input="a text", encoding_format="float")


def test_fewer_dimensions_are_the_beginning_at_unit_length() -> None:
    (short,), (long,) = vectors(input="a text", dimensions=8), vectors(input="a text")

    length = math.hypot(*long[:8])
    assert short == pytest.approx([number / length for number in long[:8]], rel=1e-5)
    assert math.isclose(math.hypot(*short), 1, rel_tol=1e-6)


@pytest.mark.parametrize(
    ("given_input", "count", "tokens"),
    [
        ("twelve chars", 1, 3),
        (["twelve chars", "four"], 2, 4),
        ([1, 2, 3], 1, 3),
        ([[1, 2, 3], [4]], 2, 4),
    ],
)
def test_texts_and_tokens_come_alone_or_as_a_list(
    given_input: Any, count: int, tokens: int
) -> None:
    answer = Mocked().run(lambda: asked(input=given_input))

    assert len(answer.data) == count
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == tokens
    assert answer.model == "m"


def test_tokens_are_no_text() -> None:
    assert vectors(input=[1, 2]) != vectors(input="[1, 2]")
    assert vectors(input=[1, 2]) == vectors(input=[[1, 2]])


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        ({"input": ""}, "`input`: expected texts or tokens, found an empty one"),
        ({"input": []}, "`input`: expected texts or tokens, found an empty one"),
        ({"input": ["x", ""]}, "`input`: expected texts or tokens, found an empty one"),
        ({"input": ["x", 3]}, "`input`: expected texts or tokens, found both"),
        ({"input": ["x"] * 2049}, "`input`: expected at most 2048 inputs, found 2049"),
        ({"input": "x", "dimensions": 0}, "`dimensions`: expected 1 to 16384, found 0"),
        ({"input": 3}, "not a request to …/embeddings: Expected"),
    ],
)
def test_what_is_no_request_is_refused_with_the_reason(
    request_: dict[str, Any], problem: str
) -> None:
    assert problem in refused(**request_)


def test_it_takes_its_time_and_no_call_of_the_script() -> None:
    mocked = Mocked(call(1000))

    mocked.run(lambda: asked(input="x"))

    assert mocked.now_s == TAKES_S
    assert (mocked.traffic.llm_calls, mocked.traffic.service_calls) == (0, 1)


def test_azure_names_the_model_in_the_path() -> None:
    def ask() -> str:
        client = openai.AzureOpenAI(
            api_key="none",
            api_version="2024-10-21",
            azure_endpoint="https://x.openai.azure.com",
        )
        return client.embeddings.create(model="small", input="x").model

    assert Mocked().run(ask) == "small"
    match = EMBEDDINGS.path.search("/openai/deployments/large/embeddings")
    assert match is not None
    answer: Any = EMBEDDINGS.answers(Asked(match.groupdict(), b'{"input": "x"}'))
    assert answer["model"] == "large"


@settings(deadline=None)
@given(st.text(), st.integers(1, 300))
def test_any_text_has_a_vector_of_unit_length(text: str, dimensions: int) -> None:
    vector = vector_of(text, dimensions)

    assert len(vector) == dimensions
    assert math.isclose(math.hypot(*vector), 1, rel_tol=1e-5)
    assert vector == vector_of(text, dimensions)


def test_vectors_are_the_same_on_every_machine() -> None:
    assert vector_of("a text", 3).tolist() == pytest.approx(
        [-0.3902040123939514, -0.7442915439605713, 0.5420063734054565], rel=1e-6
    )


class TestGemini:
    def test_contents_have_vectors(self) -> None:
        genai = pytest.importorskip("google.genai")

        def ask(contents: Any, **config: Any) -> list[list[float]]:
            client = genai.Client(api_key="none")
            answer = client.models.embed_content(model="m", contents=contents, config=config)
            return [each.values for each in answer.embeddings]

        mocked = Mocked()
        first, second = mocked.run(lambda: ask(["one", "two"]))
        (short,) = mocked.run(lambda: ask("one", output_dimensionality=4))

        assert len(first) == len(second) == 3072
        assert first != second
        assert short == vector_of("one", 4).tolist()
        assert mocked.now_s == 2 * TAKES_S

    def test_one_content_is_embedded_over_plain_http(self) -> None:
        body = b'{"content": {"parts": [{"text": "one"}]}, "outputDimensionality": 2}'
        mocked = Mocked()

        path = "/v1beta/models/m:embedContent"
        reply = mocked.world.exchange("POST", path, f"https://x.example{path}", body).reply

        assert b'{"embedding":{"values":[' in reply.body
