"""What every strategy promises: N at a time, in order, each once, and cancellation passes."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warpbench.bench.instruments.probe import Probe
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.strategies import (
    BUILT_IN,
    Drives,
    Strategy,
    available_strategies,
    strategy_named,
)
from warpbench.bench.testing.lab import run_cell, spec_of
from warpbench.bench.trial.loops import ASYNCIO, UVLOOP
from warpbench.mocks.clock import VirtualClock, keeping_time
from warpbench.mocks.errors import UsageError
from warpbench.mocks.workload.ideal import Waits, ideal_makespan_ns
from warpbench.mocks.workload.script import ModelCallScript, Script, SessionScript

SECOND_NS = 1_000_000_000
LOOPS = {"asyncio": ASYNCIO.create, "uvloop": UVLOOP.create}

CELLS = [
    pytest.param(strategy, new_loop, id=f"{strategy.name}-{loop}")
    for strategy in BUILT_IN
    for loop, new_loop in (LOOPS.items() if strategy.on_loop else [("none", None)])
]
EVERY_CELL = pytest.mark.parametrize(("strategy", "new_loop"), CELLS)

LEAVES_PLACES_FREE: frozenset[str] = frozenset()
"""Strategies that leave a place free while sessions are left, because that is what they show."""


class Driven:
    """A strategy driving sessions that wait, in virtual time, watched by a probe."""

    def __init__(self, waits_ns: list[int], failing: frozenset[int] = frozenset()) -> None:
        self.clock = VirtualClock()
        self.order: list[int] = []
        self.most_at_once = 0
        self.samples: tuple[SessionSample, ...] = ()
        self._waits_ns = waits_ns
        self._failing = failing
        self._at_once = 0
        self._lock = threading.Lock()

    def run(self, strategy: Strategy, new_loop: Any, concurrency: int) -> None:
        tasks = {f"task {number}": number for number in range(len(self._waits_ns))}
        with keeping_time(self.clock):
            probe = Probe(self.clock, tasks)
            if strategy.drives is Drives.ASYNC:
                session: Any = probe.watch_async(self._session)
            else:
                session = probe.watch_sync(self._sync_session)
            if strategy.on_loop:
                with asyncio.Runner(loop_factory=lambda: new_loop(self.clock)) as runner:
                    runner.run(strategy.run(session, list(tasks), concurrency))
            else:
                strategy.run(session, list(tasks), concurrency)
        self.samples = probe.samples()

    async def _session(self, task: str) -> str:
        number = self._enter(task)
        await self.clock.sleep_until_ns(self.clock.now_ns() + self._waits_ns[number])
        return self._leave(number)

    def _sync_session(self, task: str) -> str:
        number = self._enter(task)
        self.clock.wait_until_ns(self.clock.now_ns() + self._waits_ns[number])
        return self._leave(number)

    def _enter(self, task: str) -> int:
        with self._lock:
            number = int(task.split()[1])
            self.order.append(number)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            return number

    def _leave(self, number: int) -> str:
        with self._lock:
            self._at_once -= 1
        if number in self._failing:
            raise ValueError(f"session {number} fails")
        return "done"


@EVERY_CELL
def test_at_most_n_sessions_are_in_flight(strategy: Strategy, new_loop: Any) -> None:
    driven = Driven([SECOND_NS] * 10)

    driven.run(strategy, new_loop, concurrency=3)

    expected = 1 if strategy.one_at_a_time else 3
    assert driven.most_at_once == expected
    assert driven.clock.now_ns() == (10 if expected == 1 else 4) * SECOND_NS


@EVERY_CELL
def test_each_session_runs_once_in_the_order_of_the_tasks(
    strategy: Strategy, new_loop: Any
) -> None:
    driven = Driven([SECOND_NS, 0, 3 * SECOND_NS, 5, SECOND_NS, 2 * SECOND_NS])

    driven.run(strategy, new_loop, concurrency=2)

    assert driven.order == list(range(6))
    assert sorted(sample.session for sample in driven.samples) == list(range(6))


@EVERY_CELL
def test_a_failing_session_sinks_no_other(strategy: Strategy, new_loop: Any) -> None:
    driven = Driven([SECOND_NS] * 6, failing=frozenset({1, 4}))

    driven.run(strategy, new_loop, concurrency=3)

    outcomes = {sample.session: sample.outcome for sample in driven.samples}
    assert [number for number, outcome in outcomes.items() if outcome is Outcome.FAILED] == [1, 4]
    assert len(outcomes) == 6
    assert driven.samples[1].error in {None, "ValueError: session 1 fails"}


@EVERY_CELL
@settings(max_examples=25, deadline=None)
@given(
    waits_ns=st.lists(st.integers(0, 5 * SECOND_NS), min_size=1, max_size=12),
    concurrency=st.integers(1, 5),
)
def test_no_strategy_is_faster_than_the_ideal(
    strategy: Strategy, new_loop: Any, waits_ns: list[int], concurrency: int
) -> None:
    driven = Driven(waits_ns)
    sessions = tuple(
        SessionScript(number, (ModelCallScript(wait_ns, 1, 1, ()),))
        for number, wait_ns in enumerate(waits_ns)
    )

    driven.run(strategy, new_loop, concurrency)

    ideal_ns = ideal_makespan_ns(Script("any", 1, sessions), Waits.ALL, 2, concurrency)
    assert driven.clock.now_ns() >= ideal_ns
    if not strategy.one_at_a_time and strategy.name not in LEAVES_PLACES_FREE:
        assert driven.clock.now_ns() == ideal_ns, (
            f"{strategy.name} left a place free while sessions were left; "
            "if that is its purpose, name it in LEAVES_PLACES_FREE"
        )


ASYNC_CELLS = [cell for cell in CELLS if cell.values[0].drives is Drives.ASYNC]  # type: ignore[union-attr]


@pytest.mark.parametrize(("strategy", "new_loop"), ASYNC_CELLS)
def test_cancelling_a_strategy_cancels_its_sessions_and_leaves_no_task(
    strategy: Strategy, new_loop: Any
) -> None:
    clock = VirtualClock()
    tasks = {f"task {number}": number for number in range(6)}

    async def session(_task: str) -> str:
        await clock.sleep_until_ns(clock.now_ns() + 10 * SECOND_NS)
        return "never"

    async def cancel_midway(watched: Callable[[str], Awaitable[str]]) -> int:
        running = asyncio.ensure_future(strategy.run(watched, list(tasks), 3))  # type: ignore[call-overload]
        await asyncio.sleep(1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return len(asyncio.all_tasks()) - 1

    with (
        keeping_time(clock),
        asyncio.Runner(loop_factory=lambda: new_loop(clock)) as runner,
    ):
        probe = Probe(clock, tasks)
        left = runner.run(cancel_midway(probe.watch_async(session)))

    assert left == 0
    assert [sample.outcome for sample in probe.samples()] == [Outcome.CANCELLED] * 3
    assert clock.now_ns() == SECOND_NS


def fake_distribution(folder: Path, entry_point: str) -> None:
    metadata = folder / "theirs-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[warpbench.strategies]\n{entry_point}\n")


def test_a_strategy_of_another_package_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "their_strategy_found.py").write_text(
        "from warpbench.bench.strategies import Drives, Strategy\n"
        "THEIRS = Strategy('theirs', 'one', Drives.SYNC, lambda session, tasks, n: None)\n"
    )
    fake_distribution(tmp_path, "theirs = their_strategy_found:THEIRS")
    monkeypatch.syspath_prepend(str(tmp_path))

    assert available_strategies()["theirs"].summary == "one"


@pytest.mark.parametrize(
    ("entry_point", "expected"),
    [
        ("theirs = no_such_module:THEIRS", "cannot be loaded"),
        ("theirs = json:no_such_thing", "cannot be loaded"),
        ("theirs = json:dumps", "expected a Strategy, found function"),
        ("theirs = their_unfinished_strategy:THEIRS", "cannot be loaded: TypeError: .*'run'"),
        ("again = warpbench.bench.strategies.gather:STRATEGY", "'gather' already"),
    ],
)
def test_a_broken_entry_point_is_one_clear_error(
    entry_point: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "their_unfinished_strategy.py").write_text(
        "from warpbench.bench.strategies import Drives, Strategy\n"
        "THEIRS = Strategy('theirs', 'without its function', Drives.SYNC)\n"
    )
    fake_distribution(tmp_path, entry_point)
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(UsageError, match=expected):
        available_strategies()


def test_a_strategy_of_any_module_is_named_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one_by_one.py").write_text(
        "from warpbench.bench.strategies import Drives, Strategy\n"
        "async def run(session, tasks, concurrency):\n"
        "    for task in tasks:\n"
        "        await session(task)\n"
        "MINE = Strategy('mine', 'one by one', Drives.ASYNC, run, one_at_a_time=True)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))

    spec = spec_of("agent", scenario="two-sleeps", strategy="one_by_one:MINE", sessions=3)
    result = run_cell(spec, "agent")

    assert spec.cell.strategy == "one_by_one:MINE"
    assert result.makespan == 3.0
    assert "one_by_one:MINE" not in available_strategies()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("no_such_module:MINE", "'no_such_module:MINE' cannot be loaded: ModuleNotFoundError"),
        ("json:MINE", "'json:MINE' cannot be loaded: AttributeError"),
        ("json:dumps", "'json:dumps': expected a Strategy, found function"),
        ("gathr", r"'gathr' \(did you mean 'gather'\?\): expected one of sync, .* or module:"),
    ],
)
def test_a_name_that_leads_to_no_strategy_is_one_clear_error(name: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        strategy_named(name)
