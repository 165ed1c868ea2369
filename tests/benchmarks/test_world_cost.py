"""What the mocked world carries: requests over sockets, days of recordings, crowds among faults.

The goals: the loopback server answers at least 3,000 requests a second on one core; a real
recording of sixty hours is replayed in two minutes; of 100,000 sessions among faults none is lost.
``make benchmarks`` checks them; as mere tests these run little and assert nothing of time.
"""

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httptools
import pytest
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.runner.processes import TrialProcesses
from warpbench.bench.strategies import available_strategies
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.model import task_of
from warpbench.mocks.scenario import ModelLimits, Scenario, load_scenario, parse_scenario
from warpbench.mocks.scenario.recording import recording_bytes
from warpbench.mocks.traces import TraceOptions, read_trace, replayed_scenario
from warpbench.mocks.transports.loopback import ServerProcess
from warpbench.mocks.workload.script import ModelCallScript, SessionScript
from warpbench.mocks.world.world import WorldSpec

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
GOAL_REQUESTS_PER_S = 3_000
GOAL_REPLAY_S = 120


def trial(scenario: Scenario, clock: ClockMode, concurrency: int) -> TrialResult:
    (spec,) = cells_of(
        Factors(
            scenarios=(scenario,),
            strategies=(available_strategies()["gather"],),
            concurrency=(concurrency,),
            clock=clock,
            tool_workers=1,
        )
    )
    result = TrialProcesses(3600).run(spec)
    assert isinstance(result, TrialResult)
    return result


class Counting:
    """Counts the answers that a connection brings."""

    def __init__(self) -> None:
        self.answers = 0
        self.parser = httptools.HttpResponseParser(self)

    def on_message_complete(self) -> None:
        self.answers += 1


async def requests_per_s(server: ServerProcess, connections: int, each: int) -> float:
    """Send requests over connections that are kept alive, one at a time on each."""
    body = f'{{"model":"m","messages":[{{"role":"user","content":"{task_of(0, "s")}"}}]}}'.encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    request = head.encode() + body

    async def send() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        counting = Counting()
        for number in range(1, each + 1):
            writer.write(request)
            while counting.answers < number:
                counting.parser.feed_data(await reader.read(65536))
        writer.close()

    begin_s = time.monotonic()
    await asyncio.gather(*(send() for _ in range(connections)))
    return connections * each / (time.monotonic() - begin_s)


@pytest.mark.benchmark(group="world")
def test_the_loopback_server_answers_thousands_of_requests_a_second(benchmark: Any) -> None:
    enabled = not benchmark.disabled
    sessions = {0: SessionScript(0, (ModelCallScript(0, 500, 80, ()),))}

    def measure() -> tuple[float, float]:
        with ServerProcess(WorldSpec(sessions, ModelLimits(), (), "any")) as server:
            asyncio.run(requests_per_s(server, 4, 5))
            server.forget()
            before_s = server.seen()["cpu_s"]
            rate = asyncio.run(requests_per_s(server, 16, 1000 if enabled else 5))
            count = 16 * (1000 if enabled else 5)
            return rate, count / (server.seen()["cpu_s"] - before_s)

    rate, per_core = benchmark.pedantic(measure, rounds=1, iterations=1)

    benchmark.extra_info["requests_per_s"] = round(rate)
    if enabled:
        print(f"\nloopback server: {rate:,.0f} requests/s seen, {per_core:,.0f}/s a core")
        assert rate >= GOAL_REQUESTS_PER_S


@pytest.mark.benchmark(group="world")
def test_a_real_recording_is_replayed_in_two_minutes(benchmark: Any, tmp_path: Path) -> None:
    path = DATA / "coding_agent_traces.jsonl.gz"
    if not path.exists():
        pytest.skip("the recordings of ../shared/data are not here")
    enabled = not benchmark.disabled
    trace = read_trace(path, TraceOptions(sessions=None if enabled else 5))
    (tmp_path / "real.jsonl.gz").write_bytes(recording_bytes(trace.sessions))
    text = replayed_scenario(trace, "real", path.name, "real.jsonl.gz")
    (tmp_path / "real.toml").write_text(text)
    scenario = load_scenario(str(tmp_path / "real.toml"))

    warp = benchmark.pedantic(
        trial, args=(scenario, ClockMode.WARP, scenario.sessions), rounds=1, iterations=1
    )
    virtual = trial(scenario, ClockMode.VIRTUAL, scenario.sessions)

    assert virtual.makespan_ns == virtual.ideal_makespan_ns
    assert warp.llm_calls == virtual.llm_calls == len(trace.calls)
    for result in (warp, virtual):
        assert Counter(sample.outcome.value for sample in result.samples) == {
            "succeeded": scenario.sessions
        }
    if enabled:
        hours = warp.makespan_ns / 3.6e12
        print(
            f"\nreplayed {scenario.sessions} sessions, {warp.llm_calls:,} calls, {hours:.0f} h: "
            f"{warp.elapsed_s:.0f} s in warp, {warp.cpu_s:.0f} s of CPU"
        )
        assert warp.elapsed_s <= GOAL_REPLAY_S


FAULTY = """\
name = "faulty"
description = "One call in twenty meets a fault."
sessions = {sessions}
[model]
latency_s = {{ lognormal = {{ median = 0.8, p99 = 4.0 }} }}
[tools.search]
description = "Searches."
kind = "async"
latency_s = 0.3
[[rounds]]
tools = [{{ tool = "search" }}, {{ tool = "search" }}]
[[rounds]]
"""
KINDS = (
    *('status"\nstatus = 503', 'status"\nstatus = 429\nretry_after_s = 2', 'connect_error"'),
    *('read_timeout"', 'reset"', 'truncated"', 'stalled"', 'malformed_json"', 'empty_answer"'),
    *('invalid_arguments"', 'unknown_tool"', 'slow_drip"\nlatency_s = 2'),
)


@pytest.mark.benchmark(group="world")
def test_of_a_hundred_thousand_sessions_among_faults_none_is_lost(benchmark: Any) -> None:
    enabled = not benchmark.disabled
    count = 100_000 if enabled else 200
    faults = "".join(
        f'[[faults]]\nkind = "{kind}\nprobability = {0.05 / len(KINDS):.6f}\n' for kind in KINDS
    )
    scenario = parse_scenario(FAULTY.format(sessions=count) + faults)

    result = benchmark.pedantic(
        trial, args=(scenario, ClockMode.WARP, 1000), rounds=1, iterations=1
    )

    ended = Counter(sample.outcome.value for sample in result.samples)
    assert len({sample.session for sample in result.samples}) == count
    assert sum(ended.values()) == count
    # Two kinds of the twelve cannot be recovered from, and each session makes two calls.
    assert ended["failed"] < 0.03 * count
    if enabled:
        print(
            f"\n{count:,} sessions among faults: {dict(ended)}, {result.elapsed_s:.0f} s, "
            f"{result.peak_rss_bytes / 1e6:.0f} MB"
        )
