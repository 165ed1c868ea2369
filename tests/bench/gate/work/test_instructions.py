"""Counting instructions is refused where it cannot be done; counted are they in ``tests/slow``."""

from pathlib import Path

import pytest

from ....conftest import run_warpbench_here
from ..owner_agent import write_agent
from ..trials_here import run_trials_here

pytestmark = pytest.mark.once

CELL = ("two-sleeps", "--target", "owner_agent:build", "--concurrency", "2", "--sessions", "4")


def test_without_valgrind_or_without_a_baseline_of_them_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_trials_here(monkeypatch, tmp_path)
    write_agent(tmp_path)
    for command in (("baseline", *CELL, "--instructions"), ("gate", "--instructions")):
        refused = run_warpbench_here(tmp_path, *command, PATH=str(tmp_path))
        assert refused.status == 2
        (line,) = refused.err.splitlines()
        assert "valgrind is not installed" in line or "no such file" in line
    assert run_warpbench_here(tmp_path, "baseline", *CELL).status == 0
    refused = run_warpbench_here(tmp_path, "gate", "--instructions")
    assert refused.status == 2
    assert "write it with `warpbench baseline --instructions`" in refused.err
