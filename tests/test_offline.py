"""A run needs no network: it works where there is none, not even loopback."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import TIMEOUT_S

pytestmark = pytest.mark.once

WITHOUT_NETWORK = ("unshare", "--map-root-user", "--net")


def network_namespaces_work() -> bool:
    if shutil.which("unshare") is None:
        return False
    probe = subprocess.run([*WITHOUT_NETWORK, "true"], capture_output=True, check=False)
    return probe.returncode == 0


needs_namespaces = pytest.mark.skipif(
    not network_namespaces_work(), reason="no network namespaces here"
)


def run_without_a_network(out: Path, clock: str, *options: str) -> list[dict[str, Any]]:
    """Run the scenario ``tools`` where there is no network; return its cells."""
    warpbench = str(Path(sys.executable).parent / "warpbench")
    load = ("--sessions", "5", "--concurrency", "5", "--clock", clock, "--trials", "1")
    result = subprocess.run(
        [*WITHOUT_NETWORK, warpbench, "run", "tools", *load, *options, "--out", str(out)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    cells: list[dict[str, Any]] = json.loads((out / "run.json").read_text())["cells"]
    assert all(cell["sessions"]["succeeded"] == 5 for cell in cells)
    return cells


@needs_namespaces
def test_a_run_in_a_network_namespace_without_a_route(tmp_path: Path) -> None:
    """In a thread, and on each loop; ``tests/slow`` runs every strategy on every clock."""
    assert len(run_without_a_network(tmp_path, "virtual", "--strategy", "threads,gather")) == 3
