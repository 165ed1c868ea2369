"""Moderations, held against the official SDK."""

from typing import Any

import openai
import pytest
from warpbench.mocks.scenario.endpoints import EndpointKind

from ...mocked import Mocked

pytestmark = pytest.mark.once

IMAGE = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}
TEXT = {"type": "text", "text": "hello"}


def asked(given: Any) -> openai.types.ModerationCreateResponse:
    with openai.OpenAI(api_key="none", _strict_response_validation=True) as client:
        return client.moderations.create(input=given)


@pytest.mark.parametrize(
    ("given", "results"), [("hello", 1), (["one", "two"], 2), ([TEXT, IMAGE], 1), ([IMAGE], 1)]
)
def test_each_text_has_a_result_and_all_items_have_one(given: Any, results: int) -> None:
    mocked = Mocked()

    answer = mocked.run(lambda: asked(given))

    assert [result.flagged for result in answer.results] == [False] * results
    assert answer.model == "omni-moderation-latest"
    assert mocked.now_s == EndpointKind.MODERATIONS.latency_s


def test_categories_are_judged_by_the_kinds_of_input_that_there_are() -> None:
    (result,) = Mocked().run(lambda: asked([TEXT, IMAGE])).results

    applied = result.model_dump(by_alias=True)["category_applied_input_types"]
    assert (applied["violence"], applied["hate"]) == (["text", "image"], ["text"])
    assert not any(result.categories.model_dump().values())
    assert all(score < 0.01 for score in result.category_scores.model_dump().values())


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ([], "expected at least one, found none"),
        (["x", TEXT], "expected texts or items with a `type`, found both"),
        ([{"type": "audio"}], "expected a text or an image_url, found 'audio'"),
    ],
)
def test_what_is_no_request_is_refused_with_the_reason(given: Any, problem: str) -> None:
    with pytest.raises(openai.BadRequestError, match=problem):
        Mocked().run(lambda: asked(given))
