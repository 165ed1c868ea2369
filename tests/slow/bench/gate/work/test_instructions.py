"""Counting instructions under callgrind: repeats, and sees what calls do not."""

import json
import shutil
from pathlib import Path

import pytest

from .....bench.gate.owner_agent import write_agent
from .....conftest import Warpbench

CELL = (
    *("two-sleeps", "--target", "owner_agent:build", "--concurrency", "2", "--sessions", "4"),
    "--instructions",
)
ANSWER = "return answer.content or"


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_a_longer_loop_in_c_is_seen_though_it_is_one_call(
    tmp_path: Path, warpbench: Warpbench
) -> None:
    work = "sum(range({}))"
    write_agent(tmp_path, ANSWER, f"{work.format(1000)}; {ANSWER}")
    assert warpbench("baseline", *CELL).status == 0
    assert warpbench("gate", "--instructions").status == 0
    (cell,) = json.loads((tmp_path / "warpbench-baseline.json").read_text())["cells"].values()
    assert cell["work"]["instructions"] > 1_000_000

    write_agent(tmp_path, ANSWER, f"{work.format(100_000)}; {ANSWER}")
    assert warpbench("gate").status == 0
    judged = warpbench("gate", "--instructions")
    assert judged.status == 1, judged.out
    assert "instructions per session" in judged.out
