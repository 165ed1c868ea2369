"""A run needs no network, and reaches none: whatever its target does, if trials are isolated."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from .conftest import TIMEOUT_S, Warpbench
from .mocks.network.isolation import needs_isolation
from .mocks.network.packets import in_own_network, why_no_network

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
        [*WITHOUT_NETWORK, warpbench, "run", "tools", *load, *options, "--json", "--out", str(out)],
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


needs_network = pytest.mark.skipif(
    why_no_network() is not None, reason=f"nothing is sent outside of one: {why_no_network()}"
)
MACHINES = {"the guard": "192.0.2.1", "C code": "192.0.2.2", "a child process": "192.0.2.3"}
RESTLESS = f"""
    import ctypes, socket, struct, subprocess, sys

    SENDS = "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ({{!r}}, 53))"

    def send_from_c(machine):
        libc = ctypes.CDLL(None)
        address = struct.pack("=H", 2) + struct.pack(">H", 53) + socket.inet_aton(machine)
        address += bytes(8)
        libc.sendto(libc.socket(2, 2, 0), b"x", 1, 0, address, 16)

    def send_all():
        send_from_c({MACHINES["C code"]!r})
        subprocess.run([sys.executable, "-c", SENDS.format({MACHINES["a child process"]!r})])
        try:
            socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ({MACHINES["the guard"]!r}, 53))
        except Exception as error:
            assert "was not made" in str(error)

    send_all()

    def build():
        def session(task):
            send_all()
            return ""
        return session
"""
"""A target that sends, when it is imported and in each session, what no guard in Python sees."""


def reached_by_a_restless_target(network: str, folder: Path) -> set[str]:
    """Run it, in a network that counts what leaves; return whom it reached."""
    (folder / "restless.py").write_text(textwrap.dedent(RESTLESS))
    packets = folder / "packets.json"
    warpbench = str(Path(sys.executable).parent / "warpbench")
    load = ("--sessions", "1", "--concurrency", "1", "--clock", "virtual", "--trials", "1")

    in_own_network(
        packets,
        *(warpbench, "run", "chat", "--target", "restless:build", "--strategy", "sync"),
        *(*load, "--network", network, "--json"),
        folder=folder,
    )

    assert (folder / "results" / "run.json").exists()
    return {host for _, host in json.loads(packets.read_text())}


@needs_network
@needs_isolation
def test_nothing_that_an_isolated_target_sends_leaves(tmp_path: Path) -> None:
    """Not by C code or a child process either, nor when it is imported."""
    assert reached_by_a_restless_target("isolated", tmp_path) == set()


@needs_isolation
def test_an_isolated_run_finds_the_same(warpbench: Warpbench) -> None:
    load = ("--sessions", "5", "--concurrency", "5", "--clock", "virtual", "--loop", "asyncio")
    command = ("run", "tools", "--strategy", "threads,gather", *load)

    shared = warpbench(*command, "--json")
    isolated = warpbench(*command, "--network", "isolated", "--json")

    assert (isolated.status, isolated.err[-200:]) == (shared.status, shared.err[-200:])
    assert isolated.structure == shared.structure


WITHOUT_FURTHER_NAMESPACES = (
    *("unshare", "--map-root-user", "sh", "-c"),
    'for kind in net user; do echo 0 > /proc/sys/user/max_${kind}_namespaces; done; exec "$@"',
    "sh",
)


def refuse_to_run_without_isolation(command: str, tmp_path: Path) -> None:
    """Hold a command to one line that says why, and status 2; also where the project asks."""
    is_asked_by_project = command in {"baseline", "gate"}
    if is_asked_by_project:
        (tmp_path / "pyproject.toml").write_text('[tool.warpbench]\nnetwork = "isolated"\n')
        shutil.copy(Path(__file__).parents[1] / "warpbench-baseline.json", tmp_path)
    words = [] if is_asked_by_project else ["--network", "isolated"]

    finished = subprocess.run(
        [
            *WITHOUT_FURTHER_NAMESPACES,
            str(Path(sys.executable).parent / "warpbench"),
            *(command, *words),
        ],
        cwd=tmp_path,
        env={**os.environ, "GITHUB_STEP_SUMMARY": ""},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )

    assert finished.returncode == 2, finished.stderr
    assert finished.stderr == (
        "warpbench: --network isolated: this system gives a trial no network of its own (unshare: "
        "no more namespaces are allowed); leave it out, or run where network namespaces can be "
        "made\n"
    )
    assert finished.stdout == ""
    assert not list(tmp_path.glob("results/*"))


@needs_namespaces
def test_where_there_is_no_isolation_no_trial_is_begun(tmp_path: Path) -> None:
    refuse_to_run_without_isolation("run", tmp_path)
