"""Builds both forms of the agent from a host's settings, as sessions."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from openai import AsyncOpenAI, DefaultAsyncHttpxClient, DefaultHttpxClient, OpenAI

from .agent import Agent
from .drivers import sdk
from .tools.tool import Tool

if TYPE_CHECKING:
    import httpx2

_MOST_ROUNDS = 10_000
# The SDK's own client sends at most 1,000 requests at one time: how many sessions there are is up
# to the host.
_LIMITS = sdk.limits(max_connections=None, max_keepalive_connections=100)


class HostedTool(Protocol):
    """A tool as a host describes it, with a plain function for plain code."""

    @property
    def name(self) -> str:
        """Name of the tool, for the model."""
        ...

    @property
    def description(self) -> str:
        """Description of the tool, for the model."""
        ...

    @property
    def parameters(self) -> Mapping[str, object]:
        """JSON schema of the tool's arguments."""
        ...

    @property
    def function(self) -> Callable[..., object]:
        """The tool, plain or async."""
        ...

    @property
    def sync_function(self) -> Callable[..., object]:
        """The tool as a plain function."""
        ...


class Host(Protocol):
    """Where the agent runs: its tools, and how to reach the model."""

    @property
    def tools(self) -> Iterable[HostedTool]:
        """The tools that the model may call."""
        ...

    @property
    def tool_workers(self) -> int:
        """Threads for tools that block."""
        ...

    @property
    def model(self) -> str:
        """Name of the model."""
        ...

    @property
    def base_url(self) -> str:
        """Address of the model's API."""
        ...

    @property
    def api_key(self) -> str:
        """Key of the model's API."""
        ...

    def async_http_client(self) -> "httpx2.AsyncClient | None":
        """Return the HTTP client of an async client; ``None`` for the SDK's own."""
        ...


@dataclass(frozen=True, slots=True)
class Sessions:
    """One session of the agent, async and sync: a task in, the final text out."""

    session: Callable[[str], Awaitable[str]]
    sync_session: Callable[[str], str]


def build(host: Host) -> Sessions:
    """Return the agent's session in both forms; each call of a session is a conversation."""
    agent, sync_agent = _agents(host)

    async def session(task: str) -> str:
        return (await agent.chat_async(task)).text

    def sync_session(task: str) -> str:
        return sync_agent.chat(task).text

    return Sessions(session, sync_session)


def build_streaming(host: Host) -> Sessions:
    """Return the agent's session with streamed answers, which are read to their end."""
    agent, sync_agent = _agents(host)

    async def session(task: str) -> str:
        async with agent.stream_async(task) as events:
            async for _ in events:
                pass
            return events.answer.text

    def sync_session(task: str) -> str:
        with sync_agent.stream(task) as events:
            for _ in events:
                pass
            return events.answer.text

    return Sessions(session, sync_session)


def _agents(host: Host) -> tuple[Agent, Agent]:
    """Return the agent for async code, and the one for plain code."""
    agent = Agent(
        [_tool(tool, tool.function) for tool in host.tools],
        async_client=AsyncOpenAI(
            api_key=host.api_key,
            base_url=host.base_url,
            http_client=host.async_http_client() or DefaultAsyncHttpxClient(limits=_LIMITS),
        ),
        model=host.model,
        max_rounds=_MOST_ROUNDS,
        tool_workers=host.tool_workers,
    )
    sync_agent = Agent(
        [_tool(tool, tool.sync_function) for tool in host.tools],
        client=OpenAI(
            api_key=host.api_key,
            base_url=host.base_url,
            http_client=DefaultHttpxClient(limits=_LIMITS),
        ),
        model=host.model,
        max_rounds=_MOST_ROUNDS,
        tool_workers=host.tool_workers,
        # The strategy ``blocking`` shows that mistake.
        blocking_in_loop=True,
    )
    return agent, sync_agent


def _tool(tool: HostedTool, function: Callable[..., object]) -> Tool:
    return Tool(
        name=tool.name,
        description=tool.description,
        parameters=tool.parameters,
        function=function,
    )
