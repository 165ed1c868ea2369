"""Deep research as people write it: a planner, researchers at once, a writer, and embeddings.

Each is a conversation of its own. Only the planner is told the task: what the others ask is made of
earlier answers.
"""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from openai import AsyncOpenAI, OpenAI

from ...mocks.world.tools import LabTool
from .loading import Lab, Target
from .openai_tools import declaration

_SUBJECTS = ("the past", "the present", "the future")
_EMBEDDING_MODEL = "text-embedding-3-small"


def build(lab: Lab) -> Target:
    """Return both forms of the agent, over the lab's tools."""
    tools = {tool.name: tool for tool in lab.tools}
    declared: list[Any] = [declaration(tool) for tool in tools.values()]
    client = AsyncOpenAI(
        api_key=lab.api_key, base_url=lab.base_url, http_client=lab.async_http_client()
    )
    sync_client = OpenAI(api_key=lab.api_key, base_url=lab.base_url)

    async def converse(system: str, prompt: str, offered: list[Any]) -> str:
        messages = _opening(system, prompt)
        while True:
            reply = await client.chat.completions.create(
                model=lab.model, messages=messages, **_offering(offered)
            )
            message = reply.choices[0].message
            messages.append(message)
            calls: Any = message.tool_calls
            if not calls:
                return message.content or ""
            results = await asyncio.gather(*(call_tool(tools, call) for call in calls))
            messages.extend(_results(calls, results))

    async def session(task: str) -> str:
        await client.embeddings.create(model=_EMBEDDING_MODEL, input=task)
        plan = await converse("You plan.", f"Plan a report. {task}", [])
        async with asyncio.TaskGroup() as group:
            researchers = [
                group.create_task(converse("You research.", f"On {subject}: {plan}", declared))
                for subject in _SUBJECTS
            ]
        notes = [researcher.result() for researcher in researchers]
        await client.embeddings.create(model=_EMBEDDING_MODEL, input=notes)
        return await converse("You write.", "\n".join(notes), [])

    def converse_plainly(system: str, prompt: str, offered: list[Any]) -> str:
        messages = _opening(system, prompt)
        while True:
            reply = sync_client.chat.completions.create(
                model=lab.model, messages=messages, **_offering(offered)
            )
            message = reply.choices[0].message
            messages.append(message)
            calls: Any = message.tool_calls
            if not calls:
                return message.content or ""
            with ThreadPoolExecutor(len(calls)) as pool:
                results = list(pool.map(lambda call: _call_tool_plainly(tools, call), calls))
            messages.extend(_results(calls, results))

    def sync_session(task: str) -> str:
        sync_client.embeddings.create(model=_EMBEDDING_MODEL, input=task)
        plan = converse_plainly("You plan.", f"Plan a report. {task}", [])

        def research(subject: str) -> str:
            return converse_plainly("You research.", f"On {subject}: {plan}", declared)

        with ThreadPoolExecutor(len(_SUBJECTS)) as pool:
            notes = list(pool.map(research, _SUBJECTS))
        sync_client.embeddings.create(model=_EMBEDDING_MODEL, input=notes)
        return converse_plainly("You write.", "\n".join(notes), [])

    return Target(session=session, sync_session=sync_session)


async def call_tool(tools: dict[str, LabTool], call: Any) -> str:
    """Run the lab's tool that an answer asks for."""
    function: Any = tools[call.function.name].function
    result: str = await function(**json.loads(call.function.arguments))
    return result


def _call_tool_plainly(tools: dict[str, LabTool], call: Any) -> str:
    return tools[call.function.name].sync_function(**json.loads(call.function.arguments))


def _opening(system: str, prompt: str) -> list[Any]:
    return [{"role": "system", "content": system}, {"role": "user", "content": prompt}]


def _offering(offered: list[Any]) -> dict[str, Any]:
    return {"tools": offered} if offered else {}


def _results(calls: Any, results: list[str]) -> list[Any]:
    return [
        {"role": "tool", "tool_call_id": call.id, "content": result}
        for call, result in zip(calls, results, strict=True)
    ]
