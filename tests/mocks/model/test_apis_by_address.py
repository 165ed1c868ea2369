"""Which API an address belongs to."""

import json

import openai
import pytest
from warpbench.mocks.model.apis import addressed
from warpbench.mocks.model.endpoints import endpoint_at

from ..mocked import PROMPT, Mocked, call

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("path", "query", "name", "model"),
    [
        ("/v1/chat/completions", "", "chat/completions", None),
        ("/openai/deployments/gpt/chat/completions", "api-version=1", "chat/completions", "gpt"),
        ("/openai/v1/chat/completions", "", "chat/completions", None),
        ("/openai/v1/responses", "api-version=preview", "responses", None),
        ("/v1/completions", "", "completions", None),
        ("/openai/deployments/gpt/completions", "", "completions", "gpt"),
        ("/v1/messages", "beta=true", "messages", None),
        ("/v1beta/models/g-2.5:generateContent", "", "generateContent", "g-2.5"),
        (
            "/v1beta1/projects/p/locations/l/publishers/google/models/g:generateContent",
            "",
            "generateContent",
            "g",
        ),
        ("/v1/models/g:streamGenerateContent", "alt=sse", "streamGenerateContent", "g"),
        ("/v1/models/g:streamGenerateContent", "key=k&alt=sse", "streamGenerateContent", "g"),
        ("/v1/models/g:streamGenerateContent", "", "streamGenerateContent", "g"),
    ],
)
def test_an_address_says_which_api_and_perhaps_which_model(
    path: str, query: str, name: str, model: str | None
) -> None:
    place = addressed(path, query)

    assert place is not None
    assert (place.wire.name, place.model) == (name, model)


def test_a_stream_of_gemini_is_events_only_if_the_query_says_so() -> None:
    types = {
        query: place.wire.stream_type
        for query in ("", "alt=json", "alt=sse")
        if (place := addressed("/v1/models/g:streamGenerateContent", query)) is not None
    }

    assert types["alt=sse"].startswith("text/event-stream")
    assert types[""] == types["alt=json"] == "application/json"


@pytest.mark.parametrize(
    "path",
    [
        "/model/anthropic.claude/converse",  # Amazon Bedrock
        "/model/anthropic.claude/invoke",
        "/api/chat",  # Ollama
        "/api/generate",
        "/api/embed",
        "/api/embeddings",
        "/v1/responses/resp_1/cancel",
    ],
)
def test_other_apis_are_not_spoken(path: str) -> None:
    assert addressed(path) is None
    assert endpoint_at("POST", path) is None


def test_azure_is_asked_by_its_own_client() -> None:
    mocked = Mocked(call(1000))

    def ask() -> str:
        client = openai.AzureOpenAI(
            api_key="none",
            api_version="2024-10-21",
            azure_endpoint="https://x.openai.azure.com",
            _strict_response_validation=True,
        )
        answer = client.chat.completions.create(
            model="gpt", messages=[{"role": "user", "content": PROMPT}]
        )
        return answer.model

    assert mocked.run(ask) == "gpt"


def test_the_deployment_is_the_model_where_the_body_names_none() -> None:
    mocked = Mocked(call(1000))
    body = json.dumps({"messages": [{"role": "user", "content": PROMPT}]}).encode()
    path = "/openai/deployments/gpt/chat/completions"

    exchange = mocked.world.exchange("POST", path, f"https://x.example{path}?api-version=1", body)

    assert json.loads(exchange.reply.body)["model"] == "gpt"
