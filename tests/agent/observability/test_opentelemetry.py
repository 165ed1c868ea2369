import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from warpbench.agent import Agent, RetryPolicy
from warpbench.agent.observability.observer import NOBODY, UsualObserver
from warpbench.agent.observability.opentelemetry import OpenTelemetry

from ...http_libraries import sdk_http
from ..scripted import Model, call, calls, final
from ..virtual import in_virtual_time


class Telescope:
    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self._metrics = InMemoryMetricReader()
        self.meters = MeterProvider([self._metrics], shutdown_on_exit=False)
        self.observer = OpenTelemetry(tracer_provider=self.tracers, meter_provider=self.meters)

    @property
    def spans(self) -> list[ReadableSpan]:
        return sorted(self._spans.get_finished_spans(), key=lambda span: span.start_time or 0)

    def histogram(self, name: str) -> list[Any]:
        data = self._metrics.get_metrics_data()
        assert data is not None
        return [
            point
            for metric in data.resource_metrics[0].scope_metrics[0].metrics
            if metric.name == name
            for point in metric.data.data_points
        ]


@pytest.fixture
def telescope() -> Iterator[Telescope]:
    telescope = Telescope()
    yield telescope
    telescope.meters.shutdown()
    telescope.tracers.shutdown()


async def nap(seconds: float) -> str:
    await asyncio.sleep(seconds)
    with trace.get_tracer("mine").start_as_current_span("inside"):
        return "rested"


def doze(seconds: float) -> str:
    time.sleep(seconds)
    raise LookupError


def asked() -> list[Any]:
    return [calls(call("nap", "1", seconds=2), call("doze", "2", seconds=1)), final()]


def run_async(model: Model, telescope: Telescope, **settings: Any) -> Any:
    async def main() -> None:
        async with (
            model.async_client() as client,
            Agent(
                [nap, doze],
                async_client=client,
                name="ada",
                observer=telescope.observer,
                **settings,
            ) as agent,
        ):
            await agent.chat_async("task")

    return main


def run_sync(model: Model, telescope: Telescope, **settings: Any) -> Any:
    def main() -> None:
        with (
            model.client() as client,
            Agent([nap, doze], client=client, name="ada", observer=telescope.observer) as agent,
        ):
            agent.chat("task")

    return main


@pytest.mark.parametrize("form", [run_async, run_sync])
def test_a_session_is_a_tree_of_spans_by_the_conventions(form: Any, telescope: Telescope) -> None:
    in_virtual_time(form(Model(asked(), latency_s=0.5), telescope))
    session = next(span for span in telescope.spans if span.name == "invoke_agent ada")
    assert session.context is not None
    assert {span.name for span in telescope.spans} == {
        "invoke_agent ada",
        "chat gpt-4o-mini",
        "execute_tool nap",
        "execute_tool doze",
    }
    for span in telescope.spans:
        if span is not session:
            assert span.parent is not None
            assert span.parent.span_id == session.context.span_id
    assert dict(session.attributes or {}) == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.agent.name": "ada",
        "gen_ai.usage.input_tokens": 20,
        "gen_ai.usage.output_tokens": 4,
    }
    first, _ = (span for span in telescope.spans if span.name.startswith("chat"))
    assert first.kind is trace.SpanKind.CLIENT
    assert dict(first.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.finish_reasons": ("tool_calls",),
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 2,
        "gen_ai.usage.cache_read.input_tokens": 0,
    }
    failed = next(span for span in telescope.spans if span.name == "execute_tool doze")
    assert (failed.attributes or {})["error.type"] == "tool_error"
    assert (failed.attributes or {})["gen_ai.tool.call.id"] == "2"
    assert failed.status.status_code is trace.StatusCode.ERROR


def test_durations_are_those_of_the_clock(telescope: Telescope) -> None:
    in_virtual_time(run_async(Model(asked(), latency_s=0.5), telescope))
    lasted = {
        span.name: ((span.end_time or 0) - (span.start_time or 0)) for span in telescope.spans
    }
    assert lasted["execute_tool nap"] == 2_000_000_000
    assert lasted["invoke_agent ada"] == 3_000_000_000
    (durations,) = telescope.histogram("gen_ai.client.operation.duration")
    assert (durations.count, durations.sum) == (2, 1.0)
    tokens = telescope.histogram("gen_ai.client.token.usage")
    assert {p.attributes["gen_ai.token.type"]: p.sum for p in tokens} == {"input": 20, "output": 4}


def test_what_a_tool_does_itself_stands_below_it(telescope: Telescope) -> None:
    other = telescope.tracers.get_tracer("mine")

    async def search() -> str:
        with other.start_as_current_span("inside"):
            return "found"

    def look() -> str:
        with other.start_as_current_span("inside"):
            return "seen"

    model = Model([calls(call("search", "1"), call("look", "2")), final()])

    async def main() -> None:
        async with (
            model.async_client() as client,
            Agent([search, look], async_client=client, observer=telescope.observer) as agent,
        ):
            await agent.chat_async("task")

    asyncio.run(main())
    tools = {
        span.context.span_id
        for span in telescope.spans
        if span.name.startswith("execute_tool") and span.context
    }
    parents = {
        span.parent.span_id for span in telescope.spans if span.name == "inside" and span.parent
    }
    assert parents == tools


def test_an_error_is_named_by_its_type_and_nothing_that_was_said_is_recorded(
    telescope: Telescope,
) -> None:
    refused = sdk_http.Response(400, json={"error": {"message": "secret of ada"}})
    with pytest.raises(openai.BadRequestError):
        in_virtual_time(run_async(Model([refused]), telescope, retry=RetryPolicy(max_retries=0)))
    for span in telescope.spans:
        assert (span.attributes or {})["error.type"] == "BadRequestError"
        assert "secret" not in span.to_json()
    (durations,) = telescope.histogram("gen_ai.client.operation.duration")
    assert durations.attributes["error.type"] == "BadRequestError"


def test_a_stream_is_watched_to_its_first_piece_and_to_its_end(telescope: Telescope) -> None:
    model = Model([final("a b c")], latency_s=1, gap_s=0.5)

    async def main() -> None:
        async with model.async_client() as client:
            async with Agent(async_client=client, observer=telescope.observer) as agent:
                async with agent.stream_async("task") as stream:
                    assert [event async for event in stream]

    in_virtual_time(main)
    chat = next(span for span in telescope.spans if span.name.startswith("chat"))
    assert (chat.attributes or {})["gen_ai.response.time_to_first_chunk"] == 1.5
    (first,) = telescope.histogram("gen_ai.client.operation.time_to_first_chunk")
    assert (first.count, first.sum) == (1, 1.5)


def test_it_is_the_default_and_there_is_no_span_until_a_provider_is_configured() -> None:
    nobody = NOBODY.invoke_agent("ada", "m")
    assert OpenTelemetry().invoke_agent("ada", "m") is nobody
    assert UsualObserver().invoke_agent("ada", "m") is nobody


def test_a_program_that_configures_opentelemetry_need_not_tell_its_agents() -> None:
    code = """
import httpx2, openai
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from warpbench.agent import Agent
name = lambda span: span.name + "\\n"
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(formatter=name)))
answer = {"choices": [{"message": {"content": "done"}, "finish_reason": "stop"}]}
transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=answer))
client = openai.OpenAI(api_key="test", http_client=openai.DefaultHttpxClient(transport=transport))
with Agent(client=client) as agent:
    agent.chat("before")
    trace.set_tracer_provider(provider)
    agent.chat("after")
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["chat gpt-4o-mini", "invoke_agent agent"]


def test_without_opentelemetry_an_agent_works_and_telemetry_says_what_to_install() -> None:
    code = """
import importlib.util, sys
found = importlib.util.find_spec
importlib.util.find_spec = lambda n, p=None: None if n == "opentelemetry" else found(n, p)
from warpbench.agent import Agent
from warpbench.agent.observability.observer import NOBODY, UsualObserver
with Agent() as agent:
    assert UsualObserver().invoke_agent("a", "m") is NOBODY.invoke_agent("a", "m")
assert not any(name.startswith("opentelemetry") for name in sys.modules)
try:
    import warpbench.agent.observability.opentelemetry
except ImportError as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "telemetry needs OpenTelemetry: pip install 'warpbench[telemetry]'\n"
