"""dspy's ReAct, which reads the tool to call off the model's text."""

from typing import Any

import dspy
from lab_tools import both, sync_tools

LM = dspy.LM("openai/gpt-4o-mini", cache=False)


def build(lab: Any) -> Any:
    tools = sync_tools(lab).all

    async def session(task: str) -> str:
        with dspy.context(lm=LM):
            return str(await dspy.ReAct("question -> answer", tools=tools).acall(question=task))

    def sync_session(task: str) -> str:
        with dspy.context(lm=LM):
            return str(dspy.ReAct("question -> answer", tools=tools)(question=task))

    return both(session, sync_session)


def build_stream() -> Any:
    async def session(task: str) -> str:
        predict = dspy.streamify(dspy.Predict("question -> answer"))
        last: object = None
        with dspy.context(lm=LM):
            async for chunk in predict(question=task):
                last = chunk
        return str(last)

    return session
