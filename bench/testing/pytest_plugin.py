"""A pytest plugin: the fixture ``lab`` runs an agent against the mocked world inside a test.

    def test_the_tools_of_a_round_overlap(lab):
        result = lab.run("my_agent:build", scenario="tools", sessions=10, slo="max=5s")
        assert result.makespan == result.ideal.makespan
        assert result.blocked_loop == []

In virtual time, which is the default, a test takes milliseconds and its times are exact. If a
test fails, the swim lanes of what it ran are shown with it.

The lab is imported by the first test that asks for it: pytest starts as fast as without.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ...mocks.scenario import Scenario
    from ..results.exploration import Exploration
    from .lab import LabResult

_RUNS = pytest.StashKey["list[LabResult]"]()
_MOST_SHOWN = 3


class LabInTests:
    """Runs cells for one test."""

    def __init__(self, runs: "list[LabResult]") -> None:
        self._runs = runs

    def explore(
        self,
        target: object,
        *,
        schedules: int = 100,
        scenario: "str | Scenario" = "chat",
        strategy: str = "gather",
        loop: str = "asyncio",
        sessions: int = 10,
        seed: int = 1,
        replay: str | None = None,
    ) -> "Exploration":
        """Run the sessions of an agent under many schedules, in this process and in virtual time.

        Args:
            target: As for ``run``; it is made anew for each schedule.
            schedules: How many schedules.
            scenario: As for ``run``, as are the next.
            strategy: How the sessions are driven.
            loop: The event loop that they run on.
            sessions: Sessions of a schedule, all in flight at a time.
            seed: Another one explores other schedules.
            replay: The case of a failure that this call found before: nothing else is run.

        Raises:
            AssertionError: Something goes wrong in one of them, or the case does not fit any more.
            UsageError: One of the arguments cannot be used.
        """
        __tracebackhide__ = True  # pytest shows the line of the test instead
        # Whoever does not use the fixture waits for none of it.
        from ...mocks.redaction import redacted  # noqa: PLC0415
        from ...reports.comparison.failures import replay_argument  # noqa: PLC0415
        from ...reports.terminal.exploration import (  # noqa: PLC0415
            exploration_lines,
            replayed_lines,
        )
        from ..results.exploration import Exploration  # noqa: PLC0415
        from .explore import explore, explored_spec, replayed  # noqa: PLC0415

        if replay is not None:
            spec = explored_spec(
                target,
                scenario=scenario,
                strategy=strategy,
                loop=loop,
                sessions=sessions,
                seed=seed,
            )
            again = replayed(target, spec, replay)
            if again.failures or again.unfit:
                lines = replayed_lines(spec.cell, again)
                raise AssertionError("\n".join(redacted(tuple(lines))))
            return Exploration(
                cell=spec.cell,
                begins_at=again.case.schedule,
                schedules=1,
                of=1,
                notes=again.notes,
            )
        found = explore(
            target,
            schedules=schedules,
            scenario=scenario,
            strategy=strategy,
            loop=loop,
            sessions=sessions,
            seed=seed,
        )
        if found.found:
            name = scenario if isinstance(scenario, str) else scenario.name
            # The command line knows a target by its name alone.
            replays = None if isinstance(target, str) else replay_argument
            lines = exploration_lines(found, name, replays)
            raise AssertionError("\n".join(redacted(tuple(lines))))
        return found

    def run(
        self,
        target: object = "agent",
        *,
        scenario: "str | Scenario" = "tools",
        strategy: str = "gather",
        loop: str = "asyncio",
        sessions: int = 10,
        concurrency: int | None = None,
        clock: str = "virtual",
        seed: int = 1,
        tool_workers: int | None = None,
        slo: str | None = None,
    ) -> "LabResult":
        """Run sessions of an agent, in this process; times are in seconds.

        Args:
            target: A name (``agent``, ``module:factory``, ``asgi:module:app``), a factory, the
                coroutine function that is its session, or a ``Target``.
            scenario: A built-in name, the path of a file, or a ``Scenario``.
            strategy: How the sessions are driven.
            loop: The event loop that they run on.
            sessions: Sessions in all.
            concurrency: Sessions in flight at most; by default all of them.
            clock: ``virtual`` (exact), ``warp`` (true, with computing) or ``wall``.
            seed: Seed of the script.
            tool_workers: Threads for blocking tools; by default as many as the load needs.
            slo: Objectives that the sessions are to meet, such as ``max=5s`` or
                ``ttft_max=800ms,max=5s``: none fails, and each figure is within its limit on the
                clock.

        Raises:
            AssertionError: The sessions miss an objective.
            UsageError: The target or an option cannot be used.
            TrialError: The strategy does not fit the target, or a loop runs in this thread.
        """
        __tracebackhide__ = True  # a missed objective is shown at the line of the test
        from .lab import assert_objectives, objectives_of, run_cell, spec_of  # noqa: PLC0415

        spec = spec_of(
            target,
            scenario=scenario,
            strategy=strategy,
            loop=loop,
            sessions=sessions,
            concurrency=concurrency,
            clock=clock,
            seed=seed,
            tool_workers=tool_workers,
        )
        objectives = objectives_of(slo, spec.cell.session_count)
        result = run_cell(spec, target)
        self._runs.append(result)
        assert_objectives(result, objectives)
        return result

    def benchmark(
        self,
        benchmark: Any,
        target: object = "agent",
        *,
        rounds: int = 5,
        slo: str | None = None,
        **options: Any,
    ) -> "LabResult":
        """Let pytest-benchmark time a cell: what its sessions compute, since waits are skipped.

        The percentiles, makespan, efficiency and counts of the cell go into ``extra_info``,
        and so into ``--benchmark-json``.

        Args:
            benchmark: The fixture of pytest-benchmark.
            target: As in ``run``.
            rounds: How often all the sessions are run.
            slo: As in ``run``, of the last round.
            **options: As in ``run``.

        Returns:
            The result of the last round.
        """
        __tracebackhide__ = True
        from ...mocks.clock.patching import patched  # noqa: PLC0415
        from ...mocks.clock.real_time import real_perf_counter  # noqa: PLC0415
        from .lab import assert_objectives, objectives_of, prepared_cell, spec_of  # noqa: PLC0415

        spec = spec_of(target, **options)
        objectives = objectives_of(slo, spec.cell.session_count)
        # By its own timer it would time the waits, on the clock.
        with (
            patched(benchmark, "_timer", real_perf_counter),
            prepared_cell(spec, target) as measure,
        ):
            result: LabResult = benchmark.pedantic(measure, rounds=rounds, iterations=1)
        benchmark.extra_info.update(result.figures())
        self._runs.append(result)
        assert_objectives(result, objectives)
        return result


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> LabInTests:
    """Run an agent against a mocked model and mocked tools, in virtual time."""
    return LabInTests(request.node.stash.setdefault(_RUNS, []))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what a failed test ran."""
    report = yield
    runs = item.stash.get(_RUNS, [])
    if call.when == "call" and report.failed and runs:
        lanes = "\n\n".join(run.timeline() for run in runs[-_MOST_SHOWN:])
        report.sections.append(("warpbench: what the test ran", lanes))
    return report


__all__ = ["LabInTests", "lab", "pytest_runtest_makereport"]
