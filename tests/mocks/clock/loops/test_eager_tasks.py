"""In virtual time an eager loop is what libraries know as one."""

import asyncio
import sys

import anyio
import pytest
from warpbench.bench.trial.loops import EAGER
from warpbench.mocks.clock import VirtualClock, keeping_time

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.12 has eager tasks")


async def in_a_scope_of_its_own(ended: list[float]) -> None:
    with anyio.CancelScope():
        await asyncio.sleep(1)
        ended.append(asyncio.get_running_loop().time())


async def grouped() -> list[float]:
    ended: list[float] = []
    async with anyio.create_task_group() as group:
        for _ in range(2):
            group.start_soon(in_a_scope_of_its_own, ended)
    return ended


def test_a_task_group_of_anyio_ends_its_scopes() -> None:
    clock = VirtualClock()

    with (
        keeping_time(clock),
        asyncio.Runner(loop_factory=lambda: EAGER.create(clock)) as runner,
    ):
        first, second = runner.run(grouped())

    assert first == second
