"""``warpbench import trace``: from a recording of real traffic to a scenario that runs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from warpbench.bench.results.samples import Outcome
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.scenario import load_scenario
from warpbench.mocks.traces import TraceOptions, read_trace, replayed_scenario

from ...mocks.world.test_mocked_world import measured

pytestmark = pytest.mark.once

SOME = 3
IN_VIRTUAL_TIME = ("--clock", "virtual", "--strategy", "gather", "--loop", "asyncio", "--json")
DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
Warpbench = Callable[..., Any]


def trace_file(folder: Path) -> Path:
    request = {"type": "n", "in": 1000, "out": 50, "api_time": 3.0, "think_time": 2.0}
    lines: list[Any] = [{"requests": [request] * count} for count in range(1, 6)]
    lines.append({"requests": [{**request, "api_time": None}, {"type": "subagent"}]})
    path = folder / "trace.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


def test_a_trace_is_replayed_row_by_row(tmp_path: Path, warpbench: Warpbench) -> None:
    made = warpbench("import", "trace", str(trace_file(tmp_path)), "-o", "replay.toml")

    assert made.status == 0, made.err
    assert made.out.splitlines() == [
        "6 sessions, 16 model calls, 0.0 h of them",
        "1 nested agents without a usable request: left out",
        "1 requests without a latency: replayed with the median of the others, 3 s",
        "replay.toml: run it with `warpbench run replay.toml`",
    ]
    run = warpbench("run", "replay.toml", *IN_VIRTUAL_TIME)
    (cell,) = json.loads(run.out)["cells"]
    assert cell["makespan_s"] == cell["ideal_makespan_s"] == 5 * 3 + 4 * 2
    assert cell["llm_calls"] == 16


def test_or_its_quantiles_are_drawn_from(tmp_path: Path, warpbench: Warpbench) -> None:
    made = warpbench("import", "trace", str(trace_file(tmp_path)), "-o", "fit.toml", "--fit")

    assert made.status == 0, made.err
    listed = warpbench("run", "fit.toml", *IN_VIRTUAL_TIME)
    cell = json.loads(listed.out)["cells"][0]
    assert cell["sessions"]["succeeded"] == 6
    assert cell["efficiency"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing", "-o", "a.toml"], "missing: no such file"),
        (["{trace}", "-o", "a.txt"], "--out 'a.txt': expected the name of a .toml file"),
        (["{trace}", "-o", "a.toml", "--format", "azur"], "did you mean 'azure'?"),
        (["{trace}", "-o", "a.toml", "--format", "azure"], "{trace}: no usable session"),
        (["{trace}", "-o", "a.toml", "--subagents", "both"], "expected one of nested, parallel"),
        (["{trace}", "-o", "a.toml", "--overhead", "1"], "has no unit: write 1s or 1m"),
        (["{trace}", "-o", "{trace}/a.toml"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    tmp_path: Path, warpbench: Warpbench, arguments: list[str], message: str
) -> None:
    path = str(trace_file(tmp_path))

    made = warpbench("import", "trace", *(a.replace("{trace}", path) for a in arguments))

    assert made.status == 2
    assert made.out == ""
    assert len(made.err.splitlines()) == 1
    assert message.replace("{trace}", path) in made.err


@pytest.fixture
def real_trace() -> Path:
    path = DATA / "coding_agent_traces.jsonl.gz"
    if not path.exists():
        pytest.skip("the recordings of ../shared/data are not here")
    return path


def test_real_sessions_replay_exactly(tmp_path: Path, real_trace: Path) -> None:
    """Some of them: the whole is a benchmark."""
    from warpbench.mocks.scenario.recording import recording_bytes  # noqa: PLC0415

    trace = read_trace(real_trace, TraceOptions(sessions=SOME))
    (tmp_path / "real.jsonl.gz").write_bytes(recording_bytes(trace.sessions))
    (tmp_path / "real.toml").write_text(
        replayed_scenario(trace, "real", real_trace.name, "real.jsonl.gz")
    )
    scenario = load_scenario(str(tmp_path / "real.toml"))

    _, virtual = measured(scenario)
    _, warp = measured(scenario, clock=ClockMode.WARP)

    assert virtual.makespan_ns == virtual.ideal_makespan_ns
    assert virtual.llm_calls == warp.llm_calls == len(trace.calls)
    assert warp.makespan_ns >= virtual.makespan_ns
    for result in (virtual, warp):
        assert [sample.outcome for sample in result.samples] == [Outcome.SUCCEEDED] * SOME


def test_the_whole_recording_is_read_and_what_is_amiss_is_counted(real_trace: Path) -> None:
    trace = read_trace(real_trace, TraceOptions())

    assert len(trace.sessions) == 355
    assert len(trace.calls) == 24_015  # of which 524 are those of nested agents
    assert trace.malformed == {
        "requests without a latency: replayed with the median of the others, 6.3 s": 2_051,
        "requests without think_time: took 0 s": 52,
    }


def test_spans_of_the_agent_itself_become_its_sessions_again(tmp_path: Path) -> None:
    """What the agent's telemetry says of a scenario is that scenario."""
    sdk_trace = pytest.importorskip("opentelemetry.sdk.trace")
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import (  # noqa: PLC0415
        InMemorySpanExporter,
    )
    from warpbench.agent import Agent, Tool  # noqa: PLC0415
    from warpbench.agent.observability.opentelemetry import OpenTelemetry  # noqa: PLC0415
    from warpbench.bench.targets.loading import Lab  # noqa: PLC0415

    spans = InMemorySpanExporter()
    tracers = sdk_trace.TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(export.SimpleSpanProcessor(spans))

    def build(lab: Lab) -> Any:
        agent = Agent(
            [
                Tool(
                    name=tool.name,
                    description=tool.description,
                    parameters=tool.parameters,
                    function=tool.function,
                )
                for tool in lab.tools
            ],
            observer=OpenTelemetry(tracer_provider=tracers),
        )

        async def session(task: str) -> str:
            return (await agent.chat_async(task)).text

        return session

    _, result = measured(load_scenario("research"), target=build, sessions=3)
    printed = "\n".join(span.to_json() for span in spans.get_finished_spans())
    (tmp_path / "spans.json").write_text(printed)

    trace = read_trace(tmp_path / "spans.json", TraceOptions())

    # Two warm-up sessions without waits came before.
    replayed_s = sorted(
        sum(call.latency_s + max((t.latency_s for t in call.tools), default=0) for call in s.calls)
        for s in trace.sessions
    )[2:]
    met_s = sorted((s.end_ns - s.start_ns) / 1e9 for s in result.samples)
    assert replayed_s == pytest.approx(met_s, abs=2e-5)
    assert {name for name in trace.tools if name != "work"} == {"search", "fetch"}
