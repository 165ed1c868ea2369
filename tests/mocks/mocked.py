"""A mocked world for a test: sessions by hand, a clock, and HTTP answered by them."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from warpbench.bench.trial.loops import ASYNCIO
from warpbench.mocks.clock import Clock, VirtualClock, keeping_time
from warpbench.mocks.model import ScriptedModel, task_of
from warpbench.mocks.observe.traffic import Traffic
from warpbench.mocks.scenario import ModelLimits, ServiceSpec
from warpbench.mocks.transports.in_process.clients import mocked_http
from warpbench.mocks.workload.script import ModelCallScript, SessionScript, ToolCallScript, ToolKind
from warpbench.mocks.world.services import Services
from warpbench.mocks.world.world import World

T = TypeVar("T")

MS = 1_000_000
PROMPT = task_of(0, "any")
LOOK_UP = ToolCallScript("look_up", '{"word":"time"}', ToolKind.ASYNC, 0)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"word": {"type": "string"}, "ticket": {"type": "string"}},
    "required": ["word", "ticket"],
}


def call(latency_ms: int = 1000, **more: Any) -> ModelCallScript:
    return ModelCallScript(latency_ms * MS, 11, more.pop("tokens", 5), (), **more)


class Mocked:
    """Session 0 makes these model calls."""

    def __init__(
        self,
        *calls: ModelCallScript,
        limits: ModelLimits | None = None,
        services: tuple[ServiceSpec, ...] = (),
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or VirtualClock()
        self.traffic = Traffic()
        self.model = ScriptedModel(
            {0: SessionScript(0, calls)}, limits or ModelLimits(), marks_texts=False
        )
        self.world = World(self.model, Services(services, "test/1"), self.clock, self.traffic)

    @property
    def now_s(self) -> float:
        return self.clock.now_ns() / 1e9

    def run(self, work: Callable[[], T]) -> T:
        with keeping_time(self.clock), mocked_http(self.world):
            return work()

    def run_async(
        self, work: Callable[[], Coroutine[Any, Any, T]], new_loop: Any = ASYNCIO.create
    ) -> T:
        def on_loop() -> T:
            with asyncio.Runner(loop_factory=lambda: new_loop(self.clock)) as runner:
                return runner.run(work())

        return self.run(on_loop)
