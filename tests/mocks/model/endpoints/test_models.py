"""The lists of models, held against the official SDKs."""

import anthropic
import openai
import pytest
from warpbench.mocks.model.endpoints import endpoint_at
from warpbench.mocks.scenario.endpoints import EndpointKind

from ...mocked import Mocked

pytestmark = pytest.mark.once

LISTING_S = EndpointKind.MODELS.latency_s


def test_openai_lists_models_and_finds_any() -> None:
    def ask() -> tuple[list[str], str]:
        with openai.OpenAI(api_key="none", _strict_response_validation=True) as client:
            listed = [model.id for model in client.models.list()]
            return listed, client.models.retrieve("gpt-5").id

    mocked = Mocked()
    assert mocked.run(ask) == (["warpbench"], "gpt-5")
    assert mocked.now_s == 2 * LISTING_S


def test_anthropic_lists_models_and_finds_any() -> None:
    def ask() -> tuple[list[str], str, str]:
        with anthropic.Anthropic(api_key="none", _strict_response_validation=True) as client:
            listed = [model.id for model in client.models.list()]
            model = client.models.retrieve("claude-x")
            return listed, model.id, model.type

    assert Mocked().run(ask) == (["warpbench"], "claude-x", "model")


def test_gemini_lists_models_and_finds_any() -> None:
    genai = pytest.importorskip("google.genai")

    def ask() -> tuple[list[str], str]:
        client = genai.Client(api_key="none")
        listed = [model.name for model in client.models.list()]
        return listed, client.models.get(model="gemini-x").name

    assert Mocked().run(ask) == (["models/warpbench"], "models/gemini-x")


@pytest.mark.parametrize(
    "path",
    [
        "/models",
        "/v1/models",
        "/v1/models/meta-llama/Llama-3",
        "/openai/models",
        "/openai/v1/models/gpt-5",
        "/api/v1/models",
        "/v1beta/models",
    ],
)
def test_the_models_of_an_api_are_found(path: str) -> None:
    assert endpoint_at("GET", path) is not None
    assert endpoint_at("HEAD", path) is not None
    assert endpoint_at("POST", path) is None


@pytest.mark.parametrize("path", ["/api/models", "/api/models/gpt2", "/cars/models/beetle"])
def test_the_models_of_somebody_else_are_not(path: str) -> None:
    assert endpoint_at("GET", path) is None
