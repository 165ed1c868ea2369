"""The sync driver: drives turns in the calling thread, line for line as the async one does."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TypeVar

import openai
from openai import OpenAI, Stream

from ..conversation.stream_assembly import AnswerAssembly
from ..conversation.turn import Turn
from ..conversation.wire import parse_answer
from ..messages import Finished, ModelAnswer, StreamEvent, TextDelta, ToolEnded, ToolStarted
from ..observability.observer import ChatSpan, SessionSpan
from .runtime import PATH, Runtime
from .sdk import HttpResponse, request_arguments
from .sync_tools import run_tools

T = TypeVar("T")


def drive(turn: Turn, client: OpenAI, runtime: Runtime) -> None:
    """Take a turn to its end.

    A thread cannot be interrupted, so time limits take effect where it waits: at the socket (as
    the timeouts of the HTTP client), at tools, and between steps.

    Raises:
        SessionTimeoutError: The turn took longer than the agent's ``session_timeout_s``.
        ConversationError: The conversation is in the middle of another turn.
        MaxRoundsError, ContextTooLongError: See ``Turn``.
        ModelAnswerError: An answer of the model is malformed.
        ToolFailedError: A critical tool failed.
        openai.APIError: The API failed, after the retries.
    """
    runtime.meter.session()
    deadline_s = _deadline_in(runtime.session_timeout_s)
    with turn.in_use(), runtime.observer.invoke_agent(runtime.name, runtime.model) as span:
        while not turn.is_over:
            calls = turn.receive(_ask(turn.request(), client, runtime, span, deadline_s))
            turn.add_results(run_tools(calls, runtime, span, deadline_s))


def stream(turn: Turn, client: OpenAI, runtime: Runtime) -> Generator[StreamEvent]:
    """Take a turn to its end, yielding what happens as it happens; errors as for ``drive``."""
    runtime.meter.session()
    deadline_s = _deadline_in(runtime.session_timeout_s)
    with turn.in_use(), runtime.observer.invoke_agent(runtime.name, runtime.model) as span:
        while not turn.is_over:
            assembly = AnswerAssembly()
            request = turn.request(streamed=True)
            with span.chat() as chat:
                with _chunks(request, client, runtime, chat, deadline_s) as chunks:
                    for chunk in chunks:
                        _check(deadline_s, runtime)
                        for text in assembly.feed(chunk):
                            chat.first_token()
                            yield TextDelta(text)
                answer = assembly.answer()
                chat.answered(answer)
            runtime.meter.model_call(answer.usage)
            calls = turn.receive(answer)
            for call in calls:
                yield ToolStarted(call.call)
            results = run_tools(calls, runtime, span, deadline_s)
            for call, result in zip(calls, results, strict=True):
                yield ToolEnded(call.call, result)
            turn.add_results(results)
        yield Finished(turn.answer)


def _ask(
    request: bytes,
    client: OpenAI,
    runtime: Runtime,
    span: SessionSpan,
    deadline_s: float | None,
) -> ModelAnswer:
    with span.chat() as chat, chat.active():
        post = partial(_post, request, client, runtime, deadline_s)
        answer = parse_answer(_retrying(post, runtime, deadline_s))
        chat.answered(answer)
    runtime.meter.model_call(answer.usage)
    # An answer that comes too late is ignored: it must not end the turn.
    _check(deadline_s, runtime)
    return answer


def _post(request: bytes, client: OpenAI, runtime: Runtime, deadline_s: float | None) -> bytes:
    _take_slot(runtime, deadline_s)
    try:
        # The SDK's way for custom requests keeps its keys and errors, but saves the walk over
        # every message, which is half the cost of `chat.completions.create`.
        response = client.post(
            PATH,
            cast_to=HttpResponse,
            **request_arguments(request, _timeout_s(runtime, deadline_s)),
        )
        return bytes(response.content)
    finally:
        runtime.model_limiter.release()


@contextmanager
def _chunks(
    request: bytes,
    client: OpenAI,
    runtime: Runtime,
    chat: ChatSpan,
    deadline_s: float | None,
) -> Iterator[Stream[object]]:
    """Start a streamed answer; yield its chunks.

    A failure before the first chunk is retried. The answer keeps its slot to its end.
    """
    with ExitStack() as slot:

        def post() -> Stream[object]:
            _take_slot(runtime, deadline_s)
            with ExitStack() as taken:
                taken.callback(runtime.model_limiter.release)
                chunks: Stream[object] = client.post(
                    PATH,
                    cast_to=object,
                    stream=True,
                    stream_cls=Stream[object],
                    **request_arguments(request, _timeout_s(runtime, deadline_s)),
                )
                slot.push(taken.pop_all())
            return chunks

        with chat.active():
            chunks = _retrying(post, runtime, deadline_s)
        with chunks:
            yield chunks


def _retrying(attempt: Callable[[], T], runtime: Runtime, deadline_s: float | None) -> T:
    retries = 0
    while True:
        try:
            result = attempt()
        except openai.APIError as error:
            _check(deadline_s, runtime)
            delay_s = runtime.retry.delay_s(error, retries)
            if delay_s is None:
                raise
        else:
            runtime.retry.succeeded()
            return result
        retries += 1
        runtime.meter.retry()
        if deadline_s is not None:
            delay_s = min(delay_s, max(0.0, deadline_s - time.monotonic()))
        time.sleep(delay_s)
        _check(deadline_s, runtime)


def _deadline_in(seconds: float | None) -> float | None:
    return None if seconds is None else time.monotonic() + seconds


def _timeout_s(runtime: Runtime, deadline_s: float | None) -> float | None:
    """Return the time limit of a request: that of one call, or what is left of the session's."""
    if deadline_s is None:
        return runtime.call_timeout_s
    left_s = max(0.0, deadline_s - time.monotonic())
    return left_s if runtime.call_timeout_s is None else min(left_s, runtime.call_timeout_s)


def _take_slot(runtime: Runtime, deadline_s: float | None) -> None:
    left_s = None if deadline_s is None else max(0.0, deadline_s - time.monotonic())
    try:
        runtime.model_limiter.acquire(left_s)
    except TimeoutError as error:
        raise runtime.session_timed_out() from error


def _check(deadline_s: float | None, runtime: Runtime) -> None:
    if deadline_s is not None and time.monotonic() >= deadline_s:
        raise runtime.session_timed_out()
