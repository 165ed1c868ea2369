"""The async driver: drives turns in an event loop, line for line as the sync one does."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from typing import TypeVar

import openai
from openai import AsyncOpenAI, AsyncStream

from ..conversation.stream_assembly import AnswerAssembly
from ..conversation.turn import Turn
from ..conversation.wire import parse_answer
from ..messages import Finished, ModelAnswer, StreamEvent, TextDelta, ToolEnded, ToolStarted
from ..observability.observer import ChatSpan, SessionSpan
from ..policies.deadline import Until, deadline_in
from .async_tools import run_tools
from .runtime import PATH, Runtime, call_timed_out
from .sdk import HttpResponse, request_arguments

T = TypeVar("T")


async def drive(turn: Turn, client: AsyncOpenAI, runtime: Runtime) -> None:
    """Take a turn to its end.

    Cancelling this cancels the running call of the model or the running tools, and waits for them.

    Raises:
        SessionTimeoutError: The turn took longer than the agent's ``session_timeout_s``.
        ConversationError: The conversation is in the middle of another turn.
        MaxRoundsError, ContextTooLongError: See ``Turn``.
        ModelAnswerError: An answer of the model is malformed.
        ToolFailedError: A critical tool failed.
        openai.APIError: The API failed, after the retries.
    """
    runtime.meter.session()
    with turn.in_use(), runtime.observer.invoke_agent(runtime.name, runtime.model) as span:
        async with Until(deadline_in(runtime.session_timeout_s), runtime.session_timed_out):
            while not turn.is_over:
                calls = turn.receive(await _ask(turn.request(), client, runtime, span))
                turn.add_results(await run_tools(calls, runtime, span))


async def stream(turn: Turn, client: AsyncOpenAI, runtime: Runtime) -> AsyncGenerator[StreamEvent]:
    """Take a turn to its end, yielding what happens as it happens; errors as for ``drive``.

    No ``yield`` stands inside a timeout or a task group: these would cancel the consumer.
    """
    runtime.meter.session()
    deadline_s = deadline_in(runtime.session_timeout_s)
    with turn.in_use(), runtime.observer.invoke_agent(runtime.name, runtime.model) as span:
        while not turn.is_over:
            assembly = AnswerAssembly()
            request = turn.request(streamed=True)
            with span.chat() as chat:
                async with _chunks(request, client, runtime, chat, deadline_s) as next_chunk:
                    while (chunk := await next_chunk()) is not None:
                        for text in assembly.feed(chunk):
                            chat.first_token()
                            yield TextDelta(text)
                answer = assembly.answer()
                chat.answered(answer)
            runtime.meter.model_call(answer.usage)
            calls = turn.receive(answer)
            for call in calls:
                yield ToolStarted(call.call)
            async with Until(deadline_s, runtime.session_timed_out):
                results = await run_tools(calls, runtime, span)
            for call, result in zip(calls, results, strict=True):
                yield ToolEnded(call.call, result)
            turn.add_results(results)
        yield Finished(turn.answer)


async def _ask(
    request: bytes, client: AsyncOpenAI, runtime: Runtime, span: SessionSpan
) -> ModelAnswer:
    with span.chat() as chat, chat.active():
        body = await _retrying(partial(_post, request, client, runtime), runtime)
        answer = parse_answer(body)
        chat.answered(answer)
    runtime.meter.model_call(answer.usage)
    return answer


async def _post(request: bytes, client: AsyncOpenAI, runtime: Runtime) -> bytes:
    await runtime.model_limiter.acquire_async()
    try:
        timeout_s = runtime.call_timeout_s
        async with Until(deadline_in(timeout_s), partial(call_timed_out, client)):
            # The SDK's way for custom requests keeps its keys and errors, but saves the walk over
            # every message, which is half the cost of `chat.completions.create`.
            response = await client.post(
                PATH,
                cast_to=HttpResponse,
                **request_arguments(request, timeout_s),
            )
        return bytes(response.content)
    finally:
        runtime.model_limiter.release()


@asynccontextmanager
async def _chunks(
    request: bytes,
    client: AsyncOpenAI,
    runtime: Runtime,
    chat: ChatSpan,
    session_deadline_s: float | None,
) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """Start a streamed answer; yield a function that waits for its next chunk, ``None`` at the end.

    A failure before the first chunk is retried. The answer keeps its slot to its end.
    """
    with ExitStack() as slot:

        async def post() -> tuple[AsyncStream[object], float | None]:
            await runtime.model_limiter.acquire_async()
            with ExitStack() as taken:
                taken.callback(runtime.model_limiter.release)
                call_deadline_s = deadline_in(runtime.call_timeout_s)
                async with Until(call_deadline_s, partial(call_timed_out, client)):
                    chunks = await client.post(
                        PATH,
                        cast_to=object,
                        stream=True,
                        stream_cls=AsyncStream[object],
                        **request_arguments(request, runtime.call_timeout_s),
                    )
                slot.push(taken.pop_all())
            return chunks, call_deadline_s

        with chat.active():
            async with Until(session_deadline_s, runtime.session_timed_out):
                chunks, call_deadline_s = await _retrying(post, runtime)

        async def next_chunk() -> object:
            async with (
                Until(session_deadline_s, runtime.session_timed_out),
                Until(call_deadline_s, partial(call_timed_out, client)),
            ):
                return await anext(chunks, None)

        async with chunks:
            yield next_chunk


async def _retrying(attempt: Callable[[], Awaitable[T]], runtime: Runtime) -> T:
    retries = 0
    while True:
        try:
            result = await attempt()
        except openai.APIError as error:
            delay_s = runtime.retry.delay_s(error, retries)
            if delay_s is None:
                raise
        else:
            runtime.retry.succeeded()
            return result
        retries += 1
        runtime.meter.retry()
        await asyncio.sleep(delay_s)
