"""OpenAI's older Completions API, whole and streamed: a prompt without messages or tools.

Source: the types of the official SDK (``openai.types.completion``), which the tests hold every
answer against. Load generators (guidellm, aiperf, vLLM's benchmarks) and fill-in clients ask it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec.json import encode as to_json

from .answer import Answer, Ending, Event, Fragments, Question, Said, WireFormat
from .openai_chat import CREATED, error_of, limit_headers_of
from .openai_options import options_of

_Prompt = str | Sequence[str | int | list[int]]


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _Request(msgspec.Struct, kw_only=True):
    model: str | None = None  # Azure's deployments name it in the path
    prompt: _Prompt
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    n: int | None = None
    stop: str | list[str] | None = None


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
    stream = request.stream_options
    prompts = _prompts_of(request.prompt)
    return Question(
        model=request.model,
        tools={},
        streamed=bool(request.stream),
        counts_usage=stream is not None and bool(stream.include_usage),
        messages=[Said("user", prompts[0])],
        options=options_of(
            format_=None,
            place="",
            tool_choice=None,
            parallel=None,
            max_tokens=request.max_tokens,
            # Each prompt is answered so often, in this order.
            choices=request.n if len(prompts) == 1 else len(prompts) * (request.n or 1),
            stop=request.stop,
        ),
    )


def _prompts_of(given: _Prompt) -> list[str]:
    """Return each prompt as text; of tokens, which no tokenizer is known for, their numbers."""
    if isinstance(given, str):
        return [given]
    tokens = [each for each in given if isinstance(each, int)]
    if tokens or not given:
        if len(tokens) < len(given):
            raise ValueError("`prompt` has both texts and tokens")
        return [_as_text(tokens)]
    prompts = (each for each in given if not isinstance(each, int))
    return [each if isinstance(each, str) else _as_text(each) for each in prompts]


def _as_text(tokens: Iterable[object]) -> str:
    return " ".join(map(str, tokens))


def _whole(answer: Answer) -> object:
    choices = [
        _Choice(text=each.text, index=index, finish_reason=_finish_reason(each))
        for index, each in enumerate((answer, *answer.others))
    ]
    return _Completion(
        id=f"cmpl-{answer.tag}", model=answer.model, choices=choices, usage=_usage(answer)
    )


def _stream(answer: Answer, fragments: Fragments, counts_usage: bool) -> Iterator[Event]:
    no_usage = None if counts_usage else msgspec.UNSET

    def event(choices: list[_Choice], usage: _Usage | msgspec.UnsetType | None) -> bytes:
        chunk = _Completion(
            id=f"cmpl-{answer.tag}", model=answer.model, choices=choices, usage=usage
        )
        return b"data: " + to_json(chunk) + b"\n\n"

    for number, fragment in enumerate(fragments.blocks[0]):
        data = event([_Choice(text=fragment, finish_reason=None)], no_usage)
        yield Event(data, number, bool(fragment))
    for index, other in enumerate(answer.others, start=1):
        last = _Choice(text=other.text, index=index, finish_reason=_finish_reason(other))
        yield Event(event([last], no_usage), None)
    end = _Choice(text="", finish_reason=_finish_reason(answer))
    yield Event(event([end], no_usage), None)
    if counts_usage:
        yield Event(event([], _usage(answer)), None)
    yield Event(b"data: [DONE]\n\n", None)


def _finish_reason(answer: Answer) -> str:
    return "length" if answer.ending is Ending.LENGTH else "stop"


def _usage(answer: Answer) -> _Usage:
    read, written = answer.prompt_tokens, answer.completion_tokens
    written += sum(other.completion_tokens for other in answer.others)
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
