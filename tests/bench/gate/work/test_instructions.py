"""Counting instructions under callgrind: repeats, and sees what calls do not."""

import json
import shutil
from pathlib import Path

import pytest

from ....conftest import Warpbench
from ..owner_agent import write_agent

pytestmark = pytest.mark.once

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


def test_without_valgrind_or_without_a_baseline_of_them_it_says_so(
    tmp_path: Path, warpbench: Warpbench
) -> None:
    write_agent(tmp_path)
    for command in (("baseline", *CELL), ("gate", "--instructions")):
        refused = warpbench(*command, PATH=str(tmp_path))
        assert refused.status == 2
        (line,) = refused.err.splitlines()
        assert "valgrind is not installed" in line or "no such file" in line
    assert warpbench("baseline", *CELL[:-1]).status == 0
    refused = warpbench("gate", "--instructions")
    assert refused.status == 2
    assert "write it with `warpbench baseline --instructions`" in refused.err
