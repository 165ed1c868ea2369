"""What frameworks ask for when their user names a type for the answer: all of it is answered."""

import importlib.util
from collections.abc import Callable
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from ..mocks.mocked import PROMPT, Mocked, call


class Step(BaseModel):
    action: Literal["read", "write"]
    file: str


class Plan(BaseModel):
    to: Literal["billing", "support"]
    score: float = Field(ge=0, le=1)
    steps: list[Step] = Field(min_length=1, max_length=2)
    note: str | None = None


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("langchain_openai", "pydantic_ai"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: make examples")
    monkeypatch.setenv("OPENAI_API_KEY", "none")


def of_langchain(**options: Any) -> Any:
    from langchain_openai import ChatOpenAI  # noqa: PLC0415 - where it is installed

    model = ChatOpenAI(model="gpt-4o-mini").with_structured_output(Plan, **options)
    return Mocked(call()).run(lambda: model.invoke(PROMPT))


@pytest.mark.parametrize("options", [{}, {"method": "function_calling"}])
def test_langchain(options: Any) -> None:
    assert isinstance(of_langchain(**options), Plan)


def strategies_of_langchain() -> list[Any]:
    from langchain.agents.structured_output import (  # noqa: PLC0415 - where it is installed
        ProviderStrategy,
        ToolStrategy,
    )

    return [ProviderStrategy(Plan), ToolStrategy(Plan), Plan]


def test_langchains_agent() -> None:
    from langchain.agents import create_agent  # noqa: PLC0415 - where it is installed
    from langchain_openai import ChatOpenAI  # noqa: PLC0415 - where it is installed

    for strategy in strategies_of_langchain():
        agent: Any = create_agent(
            ChatOpenAI(model="gpt-4o-mini"), tools=[], response_format=strategy
        )
        answer = Mocked(call()).run(
            lambda: agent.invoke({"messages": [("user", PROMPT)]})  # noqa: B023 - runs now
        )

        assert isinstance(answer["structured_response"], Plan)


def native() -> Any:
    from pydantic_ai import NativeOutput  # noqa: PLC0415 - where it is installed

    return NativeOutput(Plan)


@pytest.mark.parametrize("output", [native, lambda: Plan], ids=["native", "by a tool"])
@pytest.mark.parametrize("api", ["OpenAIChatModel", "OpenAIResponsesModel"])
def test_pydantic_ai(output: Callable[[], Any], api: str) -> None:
    from pydantic_ai import Agent  # noqa: PLC0415 - where it is installed
    from pydantic_ai.models import openai as models  # noqa: PLC0415 - where it is installed

    agent: Any = Agent(getattr(models, api)("gpt-4o-mini"), output_type=output())

    async def run() -> Any:
        return (await agent.run(PROMPT)).output

    assert isinstance(Mocked(call()).run_async(run), Plan)
