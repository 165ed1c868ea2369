import asyncio
import gc
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
import uvloop
from warpbench.agent import Agent, SettingsError
from warpbench.agent.observability.debugging import BlockedLoop, debugging

from ..scripted import Model, call, calls, final

OPEN_S = 120.0
"""A wait that never ends fails the test instead of hanging it; no test waits this long."""

on_each_loop = pytest.mark.parametrize(
    "loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)


def run(main: Callable[[], Any], loop: Callable[[], asyncio.AbstractEventLoop]) -> Any:
    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(main())


@on_each_loop
def test_a_blocked_loop_is_reported_with_the_culprits_stack(loop: Any) -> None:
    reported = threading.Event()
    reports: list[BlockedLoop] = []

    def report(blocked: BlockedLoop) -> None:
        reports.append(blocked)
        if "in culprit" in blocked.stack:  # a busy machine may block the loop by itself
            reported.set()

    stack_taken = threading.Event()

    def culprit() -> None:
        # As a sync call inside a coroutine would: hold the loop until the watch has seen it.
        stack_taken.wait(0.5)

    async def blunder() -> str:
        culprit()
        return "done"

    async def main() -> None:
        model = Model([calls(call("blunder")), final()])
        async with (
            debugging(0.02, report) as debug,
            model.async_client() as client,
            Agent(blunder, async_client=client) as agent,
        ):
            await agent.chat_async("task")
            await asyncio.to_thread(reported.wait, OPEN_S)
            assert [blocked.stack for blocked in debug.blocked] == [b.stack for b in reports]

    run(main, loop)
    blocked = next(each for each in reports if "in culprit" in each.stack)
    assert "stack_taken.wait(0.5)" in blocked.stack
    assert "in blunder" in blocked.stack
    assert "run_forever" not in blocked.stack
    assert blocked.task.startswith("Task-") or blocked.task == "_run_limited"
    assert blocked.blocked_s >= 0.02
    assert str(blocked).startswith(f"the event loop was blocked by task '{blocked.task}' for 0.")


def test_by_default_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with debugging(0.02) as debug:
            threading.Event().wait(0.3)
            assert debug.blocked

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())
    assert "the event loop was blocked" in caplog.text


def test_a_loop_that_waits_is_not_blocked() -> None:
    async def main() -> None:
        async with debugging(5) as debug:
            for _ in range(10):
                await asyncio.sleep(0.01)
        assert debug.blocked == []

    asyncio.run(main())


@on_each_loop
def test_the_tree_shows_who_made_whom_and_where_each_waits(loop: Any) -> None:
    tree = ""
    begun = asyncio.Event()

    async def nap(x: int) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def main() -> None:
        nonlocal tree
        model = Model([calls(call("nap", "1", x=1), call("nap", "2", x=2))])
        async with (
            debugging(5) as debug,
            model.async_client() as client,
            Agent(nap, async_client=client) as agent,
        ):
            session = asyncio.create_task(agent.chat_async("task"), name="session")
            await begun.wait()
            await asyncio.sleep(0)
            tree = debug.task_tree()
            session.cancel()
            await asyncio.wait([session])

    run(main, loop)
    lines = tree.splitlines()
    assert [len(line) - len(line.lstrip()) for line in lines] == [0, 4, 8, 8]
    assert lines[1].startswith("    session: TaskGroup.__aexit__ (")
    assert "Event.wait (" in lines[2]
    assert "test_debugging.py" in lines[0]


def test_nothing_is_left_behind() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        threads = threading.active_count()
        async with debugging(5):
            assert loop.get_task_factory() is not None
        assert loop.get_task_factory() is None
        assert threading.active_count() == threads
        gc.collect()

    asyncio.run(main())


def test_no_time_at_all_is_refused() -> None:
    async def main() -> None:
        async with debugging(0):
            pass

    with pytest.raises(SettingsError, match="blocked_after_s is 0"):
        asyncio.run(main())
