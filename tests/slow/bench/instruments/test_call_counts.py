"""Calls are counted alike under any hash seed: whole runs, each in an interpreter of its own."""

import re
from typing import Any

import pytest

# Addresses decide which of the interpreter's caches are hit: a few blocks and bytes more or less.
KEPT = re.compile(r'"(?:blocks|bytes)_kept": \d+')


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_the_counts_of_a_cell_do_not_depend_on_the_hash_seed(loop: str, warpbench: Any) -> None:
    written = []
    for seed in ("0", "77"):
        made = warpbench(
            *("baseline", "tools", "--strategy", "gather,threads", "--loop", loop),
            *("--concurrency", "10", "--sessions", "12", "--out", f"{seed}.json"),
            PYTHONHASHSEED=seed,
        )
        assert made.status == 0, made.err
        written.append(KEPT.sub("", (made.folder / f"{seed}.json").read_text()))
    assert written[0] == written[1]
    assert '"tasks": 0' not in written[0].split("threads")[0]
