"""A run needs no network: it works where there is none, not even loopback."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

TIMEOUT_S = 120
WITHOUT_NETWORK = ("unshare", "--map-root-user", "--net")


def network_namespaces_work() -> bool:
    if shutil.which("unshare") is None:
        return False
    probe = subprocess.run([*WITHOUT_NETWORK, "true"], capture_output=True, check=False)
    return probe.returncode == 0


@pytest.mark.skipif(not network_namespaces_work(), reason="no network namespaces here")
@pytest.mark.parametrize("clock", ["virtual", "warp"])
def test_a_run_in_a_network_namespace_without_a_route(clock: str, tmp_path: Path) -> None:
    warpbench = str(Path(sys.executable).parent / "warpbench")
    options = ["--sessions", "5", "--concurrency", "5", "--clock", clock, "--trials", "1"]

    result = subprocess.run(
        [*WITHOUT_NETWORK, warpbench, "run", "tools", *options, "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )

    assert result.returncode == 0, result.stderr
    cells = json.loads((tmp_path / "run.json").read_text())["cells"]
    assert len(cells) == 8
    assert all(cell["sessions"]["succeeded"] == 5 for cell in cells)
