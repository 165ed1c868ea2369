"""openai-agents with its defaults: the Responses API, and tracing on."""

from typing import Any

from agents import Agent, Runner, function_tool
from lab_tools import async_tools, both


def _agent(lab: Any) -> Agent:
    tools = [function_tool(each) for each in async_tools(lab).all]
    return Agent(name="traveller", model="gpt-4o-mini", tools=tools)


def build(lab: Any) -> Any:
    agent = _agent(lab)

    async def session(task: str) -> str:
        return str((await Runner.run(agent, task)).final_output)

    def sync_session(task: str) -> str:
        return str(Runner.run_sync(agent, task).final_output)

    return both(session, sync_session)


def build_stream(lab: Any) -> Any:
    agent = _agent(lab)

    async def session(task: str) -> str:
        result = Runner.run_streamed(agent, task)
        async for _event in result.stream_events():
            pass
        return str(result.final_output)

    return session
