"""A conversation of which the server holds the earlier part, held against the SDK's tool runner.

The runner sends what is new, and names the answer that it continues from.
"""

import asyncio
from typing import Any

import anthropic
import msgspec
import pytest
from warpbench.bench.trial.loops import ASYNCIO
from warpbench.mocks.clock import VirtualClock, keeping_time
from warpbench.mocks.model import ScriptedModel, task_of
from warpbench.mocks.model.scripted import ModelReply
from warpbench.mocks.observe.traffic import Traffic
from warpbench.mocks.transports.in_process.clients import mocked_http
from warpbench.mocks.workload.script import ModelCallScript, SessionScript
from warpbench.mocks.world.services import Services
from warpbench.mocks.world.world import World

from ..mocked import LOOK_UP, MS, PROMPT, SCHEMA, Mocked, call

ASKS = ModelCallScript(1000 * MS, 11, 22, (LOOK_UP, LOOK_UP), ttft_ns=200 * MS, pieces=22)
ASKS_AGAIN = ModelCallScript(700 * MS, 11, 22, (LOOK_UP,), ttft_ns=200 * MS, pieces=4)
ASKED = dict[str, Any]
FORMS = pytest.mark.parametrize("streamed", [False, True])


def asked(prompt: str) -> ASKED:
    return {"model": "m", "max_tokens": 99, "messages": [{"role": "user", "content": prompt}]}


@FORMS
def test_the_sdks_tool_runner_meets_the_whole_script(streamed: bool) -> None:
    mocked = Mocked(ASKS, ASKS_AGAIN, call(500))
    tickets = []

    @anthropic.beta_tool
    def look_up(word: str, ticket: str) -> str:
        """Looks a word up."""
        tickets.append(ticket)
        return word

    def converse() -> Any:
        runner = anthropic.Anthropic(api_key="none").beta.messages.tool_runner(
            tools=[look_up], stream=streamed, **asked(PROMPT)
        )
        return runner.until_done()

    assert mocked.run(converse).content[0].text == "lorem ipsum dolor si"
    assert tickets == ["0.0.0", "0.0.1", "0.1.0"]
    assert mocked.now_s == 2.2


@FORMS
def test_sessions_at_the_same_time_are_told_apart(streamed: bool) -> None:
    sessions = {number: SessionScript(number, (ASKS, ASKS_AGAIN, call(500))) for number in range(9)}

    def ran() -> tuple[Any, ...]:
        clock, traffic = VirtualClock(), Traffic()
        world = World(ScriptedModel(sessions), Services((), "test/1"), clock, traffic)
        tickets = []

        @anthropic.beta_async_tool
        async def look_up(word: str, ticket: str) -> str:
            """Looks a word up."""
            await asyncio.sleep(0.01)
            tickets.append(ticket)
            return word

        async def session(client: anthropic.AsyncAnthropic, number: int) -> float:
            await asyncio.sleep(number / 10)
            await client.beta.messages.tool_runner(
                tools=[look_up], stream=streamed, **asked(task_of(number, "any"))
            ).until_done()
            return clock.now_ns() / 1e9

        async def all_of_them() -> list[float]:
            async with anthropic.AsyncAnthropic(api_key="none") as client:
                return await asyncio.gather(*(session(client, number) for number in sessions))

        with (
            keeping_time(clock),
            mocked_http(world),
            asyncio.Runner(loop_factory=lambda: ASYNCIO.create(clock)) as runner,
        ):
            ends_s = runner.run(all_of_them())
        return ends_s, tickets, traffic.asked_ns, traffic.llm_calls

    ends_s, tickets, asked_ns, calls = ran()

    assert ends_s == [pytest.approx(2.23 + number / 10) for number in sessions]
    assert sorted(tickets) == sorted(f"{s}.{at}" for s in sessions for at in ("0.0", "0.1", "1.0"))
    assert asked_ns.keys() == {(session, step) for session in sessions for step in range(3)}
    assert calls == 27
    assert ran() == (ends_s, tickets, asked_ns, calls)


def replied(model: ScriptedModel, content: str, **more: object) -> ModelReply:
    body = {"model": "m", "messages": [{"role": "user", "content": content}], **more}
    return model.reply("/v1/messages", msgspec.json.encode(body), 0)


def continuing(identifier: str) -> dict[str, object]:
    return {"thread": {"type": "continue", "previous_message_id": identifier}}


def test_what_continues_a_conversation_need_not_declare_its_tools_and_may_be_repeated() -> None:
    model = ScriptedModel({7: SessionScript(7, (ASKS, ASKS_AGAIN, call(500)))})
    tools = [{"name": "look_up", "input_schema": SCHEMA}]

    first = replied(model, task_of(7, "any"), tools=tools, thread={"type": "create"})
    second = replied(model, "go on", **continuing("msg_7_0"))
    assert second.attempt is not None
    second.attempt.ends(is_answered=False, is_given_up=False)
    again = replied(model, "go on", **continuing("msg_7_0"))

    assert (first.session, first.step) == (7, 0)
    assert (second.session, second.step) == (7, 1)
    assert b'"ticket":"7.1.0"' in second.reply.parts[0].data
    assert again == second


@pytest.mark.parametrize("identifier", ["msg_of_another_server", "msg_7_1"])
def test_an_answer_that_was_not_kept_is_not_continued(identifier: str) -> None:
    model = ScriptedModel({7: SessionScript(7, (ASKS, ASKS_AGAIN, call(500)))})
    replied(model, task_of(7, "any"))

    assert replied(model, "go on", **continuing(identifier)).reply.status == 400
