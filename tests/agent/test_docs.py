"""The examples on the agent's page, run as they stand, with a model that costs nothing."""

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from warpbench.agent import Agent
from warpbench.agent.drivers import clients

from .scripted import Model, call, calls, final

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "agent.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def respond(body: dict[str, Any]) -> dict[str, Any]:
    """Call each tool once, the one that ends a task last; then answer."""
    called = [
        asked["function"]["name"]
        for message in body["messages"]
        for asked in message.get("tool_calls", ())
    ]
    for offered in body.get("tools", ()):
        function = offered["function"]
        if function["name"] not in called:
            arguments = dict.fromkeys(function["parameters"]["properties"], "tea")
            return calls(call(function["name"], f"call_{len(called)}", **arguments))
    last = next(m for m in reversed(body["messages"]) if m["role"] == "user")
    return final(f"An answer to: {last['content']}")


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_of_the_page_runs(
    example: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = Model(respond=respond)
    with ExitStack() as stack:
        monkeypatch.setattr(clients, "OpenAI", lambda: stack.enter_context(model.client()))
        monkeypatch.setattr(clients, "AsyncOpenAI", model.async_client)
        exec(compile(example, "agent.md", "exec"), {"__name__": "__main__"})
    assert model.requests
    assert capsys.readouterr().out
    assert not any("error:" in text for text in model.tool_texts())
    assert "secret" not in "".join(request.content.decode() for request in model.requests)


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) >= 7


def test_the_page_names_every_public_method_of_the_agent() -> None:
    page = PAGE.read_text()
    public = [name for name in dir(Agent) if not name.startswith("_")]
    assert [name for name in public if name not in page] == []
