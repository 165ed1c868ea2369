"""What a span is, in each of the conventions that name it: OpenTelemetry's, old and new, and two.

OpenTelemetry   ``gen_ai.operation.name``; before version 1.27 of the conventions the tokens were
                ``gen_ai.usage.prompt_tokens`` and ``gen_ai.usage.completion_tokens``
OpenInference   ``openinference.span.kind``, ``llm.token_count.*``, ``tool.name``, ``session.id``
OpenLLMetry     ``traceloop.span.kind``, ``llm.request.type``, ``traceloop.entity.name``

Many instrumentations write several of them, or leave the first one out: a span with the name of
a tool is a tool call, and one with counts of tokens or a model asked for is a model call.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from .trace import WORK


class SpanKind(Enum):
    """What a span records."""

    MODEL_CALL = auto()
    TOOL_CALL = auto()
    AGENT = auto()
    OTHER = auto()


_OPERATIONS = {
    "chat": SpanKind.MODEL_CALL,
    "text_completion": SpanKind.MODEL_CALL,
    "generate_content": SpanKind.MODEL_CALL,
    "execute_tool": SpanKind.TOOL_CALL,
    "invoke_agent": SpanKind.AGENT,
    "embeddings": SpanKind.OTHER,
    "retrieval": SpanKind.OTHER,
    "create_agent": SpanKind.OTHER,
    "invoke_workflow": SpanKind.OTHER,
}
_OPENINFERENCE = {
    "LLM": SpanKind.MODEL_CALL,
    "TOOL": SpanKind.TOOL_CALL,
    "AGENT": SpanKind.AGENT,
    "EMBEDDING": SpanKind.OTHER,
    "CHAIN": SpanKind.OTHER,
    "RETRIEVER": SpanKind.OTHER,
    "RERANKER": SpanKind.OTHER,
    "GUARDRAIL": SpanKind.OTHER,
    "EVALUATOR": SpanKind.OTHER,
    "PROMPT": SpanKind.OTHER,
    "DECISION": SpanKind.OTHER,
}
_OPENLLMETRY = {
    "tool": SpanKind.TOOL_CALL,
    "agent": SpanKind.AGENT,
    "workflow": SpanKind.OTHER,
}
_OPENLLMETRY_REQUESTS = {
    "chat": SpanKind.MODEL_CALL,
    "completion": SpanKind.MODEL_CALL,
    "rerank": SpanKind.OTHER,
    "embedding": SpanKind.OTHER,
}
_BY_ATTRIBUTE: tuple[tuple[str, Mapping[str, SpanKind]], ...] = (
    ("gen_ai.operation.name", _OPERATIONS),
    ("openinference.span.kind", _OPENINFERENCE),
    ("traceloop.span.kind", _OPENLLMETRY),
    ("llm.request.type", _OPENLLMETRY_REQUESTS),
)
_INPUT_TOKENS = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.token_count.prompt",
)
_OUTPUT_TOKENS = (
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.token_count.completion",
)
_MODELS = ("gen_ai.request.model", "gen_ai.response.model", "llm.model_name")
_TOOL_NAMES = ("gen_ai.tool.name", "tool.name")
_CONVERSATIONS = ("gen_ai.conversation.id", "session.id")
_EXECUTE_TOOL = "execute_tool "


def kind_of(name: str, attributes: Mapping[str, Any]) -> SpanKind:
    """Return what a span is, by its attributes and its name."""
    for attribute, kinds in _BY_ATTRIBUTE:
        kind = kinds.get(str(attributes.get(attribute, "")))
        if kind is not None:
            return kind
    if _first(attributes, _TOOL_NAMES) is not None or name.startswith(_EXECUTE_TOOL):
        return SpanKind.TOOL_CALL
    if _first(attributes, (*_INPUT_TOKENS, *_OUTPUT_TOKENS, *_MODELS)) is not None:
        return SpanKind.MODEL_CALL
    return SpanKind.OTHER


def described(attributes: Mapping[str, Any]) -> str:
    """Name what a span of another kind records, in the terms of its convention: ``retrieval``."""
    for attribute, kinds in _BY_ATTRIBUTE:
        value = str(attributes.get(attribute, ""))
        if kinds.get(value) is SpanKind.OTHER:
            return value.lower()
    return "neither a model call, a tool call nor an agent"


def input_tokens(attributes: Mapping[str, Any]) -> object:
    """Return the tokens that a model read, if they are told."""
    return _first(attributes, _INPUT_TOKENS)


def output_tokens(attributes: Mapping[str, Any]) -> object:
    """Return the tokens that a model wrote, if they are told."""
    return _first(attributes, _OUTPUT_TOKENS)


def conversation(attributes: Mapping[str, Any]) -> object:
    """Return what names the conversation that a span belongs to, if anything does."""
    return _first(attributes, _CONVERSATIONS)


def tool_name(name: str, attributes: Mapping[str, Any]) -> str:
    """Return the name of the tool that a span is a call of."""
    told = _first(attributes, (*_TOOL_NAMES, "traceloop.entity.name"))
    return str(told or name.removeprefix(_EXECUTE_TOOL) or WORK)


def _first(attributes: Mapping[str, Any], names: tuple[str, ...]) -> object:
    return next((attributes[name] for name in names if attributes.get(name) is not None), None)
