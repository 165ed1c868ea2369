"""The anthropic SDK's own tool runner."""

from typing import Any

from anthropic import Anthropic, AsyncAnthropic, beta_async_tool, beta_tool
from lab_tools import both, coroutine_tools, sync_tools

MODEL = "claude-sonnet-4-5"
MOST_TOKENS = 1024


def build(lab: Any) -> Any:
    client, async_client = Anthropic(), AsyncAnthropic()
    tools = [beta_async_tool(each) for each in coroutine_tools(lab).all]
    plain = [beta_tool(each) for each in sync_tools(lab).all]

    async def session(task: str) -> str:
        runner = async_client.beta.messages.tool_runner(
            model=MODEL, max_tokens=MOST_TOKENS, tools=tools, messages=_messages(task)
        )
        return str((await runner.until_done()).content)

    def sync_session(task: str) -> str:
        runner = client.beta.messages.tool_runner(
            model=MODEL, max_tokens=MOST_TOKENS, tools=plain, messages=_messages(task)
        )
        return str(runner.until_done().content)

    return both(session, sync_session)


def build_stream(lab: Any) -> Any:
    client = AsyncAnthropic()
    tools = [beta_async_tool(each) for each in coroutine_tools(lab).all]

    async def session(task: str) -> str:
        runner = client.beta.messages.tool_runner(
            model=MODEL, max_tokens=MOST_TOKENS, tools=tools, messages=_messages(task), stream=True
        )
        text = ""
        async for stream in runner:
            async for event in stream:
                text += getattr(event, "text", "") or ""
        return text

    return session


def _messages(task: str) -> Any:
    return [{"role": "user", "content": task}]
