"""A chat in the terminal: ``python -m warpbench.agent.frontends.terminal``.

Nothing here blocks the event loop, so other tasks on it, such as the connection to an MCP
server, continue while the user types. Ctrl-C cancels the current answer; a second Ctrl-C at
the prompt ends the chat.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any, TypeVar

import openai
from openai import AsyncOpenAI

from ..agent import Agent
from ..conversation.conversation import Conversation
from ..drivers.coroutines import as_coroutine
from ..errors import AgentError
from ..messages import TextDelta, ToolEnded, ToolStarted
from ..options import OneLineParser
from .lines import Lines

T = TypeVar("T")
ReadLine = Callable[[], Awaitable[str | None]]
Write = Callable[[str], None]

_PROMPT = "\n> "
_HINT = "\n(Ctrl-C again, Ctrl-D or /exit ends the chat)"
_HELP = "/clear forgets the conversation, /summary counts it, /exit ends the chat"


class _InterruptError(Exception):
    """Ctrl-C interrupted the current answer or the prompt."""


class TerminalChat:
    """A chat between a user at a terminal and an agent, in one conversation.

    Args:
        agent: The agent that answers.
        read_line: Waits for a line; returns ``None`` at the end.
        write: Writes text to the terminal immediately.
    """

    def __init__(self, agent: Agent, read_line: ReadLine, write: Write) -> None:
        self._agent = agent
        self._read_line = read_line
        self._write = write
        self._conversation = Conversation()
        self._under_way: asyncio.Task[Any] | None = None

    def interrupt(self) -> None:
        """Handle Ctrl-C: cancel the current answer, or leave the prompt."""
        if self._under_way is not None:
            self._under_way.cancel()

    async def run(self) -> None:
        """Chat until the end of the lines, ``/exit``, or a second interrupt at the prompt."""
        leaving = False
        while True:
            self._write(_PROMPT)
            try:
                line = await self._interruptible(as_coroutine(self._read_line()))
            except _InterruptError:
                if leaving:
                    return
                leaving = True
                self._write(_HINT)
                continue
            leaving = False
            if line is None or line.strip() == "/exit":
                return
            await self._take(line.strip())

    async def _take(self, line: str) -> None:
        if line == "/clear":
            self._conversation.clear()
        elif line == "/summary":
            self._write(str(self._conversation.summary()))
        elif line.startswith("/"):
            self._write(_HELP)
        elif line:
            try:
                await self._interruptible(self._answer(line))
            except _InterruptError:
                self._write("\n(cancelled; the conversation is as it was)")

    async def _answer(self, message: str) -> None:
        try:
            async with self._agent.stream_async(message, conversation=self._conversation) as events:
                async for event in events:
                    if isinstance(event, TextDelta):
                        self._write(_printable(event.text))
                    elif isinstance(event, ToolStarted):
                        call = event.call
                        self._write(_dim(f"[{call.name} {call.arguments}]"))
                    elif isinstance(event, ToolEnded) and event.result.failed:
                        self._write(_dim(f"[{event.result.text}]"))
        except (AgentError, openai.APIError) as error:
            self._write(_printable(f"\n(error: {type(error).__name__}: {error})"))

    async def _interruptible(self, work: Coroutine[Any, Any, T]) -> T:
        async with asyncio.TaskGroup() as group:
            self._under_way = task = group.create_task(work)
        self._under_way = None
        # A cancelled task does not count as a failure of its group.
        if task.cancelled():
            raise _InterruptError
        return task.result()


def _dim(text: str) -> str:
    return f"\x1b[2m{_printable(text)}\x1b[0m\n"


def _printable(text: str) -> str:
    # Text of a model or a tool must not control the terminal.
    return "".join(each for each in text if each.isprintable() or each in "\n\t")


@contextmanager
def _on_ctrl_c(action: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGINT)
    loop.add_signal_handler(signal.SIGINT, action)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)


async def chat(options: argparse.Namespace) -> None:
    """Chat on the standard input and output.

    Raises:
        AgentError: An MCP server cannot be reached.
    """
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(AsyncOpenAI(base_url=options.base_url))
        agent = Agent(async_client=client, model=options.model, instructions=options.instructions)
        await stack.enter_async_context(agent)
        for address in options.mcp:
            from ..mcp import McpTools  # noqa: PLC0415 - an extra, needed only with this option

            server = await stack.enter_async_context(McpTools(address))
            agent.register(server.tools)
        lines = await stack.enter_async_context(Lines(sys.stdin.fileno()))
        terminal = TerminalChat(agent, lines.next, _print)
        stack.enter_context(_on_ctrl_c(terminal.interrupt))
        await terminal.run()
    _print("\n")


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> None:
    """Chat in this terminal; exits with status 2 if the chat cannot start."""
    parser = OneLineParser(
        "python -m warpbench.agent.frontends.terminal", description="Chat with the agent."
    )
    parser.add_argument("--model", default="gpt-4o-mini", help="name of the model (%(default)s)")
    parser.add_argument("--base-url", help="address of the model's API")
    parser.add_argument("--instructions", help="the system message")
    parser.add_argument(
        "--mcp", action="append", default=[], metavar="URL", help="offer an MCP server's tools"
    )
    options = parser.parse_args(arguments)
    if not os.environ.get("OPENAI_API_KEY"):
        parser.error("OPENAI_API_KEY is not set; export the key of the model's API")
    try:
        asyncio.run(chat(options))
    except (AgentError, ImportError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
