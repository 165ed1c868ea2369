"""The choices of OpenAI's Chat Completions in pieces, as a stream sends them."""

from collections.abc import Iterator
from heapq import merge

from .answer import Answer, Ending, Fragments, fragments_of, numbered

Delta = tuple[dict[str, object], int | None, bool]
"""A piece of a choice, the fragment by which it is sent (``None``: the end), if it has tokens."""


def deltas_of(answer: Answer, fragments: Fragments) -> Iterator[Delta]:
    """Yield the pieces of an answer, all its choices at the same times."""
    if answer.others:
        return _together(answer, fragments)
    return _deltas(answer, fragments, answer.tag, 0)


def _deltas(answer: Answer, fragments: Fragments, tag: str, number: int) -> Iterator[Delta]:
    """Yield the pieces of one choice."""

    def piece(
        delta: dict[str, object],
        fragment: int | None,
        finish_reason: str | None = None,
        *,
        tokens: str = "",
    ) -> Delta:
        fields = {"index": number, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return fields, fragment, bool(tokens)

    content = None if answer.tool_uses else ""
    yield piece({"role": "assistant", "content": content, "refusal": None}, 0)
    if answer.tool_uses:
        blocks = zip(answer.tool_uses, numbered(fragments.blocks), strict=True)
        for index, (use, block) in enumerate(blocks):
            opening = {
                "index": index,
                "id": f"call_{tag}_{index}",
                "type": "function",
                "function": {"name": use.name, "arguments": ""},
            }
            yield piece({"tool_calls": [opening]}, block[0][0])
            for fragment, text in block:
                call = {"index": index, "function": {"arguments": text}}
                yield piece({"tool_calls": [call]}, fragment, tokens=text)
    else:
        for fragment, text in enumerate(fragments.blocks[0]):
            yield piece({"content": text}, fragment, tokens=text)
    yield piece({}, None, finish_reason_of(answer))


def _together(answer: Answer, fragments: Fragments) -> Iterator[Delta]:
    """Yield the pieces of several choices in the order of their fragments."""
    last = max(1, fragments.count - 1)

    def scaled(other: Answer, index: int) -> Iterator[Delta]:
        own = fragments_of(other, fragments.count)
        for choice, fragment, has_tokens in _deltas(other, own, f"{answer.tag}_{index}", index):
            at = None if fragment is None else fragment * last // max(1, own.count - 1)
            yield choice, at, has_tokens

    first = _deltas(answer, fragments, answer.tag, 0)
    others = (scaled(other, index) for index, other in enumerate(answer.others, start=1))
    yield from merge(first, *others, key=lambda delta: last + 1 if delta[1] is None else delta[1])


def finish_reason_of(answer: Answer) -> str:
    """Return why a choice ends, in the word of the API."""
    if answer.ending is Ending.LENGTH:
        return "length"
    return "tool_calls" if answer.tool_uses else "stop"
