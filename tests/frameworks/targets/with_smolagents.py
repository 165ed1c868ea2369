"""smolagents' agent that calls tools in JSON."""

from typing import Any

from lab_tools import both, sync_tools
from smolagents import OpenAIServerModel, ToolCallingAgent, tool


def _agent(lab: Any, *, stream: bool = False) -> ToolCallingAgent:
    return ToolCallingAgent(
        tools=[tool(each) for each in sync_tools(lab).all],
        model=OpenAIServerModel(model_id="gpt-4o-mini"),
        verbosity_level=0,
        stream_outputs=stream,
    )


def build(lab: Any) -> Any:
    def sync_session(task: str) -> str:
        return str(_agent(lab).run(task))

    return both(sync_session=sync_session)


def build_stream(lab: Any) -> Any:
    def sync_session(task: str) -> str:
        last: object = None
        for event in _agent(lab, stream=True).run(task, stream=True):
            last = event
        return str(last)

    return both(sync_session=sync_session)
