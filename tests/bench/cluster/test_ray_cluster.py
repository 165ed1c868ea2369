"""Ray as the cluster, as far as it can be told without it."""

import os
import subprocess
import sys

import pytest
from warpbench.bench.cluster.ray_cluster import RayCluster
from warpbench.mocks.errors import UsageError
from warpbench.mocks.network import Network


def test_without_ray_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    before = dict(os.environ)

    with pytest.raises(UsageError) as told:
        RayCluster(60.0, Network.SHARED)

    assert str(told.value) == "--on ray: Ray is not installed here: pip install 'warpbench[ray]'"
    assert dict(os.environ) == before


def test_whoever_imports_the_lab_does_not_import_ray() -> None:
    program = (
        "import sys, warpbench.bench.cli.run, warpbench.bench.cluster.ray_cluster;"
        "sys.exit('ray' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
