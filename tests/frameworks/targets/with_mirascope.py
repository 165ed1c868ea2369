"""mirascope's call with tools, gone on with until the model asks for none."""

from typing import Any

from lab_tools import both, coroutine_tools, sync_tools
from mirascope import llm

MODEL = "openai/gpt-4o-mini"


def build(lab: Any) -> Any:
    @llm.call(MODEL, tools=[llm.tool(each) for each in coroutine_tools(lab).all])
    async def plan(task: str) -> str:
        return task

    @llm.call(MODEL, tools=[llm.tool(each) for each in sync_tools(lab).all])
    def plan_plainly(task: str) -> str:
        return task

    async def session(task: str) -> str:
        response: Any = await plan(task)
        while response.tool_calls:
            response = await response.resume(await response.execute_tools())
        return str(response.text())

    def sync_session(task: str) -> str:
        response: Any = plan_plainly(task)
        while response.tool_calls:
            response = response.resume(response.execute_tools())
        return str(response.text())

    return both(session, sync_session)


def build_stream(lab: Any) -> Any:
    @llm.call(MODEL, tools=[llm.tool(each) for each in coroutine_tools(lab).all])
    async def plan(task: str) -> str:
        return task

    async def session(task: str) -> str:
        response: Any = await plan.stream(task)
        while True:
            await response.finish()
            if not response.tool_calls:
                return str(response.text())
            response = await response.resume(await response.execute_tools())

    return session
