"""A crew of one agent, with crewai's defaults."""

from typing import Any

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool
from lab_tools import both, sync_tools


def _crew(lab: Any, *, stream: bool = False) -> Crew:
    agent = Agent(
        role="Traveller",
        goal="Plan trips",
        backstory="You travel.",
        tools=[tool(each.__name__)(each) for each in sync_tools(lab).all],
        llm=LLM(model="openai/gpt-4o-mini", stream=stream),
    )
    task = Task(description="{task}", expected_output="A plan", agent=agent)
    return Crew(agents=[agent], tasks=[task], stream=stream)


def build(lab: Any) -> Any:
    async def session(task: str) -> str:
        return str(await _crew(lab).akickoff(inputs={"task": task}))

    def sync_session(task: str) -> str:
        return str(_crew(lab).kickoff(inputs={"task": task}))

    return both(session, sync_session)


def build_stream(lab: Any) -> Any:
    async def session(task: str) -> str:
        streaming: Any = await _crew(lab, stream=True).akickoff(inputs={"task": task})
        async for _chunk in streaming:
            pass
        return str(streaming.result)

    return session
