"""Spans and histograms of OpenTelemetry, by its conventions for generative AI.

    invoke_agent {agent}            a chat, task or stream
    ├── chat {model}                a call of the model, with its retries
    ├── execute_tool {tool}         a tool; spans of its own work stand below it
    └── chat {model}

An agent is watched by this in each program that uses OpenTelemetry; without a configured
provider there are no spans. What was said is not recorded: no prompts, no
answers, no arguments. Names are those of the semantic conventions 1.41 (``gen_ai``, status
development).
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec

from ..messages import ModelAnswer, ToolResult
from ..tools.invocation import Invocation
from .observer import NOBODY, SessionSpan

if find_spec("opentelemetry") is None:
    raise ImportError("telemetry needs OpenTelemetry: pip install 'warpbench[telemetry]'")

from opentelemetry import context as otel_context
from opentelemetry import metrics, trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider

Attributes = Mapping[str, str | int | float | bool | tuple[str, ...]]

_SCOPE = "warpbench.agent"
# The boundaries that the conventions recommend, in seconds and in tokens.
_SECONDS = [0.01 * 2**power for power in range(14)]
_TOKENS = [float(4**power) for power in range(14)]


class OpenTelemetry:
    """Watches agents by OpenTelemetry.

    Args:
        provider: Who serves the model, as ``gen_ai.provider.name``.
        tracer_provider: Where spans go; by default the one that the program configured.
        meter_provider: Where histograms go; by default the one that the program configured.
    """

    def __init__(
        self,
        provider: str = "openai",
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        self._provider = provider
        self._tracer_provider = tracer_provider
        self.tracer = trace.get_tracer(_SCOPE, tracer_provider=tracer_provider)
        meter = metrics.get_meter(_SCOPE, meter_provider=meter_provider)
        self.duration_s = meter.create_histogram(
            "gen_ai.client.operation.duration",
            unit="s",
            description="GenAI operation duration.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self.first_chunk_s = meter.create_histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            unit="s",
            description="Time from the request to the first piece of a streamed answer.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self.tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            unit="{token}",
            description="Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=_TOKENS,
        )

    def invoke_agent(self, agent: str, model: str) -> AbstractContextManager[SessionSpan]:
        """Begin the span of a session."""
        provider = self._tracer_provider or trace.get_tracer_provider()
        if isinstance(provider, trace.ProxyTracerProvider | trace.NoOpTracerProvider):
            # No provider is configured: spans would cost time and go nowhere.
            return NOBODY.invoke_agent(agent, model)
        return self._invoke_agent(agent, model)

    def start_span(
        self, name: str, parent: otel_context.Context | None, kind: SpanKind, attributes: Attributes
    ) -> Span:
        """Begin a span now, by the program's clock, which need not be the SDK's."""
        return self.tracer.start_span(
            name, parent, kind, dict(attributes), start_time=time.time_ns()
        )

    @contextmanager
    def _invoke_agent(self, agent: str, model: str) -> Iterator[SessionSpan]:
        common = {"gen_ai.provider.name": self._provider, "gen_ai.request.model": model}
        attributes = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": agent,
            **common,
        }
        span = self.start_span(f"invoke_agent {agent}", None, SpanKind.INTERNAL, attributes)
        with _ending(span):
            yield _Session(self, span, model, common)


class _Session:
    """One session; its spans get their parent explicitly, for tools that run in other threads."""

    def __init__(
        self, telemetry: OpenTelemetry, span: Span, model: str, common: dict[str, str]
    ) -> None:
        self._telemetry = telemetry
        self._span = span
        self._inside = trace.set_span_in_context(span, otel_context.get_current())
        self._model = model
        self._common = common
        self._input_tokens = 0
        self._output_tokens = 0

    @contextmanager
    def chat(self) -> Iterator["_Chat"]:
        attributes = {"gen_ai.operation.name": "chat", **self._common}
        span = self._telemetry.start_span(
            f"chat {self._model}", self._inside, SpanKind.CLIENT, attributes
        )
        chat = _Chat(self._telemetry, span, attributes)
        try:
            with _ending(span):
                yield chat
        except BaseException as error:
            chat.lasted({"error.type": type(error).__qualname__})
            raise
        chat.lasted({})
        self._input_tokens += chat.input_tokens
        self._output_tokens += chat.output_tokens
        self._span.set_attribute("gen_ai.usage.input_tokens", self._input_tokens)
        self._span.set_attribute("gen_ai.usage.output_tokens", self._output_tokens)

    @contextmanager
    def execute_tool(self, invocation: Invocation) -> Iterator["_Tool"]:
        tool = invocation.tool
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": tool.name,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.description": tool.description,
            "gen_ai.tool.call.id": invocation.call.id,
        }
        span = self._telemetry.start_span(
            f"execute_tool {tool.name}", self._inside, SpanKind.INTERNAL, attributes
        )
        with _ending(span):
            yield _Tool(span)


class _Chat:
    """One call of the model."""

    def __init__(self, telemetry: OpenTelemetry, span: Span, attributes: Attributes) -> None:
        self._telemetry = telemetry
        self._span = span
        self._attributes = attributes
        self._began_s = time.monotonic()
        self._first_s: float | None = None
        self.input_tokens = 0
        self.output_tokens = 0

    def active(self) -> AbstractContextManager[object]:
        return _active(self._span)

    def first_token(self) -> None:
        if self._first_s is None:
            self._first_s = time.monotonic() - self._began_s
            self._span.set_attribute("gen_ai.request.stream", True)
            self._span.set_attribute("gen_ai.response.time_to_first_chunk", self._first_s)
            self._telemetry.first_chunk_s.record(self._first_s, self._attributes)

    def answered(self, answer: ModelAnswer) -> None:
        usage = answer.usage
        self.input_tokens, self.output_tokens = usage.prompt_tokens, usage.completion_tokens
        self._span.set_attributes(
            {
                "gen_ai.response.finish_reasons": (answer.finish_reason,),
                "gen_ai.usage.input_tokens": usage.prompt_tokens,
                "gen_ai.usage.output_tokens": usage.completion_tokens,
                "gen_ai.usage.cache_read.input_tokens": usage.cached_prompt_tokens,
            }
        )
        for kind, number in (("input", self.input_tokens), ("output", self.output_tokens)):
            self._telemetry.tokens.record(number, {**self._attributes, "gen_ai.token.type": kind})

    def lasted(self, outcome: Attributes) -> None:
        elapsed_s = time.monotonic() - self._began_s
        self._telemetry.duration_s.record(elapsed_s, {**self._attributes, **outcome})


class _Tool:
    """One run of a tool."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def active(self) -> AbstractContextManager[object]:
        return _active(self._span)

    def ended(self, result: ToolResult) -> None:
        if result.failed:
            self._span.set_attribute("error.type", "tool_error")
            self._span.set_status(Status(StatusCode.ERROR))


@contextmanager
def _ending(span: Span) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        # The message may quote a conversation; the type does not.
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(Status(StatusCode.ERROR))
        raise
    finally:
        span.end(time.time_ns())


def _active(span: Span) -> AbstractContextManager[object]:
    return trace.use_span(
        span, end_on_exit=False, record_exception=False, set_status_on_exception=False
    )
