"""Puts the pieces of a streamed answer together."""

from collections.abc import Iterator
from typing import Any

from ..errors import ModelAnswerError
from ..messages import ModelAnswer, ToolCall, Usage
from .wire import known, optional, parse_usage


class AnswerAssembly:
    """Takes the chunks of one streamed chat completion and yields the text in them.

    Chunks are read as the API documents them: ``delta.content`` is the next piece of text,
    and ``delta.tool_calls`` holds pieces of calls by index, the first of which has the call's
    id and name. The count of tokens is in a last chunk without choices.
    """

    def __init__(self) -> None:
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._calls: dict[int, _Call] = {}
        self._finish_reason = ""
        self._usage = Usage()

    def feed(self, chunk: object) -> Iterator[str]:
        """Take a chunk; yield the text in the chunk, if any.

        Raises:
            ModelAnswerError: The chunk is not one of a chat completion.
        """
        whole = known(chunk, dict, "a streamed chunk")
        usage = parse_usage(whole)
        if usage != Usage():
            self._usage = usage
        where = "a streamed chunk.choices[]"
        for item in optional(whole, "choices", list, "a streamed chunk.") or ():
            choice = known(item, dict, where)
            delta = optional(choice, "delta", dict, f"{where}.") or {}
            finish_reason = optional(choice, "finish_reason", str, f"{where}.")
            self._finish_reason = finish_reason or self._finish_reason
            self._refusal.append(optional(delta, "refusal", str, f"{where}.delta.") or "")
            for piece in optional(delta, "tool_calls", list, f"{where}.delta.") or ():
                self._add_call(known(piece, dict, f"{where}.delta.tool_calls[]"))
            text = optional(delta, "content", str, f"{where}.delta.")
            if text:
                self._text.append(text)
                yield text

    def _add_call(self, piece: dict[str, Any]) -> None:
        where = "a streamed chunk.choices[].delta.tool_calls[]."
        call = self._calls.setdefault(optional(piece, "index", int, where) or 0, _Call())
        function = optional(piece, "function", dict, where) or {}
        call.id = optional(piece, "id", str, where) or call.id
        # Some servers send the name again with each piece.
        call.name = optional(function, "name", str, f"{where}function.") or call.name
        call.arguments.append(optional(function, "arguments", str, f"{where}function.") or "")

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
    """A tool call, as far as it has been received."""

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
