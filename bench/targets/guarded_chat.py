"""A guarded chat as people write it: each turn a moderation, then a guardrail beside the answer."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from openai import AsyncOpenAI, OpenAI

from .loading import Lab, Target

_GUARDRAIL = "Is this safe? Answer with one word."
_FURTHER = ("Tell me more.", "And in one sentence?")


def build(lab: Lab) -> Target:
    """Return both forms of the agent, which has no tools."""
    client = AsyncOpenAI(
        api_key=lab.api_key, base_url=lab.base_url, http_client=lab.async_http_client()
    )
    sync_client = OpenAI(api_key=lab.api_key, base_url=lab.base_url)

    async def ask(messages: list[Any]) -> str:
        reply = await client.chat.completions.create(model=lab.model, messages=messages)
        return reply.choices[0].message.content or ""

    async def session(task: str) -> str:
        messages: list[Any] = []
        for question in (task, *_FURTHER):
            await client.moderations.create(input=question)
            messages.append({"role": "user", "content": question})
            async with asyncio.TaskGroup() as group:
                group.create_task(ask(_judging(question)))
                answer = group.create_task(ask(messages))
            messages.append({"role": "assistant", "content": answer.result()})
        return str(messages[-1]["content"])

    def ask_plainly(messages: list[Any]) -> str:
        reply = sync_client.chat.completions.create(model=lab.model, messages=messages)
        return reply.choices[0].message.content or ""

    def sync_session(task: str) -> str:
        messages: list[Any] = []
        with ThreadPoolExecutor(1) as pool:
            for question in (task, *_FURTHER):
                sync_client.moderations.create(input=question)
                messages.append({"role": "user", "content": question})
                judged = pool.submit(ask_plainly, _judging(question))
                answer = ask_plainly(messages)
                judged.result()
                messages.append({"role": "assistant", "content": answer})
        return str(messages[-1]["content"])

    return Target(session=session, sync_session=sync_session)


def _judging(question: str) -> list[Any]:
    return [{"role": "system", "content": _GUARDRAIL}, {"role": "user", "content": question}]
