"""Rerank, held against the official SDK of Cohere, and asked as others ask it."""

import json
from typing import Any

import pytest
from warpbench.mocks.scenario.endpoints import EndpointKind

from ...mocked import Mocked

pytestmark = pytest.mark.once

DOCUMENTS = ["cold rain", "the weather of Vienna", "weather"]


def asked(path: str = "/v2/rerank", **request: Any) -> tuple[int, Any]:
    body = json.dumps({"model": "m", "query": "Weather in Vienna", **request}).encode()
    reply = Mocked().world.exchange("POST", path, f"https://api.cohere.com{path}", body).reply
    return reply.status, json.loads(reply.body)


def test_coheres_client_reads_the_ranking() -> None:
    cohere = pytest.importorskip("cohere")
    mocked = Mocked()

    def ask() -> Any:
        client = cohere.ClientV2(api_key="none")
        return client.rerank(model="m", query="Weather in Vienna", documents=DOCUMENTS, top_n=2)

    answer = mocked.run(ask)

    assert [each.index for each in answer.results] == [1, 2]
    assert answer.results[0].relevance_score == pytest.approx(2 / 3)
    assert answer.meta.api_version.version == "2"
    assert mocked.now_s == EndpointKind.RERANK.latency_s


def test_a_document_is_as_relevant_as_its_share_of_the_words() -> None:
    _, answer = asked(documents=DOCUMENTS)

    ranked = [(each["index"], each["relevance_score"]) for each in answer["results"]]
    assert ranked == [(1, pytest.approx(2 / 3)), (2, pytest.approx(1 / 3)), (0, 0)]


def test_the_first_version_takes_objects_and_returns_documents() -> None:
    documents = [{"text": text} for text in DOCUMENTS]
    _, answer = asked("/v1/rerank", documents=documents, return_documents=True, top_n=1)

    assert answer["results"][0]["document"] == {"text": DOCUMENTS[1]}
    assert answer["meta"]["api_version"] == {"version": "1"}


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        ({"documents": []}, "`documents`: expected at least one, found none"),
        ({"documents": ["x"], "top_n": 0}, "`top_n`: expected at least 1, found 0"),
        ({}, "not a request to …/rerank: Object missing required field `documents`"),
    ],
)
def test_what_is_no_request_is_refused_with_the_reason(
    request_: dict[str, Any], problem: str
) -> None:
    status, answer = asked(**request_)

    assert (status, answer) == (400, {"message": f"warpbench: {problem}"})
