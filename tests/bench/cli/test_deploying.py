"""``--serve``: what it makes of the options, what is refused beside it, and a run of a service."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from warpbench.bench.cli.commands.run import RunOptions
from warpbench.bench.cli.deploying import deployed_service
from warpbench.mocks.errors import UsageError

from ...conftest import run_warpbench_here

pytestmark = pytest.mark.once

SERVER = Path(__file__).parent.parent / "services" / "chat_server.py"
COMMAND = "uvicorn my_app:app --port {port} --workers {workers}"
SCENARIO = """
name = "chat"
description = "Short answers."
sessions = 6
[model]
latency_s = 0.02
completion_tokens = 4
[[rounds]]
"""


def test_it_is_a_target_in_real_time_over_sockets_and_workers_are_a_factor() -> None:
    found = deployed_service(RunOptions(serve=COMMAND, workers=(1, 2, 4), ready_within=5.0))

    assert found is not None
    assert found.factors == {"workers": (1, 2, 4), "ready_within_s": 5.0}
    options = found.options
    assert (options.target, options.strategy, options.loop, options.clock, options.transport) == (
        (f"serve:{COMMAND}",),
        ("gather",),
        ("asyncio",),
        "wall",
        ("loopback",),
    )


def test_without_a_number_of_workers_there_is_one() -> None:
    found = deployed_service(RunOptions(serve=COMMAND))

    assert found is not None
    assert found.factors == {"workers": (1,)}
    assert deployed_service(RunOptions()) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": (2,)}, "--workers: only a service as deployed has workers"),
        ({"ready_within": 1.0}, "--ready-within: only a service as deployed is waited for"),
        ({"target": (f"serve:{COMMAND}",)}, "is named by its command, as --serve"),
        ({"serve": "a {port}", "workers": (2,)}, r"--workers: the command of --serve has no \{wor"),
        ({"serve": COMMAND, "target": ("asgi:a:app",)}, "--target: the command of --serve is the"),
        ({"serve": COMMAND, "clock": "warp"}, "--clock warp: .*no clock can skip over them"),
        ({"serve": COMMAND, "transport": ("loopback-aiohttp",)}, "--transport: .*its own client"),
        ({"serve": COMMAND, "strategy": ("threads",)}, "--strategy: .*leave it out"),
        ({"serve": COMMAND, "loop": ("uvloop",)}, "--loop: .*say it in its command"),
        ({"serve": COMMAND, "tool_workers": 4}, "--tool-workers: .*threads of its own"),
        ({"serve": COMMAND, "validate": ("all",)}, "--validate: .*in real time already"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line_with_the_reason(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        deployed_service(RunOptions(**options))
    assert "\n" not in str(refused.value)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets orphans be adopted")
def test_a_run_compares_workers_and_tells_whose_each_request_was(tmp_path: Path) -> None:
    pytest.importorskip("psutil")
    pytest.importorskip("cryptography")
    (tmp_path / "chat.toml").write_text(SCENARIO)
    command = f"{sys.executable} -S {SERVER} {{port}} {{workers}}"

    finished = run_warpbench_here(
        tmp_path,
        *("run", "chat.toml", "--serve", command, "--workers", "1,2"),
        *("--concurrency", "3", "--trials", "1"),
    )

    assert (finished.status, finished.err.count("ended")) == (0, 0)
    one, two = finished.cells
    assert (one["cell"]["workers"], two["cell"]["workers"]) == (1, 2)
    for cell in (one, two):
        assert cell["sessions"] == {
            "started": 6,
            "succeeded": 6,
            "failed": 0,
            "cancelled": 0,
            "timed_out": 0,
        }
        assert cell["model_requests"]["by_header"] == 6
        assert cell["service"]["ended"] == []
        assert cell["peak_rss_bytes"] == cell["service"]["memory_bytes"] > 1_000_000
        assert cell["time_parts_s"]["llm"] >= 0.02
    # The process of the command is none of its workers.
    assert [cell["service"]["processes"] for cell in (one, two)] == [2, 3]
    assert "service, 2 workers, concurrency 3: " in finished.out
    assert "service, 2 workers" in (tmp_path / "results" / "report.html").read_text()
    resumed = json.loads((tmp_path / "results" / "trials" / "origin.json").read_text())
    assert "{port}" in resumed["command"]
