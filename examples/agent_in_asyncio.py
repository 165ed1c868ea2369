"""The agent in a plain asyncio program: python agent_in_asyncio.py"""

import asyncio

from warpbench.agent import Agent, tool


@tool
async def forecast(city: str) -> str:
    """Forecast the weather of a city."""
    await asyncio.sleep(0.1)
    return f"sun over {city}"


async def main() -> None:
    questions = [f"Do I need an umbrella in {city}?" for city in ("Oslo", "Rome", "Lima")]
    async with Agent([forecast], instructions="Answer in one sentence.") as agent:
        for outcome in await agent.batch_chat_async(questions, max_concurrency=2):
            print(outcome)
        print(f"{agent.counters.model_calls} calls, {agent.counters.usage}")


if __name__ == "__main__":
    asyncio.run(main())
