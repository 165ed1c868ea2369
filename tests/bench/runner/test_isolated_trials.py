"""A trial that is isolated has a network of its own, with all that it starts, and nothing else."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.processes import TrialProcesses
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.bench.trial.turn import Turn
from warpbench.mocks.errors import TrialError, WarpbenchError
from warpbench.mocks.network import Network

from ...mocks.network.isolation import needs_isolation
from .test_processes import specification
from .test_supervisor import in_folder, left_of, note, noted, noted_under_a_limit

pytestmark = needs_isolation

TIME_LIMIT_S = 60
NAMESPACE = "/proc/self/ns/net"
NOBODY = 65533
PR_SET_DUMPABLE = 4
ANSWER = b"x"


@pytest.fixture(autouse=True)
def trials_find_this_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[3])


def tell_where_it_is(_spec: TrialSpec, _turn: Turn) -> NotApplicable:
    """Tell of the network, what of it reaches a child, and who this process is."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname(), timeout=TIME_LIMIT_S)
        accepted, _ = server.accept()
        with client, accepted:
            accepted.sendall(ANSWER)
            heard = client.recv(len(ANSWER))
    child = subprocess.run(
        ["readlink", NAMESPACE], capture_output=True, text=True, check=True
    ).stdout.strip()
    return NotApplicable(
        json.dumps(
            {
                "namespace": str(Path(NAMESPACE).readlink()),
                "of a child": child,
                "interfaces": sorted(name for _, name in socket.if_nameindex()),
                "loopback answers": heard == ANSWER,
                **who_this_is(),
            }
        )
    )


def who_this_is() -> dict[str, Any]:
    status = Path("/proc/self/status").read_text().splitlines()
    return {
        "user": [os.getuid(), os.geteuid(), os.getgid(), os.getegid()],
        "capabilities": [line for line in status if line.startswith(("CapPrm", "CapEff"))],
    }


def told(network: Network) -> dict[str, Any]:
    answer = TrialProcesses(TIME_LIMIT_S, tell_where_it_is, network=network).run(specification())
    assert isinstance(answer, NotApplicable)
    found: dict[str, Any] = json.loads(answer.reason)
    return found


def test_an_isolated_trial_and_what_it_starts_have_loopback_alone_and_are_who_they_were() -> None:
    shared, isolated = told(Network.SHARED), told(Network.ISOLATED)

    assert shared["namespace"] == shared["of a child"] == str(Path(NAMESPACE).readlink())
    assert isolated["namespace"] == isolated["of a child"] != shared["namespace"]
    assert isolated["interfaces"] == ["lo"]
    assert isolated["loopback answers"]
    for name in who_this_is():
        assert isolated[name] == shared[name]


def test_a_target_is_imported_in_a_network_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "noting_target.py").write_text(
        f"import os\nopen({str(tmp_path / 'noted')!r}, 'w').write(os.readlink({NAMESPACE!r}))\n"
        "def build(): ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    TrialProcesses(TIME_LIMIT_S, network=Network.ISOLATED).check_target("noting_target:build")

    assert (tmp_path / "noted").read_text() != str(Path(NAMESPACE).readlink())


@pytest.mark.parametrize("network", Network)
def test_what_a_target_does_when_it_is_imported_is_refused_too(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An address that is one already: to resolve it sends nothing, even where nobody refuses it.
    (tmp_path / f"resolving_{network.value}.py").write_text(
        "import socket\nsocket.getaddrinfo('192.0.2.7', 80, flags=socket.AI_NUMERICHOST)\n"
        "def build(): ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    processes = TrialProcesses(TIME_LIMIT_S, network=network)

    with pytest.raises(WarpbenchError, match=r"192\.0\.2\.7 was not made"):
        processes.check_target(f"resolving_{network.value}:build")


def wait_beside_a_child(spec: TrialSpec, _turn: Turn) -> NotApplicable:
    note(spec, subprocess.Popen(["sleep", "600"]).pid)
    note(spec, os.getpid())
    time.sleep(TIME_LIMIT_S * 10)
    return NotApplicable("done")


def wait_without_a_supervisor(spec: TrialSpec, _turn: Turn) -> NotApplicable:
    note(spec, os.getpid())
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(TIME_LIMIT_S * 10)
    return NotApplicable("done")


def test_an_isolated_trial_that_hangs_ends_with_all_that_it_started(tmp_path: Path) -> None:
    def run(limit_s: float) -> None:
        processes = TrialProcesses(limit_s, wait_beside_a_child, network=Network.ISOLATED)
        with pytest.raises(TrialError, match=f"hung: no result within {limit_s:g} s"):
            processes.run(in_folder(tmp_path))

    assert left_of(noted_under_a_limit(tmp_path, 2, run)) == []


def test_an_isolated_trial_ends_with_its_supervisor(tmp_path: Path) -> None:
    processes = TrialProcesses(TIME_LIMIT_S, wait_without_a_supervisor, network=Network.ISOLATED)
    with pytest.raises(TrialError, match="crashed: killed by SIGKILL"):
        processes.run(in_folder(tmp_path))

    pids = noted(tmp_path)
    assert pids
    assert left_of(pids) == []


def test_in_virtual_time_a_trial_is_the_same_in_either_network() -> None:
    results = [TrialProcesses(TIME_LIMIT_S, network=each).run(specification()) for each in Network]

    samples = [result.samples for result in results if isinstance(result, TrialResult)]
    assert len(samples) == len(Network)
    assert samples[0] == samples[1]


def test_a_user_who_is_not_root_has_it_without_new_rights() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    with tempfile.TemporaryDirectory() as folder:
        unreadable = Path(folder) / "unreadable"
        unreadable.touch()
        Path(folder).chmod(0o755)
        os.chown(unreadable, NOBODY, NOBODY)
        unreadable.chmod(0o000)
        script = f"""
            import ctypes, encodings.idna, os, socket
            from warpbench.mocks.network.namespace import isolate_network

            os.setgroups([])
            os.setgid({NOBODY})
            os.setuid({NOBODY})
            # As after the start of a program, which one that has changed its user is not.
            ctypes.CDLL(None).prctl({PR_SET_DUMPABLE}, 1)
            isolate_network()
            assert os.getuid() == os.getgid() == {NOBODY}
            assert [name for _, name in socket.if_nameindex()] == ["lo"]
            assert os.stat({str(unreadable)!r}).st_uid == {NOBODY}
            assert not os.access({str(unreadable)!r}, os.R_OK)
            with socket.create_server(("127.0.0.1", 0)) as server:
                socket.create_connection(server.getsockname()).close()
        """
        finished = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)],
            capture_output=True,
            text=True,
            check=False,
        )

    assert finished.returncode == 0, finished.stderr


def test_a_process_with_threads_is_not_isolated_by_halves() -> None:
    script = (
        "import threading, time\n"
        "from warpbench.mocks.network.namespace import isolate_network\n"
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "isolate_network()\n"
    )

    finished = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )

    assert "the process has threads, which would stay behind" in finished.stderr
