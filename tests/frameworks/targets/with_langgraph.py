"""langchain's agent, which is a graph of langgraph."""

from typing import Any

from lab_tools import async_tools, both, sync_tools
from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

MODEL = "gpt-4o-mini"


def build(lab: Any) -> Any:
    agent: Any = create_agent(
        ChatOpenAI(model=MODEL), [tool(each) for each in async_tools(lab).all]
    )
    plain: Any = create_agent(ChatOpenAI(model=MODEL), [tool(each) for each in sync_tools(lab).all])

    async def session(task: str) -> str:
        return str((await agent.ainvoke({"messages": [("user", task)]}))["messages"][-1].text)

    def sync_session(task: str) -> str:
        return str(plain.invoke({"messages": [("user", task)]})["messages"][-1].text)

    return both(session, sync_session)


def build_stream(lab: Any) -> Any:
    model = ChatOpenAI(model=MODEL, streaming=True)
    agent: Any = create_agent(model, [tool(each) for each in async_tools(lab).all])

    async def session(task: str) -> str:
        text = ""
        messages = {"messages": [("user", task)]}
        async for chunk, _metadata in agent.astream(messages, stream_mode="messages"):
            text += str(chunk.text)
        return text

    return session
