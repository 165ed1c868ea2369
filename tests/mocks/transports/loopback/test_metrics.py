"""The metrics of a server, read back by Prometheus' own parser."""

from typing import Any

import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families
from warpbench.mocks.observe.traffic import Traffic
from warpbench.mocks.scenario.faults import FaultKind
from warpbench.mocks.transports.loopback.metrics import Metrics
from warpbench.mocks.wire.reply import Ending, no_reply, whole_reply
from warpbench.mocks.world.world import Exchange

pytestmark = pytest.mark.once

REPLY = whole_reply(200, {}, b"{}", 0, prompt_tokens=11, completion_tokens=5)
ANSWERED = Exchange(
    REPLY,
    0,
    0,
    0,
    is_model_call=True,
    is_accepted=True,
    endpoint="chat/completions",
)
Sample = tuple[str, frozenset[tuple[str, str]]]


def read(metrics: Metrics) -> dict[Sample, float]:
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def sample(name: str, **labels: str) -> Sample:
    return f"warpbench_{name}", frozenset(labels.items())


def answer(metrics: Metrics, **different: Any) -> None:
    with metrics.answering(replace(ANSWERED, **different)):
        pass


def test_an_answer_is_counted_with_its_tokens_and_its_time() -> None:
    metrics = Metrics(Traffic())

    answer(metrics)
    answer(metrics)

    seen = read(metrics)
    chat = {"endpoint": "chat/completions"}
    assert seen[sample("requests_total", status="200", **chat)] == 2
    assert seen[sample("tokens_total", kind="prompt")] == 22
    assert seen[sample("tokens_total", kind="completion")] == 10
    assert seen[sample("request_duration_seconds_count", **chat)] == 2
    assert seen[sample("request_duration_seconds_bucket", le="+Inf", **chat)] == 2
    assert seen[sample("request_duration_seconds_sum", **chat)] > 0


def test_a_fault_is_counted_by_its_kind_and_its_tokens_are_not() -> None:
    metrics = Metrics(Traffic())
    broken = replace(no_reply(Ending.CLOSED, 0), fault=FaultKind.CONNECT_ERROR)

    answer(metrics, reply=broken, is_accepted=False)

    seen = read(metrics)
    assert seen[sample("faults_total", kind="connect_error")] == 1
    assert seen[sample("requests_total", status="none", endpoint="chat/completions")] == 1
    assert sample("tokens_total", kind="prompt") not in seen


def test_a_refusal_is_counted() -> None:
    metrics = Metrics(Traffic())

    metrics.refuses(404)

    seen = read(metrics)
    assert seen[sample("refused_requests_total")] == 1
    assert seen[sample("requests_total", endpoint="refused", status="404")] == 1


def test_the_calls_in_flight_are_those_of_now() -> None:
    traffic = Traffic()
    metrics = Metrics(traffic)

    with traffic.model_call(0, 0, 0), traffic.model_call(1, 0, 0):
        assert read(metrics)[sample("model_calls_in_flight")] == 2
    assert read(metrics)[sample("model_calls_in_flight")] == 0


def test_a_request_that_ends_by_an_error_has_a_duration_too() -> None:
    metrics = Metrics(Traffic())

    with pytest.raises(KeyError), metrics.answering(ANSWERED):
        raise KeyError

    counted = sample("request_duration_seconds_count", endpoint="chat/completions")
    assert read(metrics)[counted] == 1
