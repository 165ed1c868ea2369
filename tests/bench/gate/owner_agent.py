"""An agent as its owner writes it, to be measured, changed, and measured again."""

from pathlib import Path

AGENT = """
import asyncio, copy, itertools, json, time
from openai import AsyncOpenAI

def build(lab):
    client = AsyncOpenAI(api_key=lab.api_key, base_url=lab.base_url)
    limit = asyncio.Semaphore(5)
    numbers = itertools.count()
    kept = []
    functions = {tool.name: tool for tool in lab.tools}
    schemas = [
        {"type": "function", "function": {"name": t.name, "parameters": dict(t.parameters)}}
        for t in lab.tools
    ]

    async def ask(messages):
        async with limit:
            return await client.chat.completions.create(
                model=lab.model, messages=messages, tools=schemas
            )

    async def call(asked):
        tool = functions[asked.function.name]
        arguments = json.loads(asked.function.arguments)
        if tool.kind == "async":
            return await tool.function(**arguments)
        return await asyncio.to_thread(tool.sync_function, **arguments)

    async def session(task):
        number = next(numbers)
        messages = [{"role": "user", "content": task}]
        while True:
            answer = (await ask(messages)).choices[0].message
            if not answer.tool_calls:
                return answer.content or ""
            messages.append(answer)
            results = await asyncio.gather(*map(call, answer.tool_calls))
            for asked, result in zip(answer.tool_calls, results):
                messages.append({"role": "tool", "tool_call_id": asked.id, "content": result})

    return session
"""
TOOLS_AT_ONCE = "results = await asyncio.gather(*map(call, answer.tool_calls))"
TOOLS_IN_TURN = "results = [await call(asked) for asked in answer.tool_calls]"
ASK = "answer = (await ask(messages)).choices[0].message"
COPY_TWICE = (ASK, ASK.replace("ask(messages)", "ask(copy.deepcopy(messages))"))
ANSWER = "return answer.content or"
LOOKS_UP_PRICES = (
    ASK,
    """try:
                urllib.request.urlopen("http://prices.example/list.json")
            except OSError:
                pass
            """
    + ASK,
    "import asyncio, copy,",
    "import asyncio, urllib.request, copy,",
)
NO_LIMIT = ("async with limit:", "if True:")
NO_LUCK = ("def build(lab):", "def build(lab):\n    raise RuntimeError('no luck')")


def write_agent(folder: Path, *changes: str) -> None:
    """Write the agent, with parts of its text changed: before, after, before, after, …"""
    text = AGENT
    for before, after in zip(changes[::2], changes[1::2], strict=True):
        assert before in text
        text = text.replace(before, after)
    (folder / "owner_agent.py").write_text(text)


BASELINE = (
    *("baseline", "tools", "--target", "owner_agent:build", "--concurrency", "10"),
    *("--sessions", "20", "--tool-workers", "40"),
)
