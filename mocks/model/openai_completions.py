"""OpenAI's older Completions API, whole and streamed: a prompt without messages or tools.

Source: the types of the official SDK (``openai.types.completion``), which the tests hold every
answer against. Load generators (guidellm, aiperf, vLLM's benchmarks) and fill-in clients ask it.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec
from msgspec.json import encode as to_json

from .answer import Answer, Event, Fragments, Question, WireFormat
from .openai_chat import CREATED, error_of, limit_headers_of

_Prompt = str | Sequence[str | int | list[int]]


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _Request(msgspec.Struct, kw_only=True):
    model: str | None = None  # Azure's deployments name it in the path
    prompt: _Prompt
    stream: bool | None = None
    stream_options: _StreamOptions | None = None


class _PromptDetails(msgspec.Struct):
    cached_tokens: int


class _Usage(msgspec.Struct):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: _PromptDetails | msgspec.UnsetType = msgspec.UNSET


class _Choice(msgspec.Struct, kw_only=True):
    text: str
    index: int = 0
    logprobs: None = None
    finish_reason: str | None


class _Completion(msgspec.Struct, kw_only=True):
    id: str
    object: str = "text_completion"
    created: int = CREATED
    model: str
    choices: list[_Choice]
    usage: _Usage | msgspec.UnsetType | None = msgspec.UNSET


_decode = msgspec.json.Decoder(_Request).decode


def _read(body: bytes) -> Question:
    request = _decode(body)
    options = request.stream_options
    return Question(
        model=request.model,
        step=0,
        tools={},
        streamed=bool(request.stream),
        counts_usage=options is not None and bool(options.include_usage),
        prompt=_text_of(request.prompt),
    )


def _text_of(prompt: _Prompt) -> str:
    """Return the prompt as text; of tokens, which no tokenizer is known for, their numbers."""
    if isinstance(prompt, str):
        return prompt
    if len(prompt) == 1 and not isinstance(prompt[0], int):
        return _text_of(prompt[0])
    if not all(isinstance(token, int) for token in prompt):
        raise ValueError(f"expected one prompt, found {len(prompt)}: ask for each by itself")
    return " ".join(map(str, prompt))


def _whole(answer: Answer) -> object:
    choice = _Choice(text=answer.text, finish_reason="stop")
    return _Completion(
        id=f"cmpl-{answer.tag}", model=answer.model, choices=[choice], usage=_usage(answer)
    )


def _stream(answer: Answer, fragments: Fragments, counts_usage: bool) -> Iterator[Event]:
    no_usage = None if counts_usage else msgspec.UNSET

    def event(choices: list[_Choice], usage: _Usage | msgspec.UnsetType | None) -> bytes:
        chunk = _Completion(
            id=f"cmpl-{answer.tag}", model=answer.model, choices=choices, usage=usage
        )
        return b"data: " + to_json(chunk) + b"\n\n"

    for number, fragment in enumerate(fragments.blocks[0]):
        yield Event(event([_Choice(text=fragment, finish_reason=None)], no_usage), number)
    yield Event(event([_Choice(text="", finish_reason="stop")], no_usage), None)
    if counts_usage:
        yield Event(event([], _usage(answer)), None)
    yield Event(b"data: [DONE]\n\n", None)


def _usage(answer: Answer) -> _Usage:
    read, written = answer.prompt_tokens, answer.completion_tokens
    if not answer.cached_tokens:
        return _Usage(read, written, read + written)
    return _Usage(read, written, read + written, _PromptDetails(answer.cached_tokens))


COMPLETIONS = WireFormat(
    name="completions",
    path=re.compile(r"(?:/openai/deployments/(?P<model>[^/]+)|(?<!/chat))/completions$"),
    request_id_header="x-request-id",
    read=_read,
    whole=_whole,
    stream=_stream,
    error=error_of,
    limit_headers=limit_headers_of,
    prompt_fields=("prompt",),
)
