"""Puts the pieces of a streamed answer together."""

from collections.abc import Iterator
from typing import Any

from .errors import ModelAnswerError
from .messages import ModelAnswer, ToolCall, Usage
from .wire import parse_usage


class AnswerAssembly:
    """Takes the chunks of one streamed chat completion; gives its text as it comes.

    Chunks are read as the API documents them: ``delta.content`` is the next piece of text,
    and ``delta.tool_calls`` holds pieces of calls by index, the first of which has the call's
    id and name. The count of tokens stands in a last chunk without choices.
    """

    def __init__(self) -> None:
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._calls: dict[int, _Call] = {}
        self._finish_reason = ""
        self._usage = Usage()

    def feed(self, chunk: object) -> Iterator[str]:
        """Take a chunk; yield the text in it, if any.

        Raises:
            ModelAnswerError: It is not a chunk of a chat completion.
        """
        if not isinstance(chunk, dict):
            raise ModelAnswerError(f"the model streamed {chunk!r}; expected an object")
        usage = parse_usage(chunk)
        if usage != Usage():
            self._usage = usage
        for choice in chunk.get("choices") or ():
            delta = choice.get("delta") or {}
            self._finish_reason = choice.get("finish_reason") or self._finish_reason
            if delta.get("refusal"):
                self._refusal.append(delta["refusal"])
            for piece in delta.get("tool_calls") or ():
                self._add_call(piece)
            if delta.get("content"):
                self._text.append(delta["content"])
                yield delta["content"]

    def _add_call(self, piece: dict[str, Any]) -> None:
        call = self._calls.setdefault(piece.get("index") or 0, _Call())
        function = piece.get("function") or {}
        call.id = piece.get("id") or call.id
        # Some servers send the name again with each piece.
        call.name = function.get("name") or call.name
        call.arguments.append(function.get("arguments") or "")

    def answer(self) -> ModelAnswer:
        """Return the whole answer.

        Raises:
            ModelAnswerError: The stream ended before the answer did.
        """
        if not self._finish_reason:
            raise ModelAnswerError(
                "the model's stream ended without a finish_reason: it was cut off after "
                f"{sum(map(len, self._text))} characters of text and {len(self._calls)} calls"
            )
        return ModelAnswer(
            text="".join(self._text) or None,
            refusal="".join(self._refusal) or None,
            tool_calls=tuple(self._calls[index].whole() for index in sorted(self._calls)),
            finish_reason=self._finish_reason,
            usage=self._usage,
        )


class _Call:
    """A call of a tool, as far as it has come in."""

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.arguments: list[str] = []

    def whole(self) -> ToolCall:
        if not self.id or not self.name:
            raise ModelAnswerError(
                f"the model streamed a tool call with id {self.id!r} and name {self.name!r}; "
                "expected both"
            )
        return ToolCall(self.id, self.name, "".join(self.arguments))
