"""The life of a service as deployed: ready when it answers, and gone with all that it started."""

import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from warpbench.bench.services.command import serve_command
from warpbench.bench.services.served import ServedService
from warpbench.mocks.errors import TargetError

from ..runner.test_supervisor import left_of

SERVER = Path(__file__).parent / "chat_server.py"
COMMAND = serve_command(f"{sys.executable} -S {SERVER} {{port}} {{workers}}")
LONG_S = 30.0
pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets orphans be adopted"),
]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


@contextlib.contextmanager
def started(text: str, **environ: str) -> Iterator[ServedService]:
    with ServedService(serve_command(text), 1, {**os.environ, **environ}) as service:
        yield service


def noted(folder: Path) -> list[int]:
    return sorted(int(file.name) for file in folder.iterdir())


def test_it_is_ready_when_it_answers_and_ends_with_its_workers_and_daemons(notes: Path) -> None:
    with ServedService(COMMAND, 2, {**os.environ, "NOTES": str(notes)}) as service:
        service.wait_until_ready(LONG_S)
        pids = noted(notes)
        # The command, a daemon and two workers; the second may be about to begin.
        assert service.pid in pids
        assert len(pids) >= 3
        assert service.status is None

    assert left_of([*noted(notes), service.keeper]) == []


def test_what_does_not_end_by_itself_is_killed(
    notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warpbench.bench.services.served.GRACE_S", 0.1)
    code = (
        "import os, pathlib, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "(pathlib.Path(os.environ['NOTES']) / str(os.getpid())).touch(); signal.pause()"
    )
    with started(f'{sys.executable} -S -c "{code}" {{port}}', NOTES=str(notes)) as service:
        until_s = time.monotonic() + LONG_S
        while not noted(notes) and time.monotonic() < until_s:
            time.sleep(0.005)
        assert noted(notes) == [service.pid]

    assert left_of([service.pid, service.keeper]) == []


@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("raise SystemExit('no database')", "exited with status 1"),
        ("import os; os.kill(os.getpid(), 9)", "killed by SIGKILL"),
    ],
)
def test_one_that_ends_before_it_answers_is_told_with_what_it_printed(code: str, how: str) -> None:
    with (
        started(f'{sys.executable} -S -c "print(41 + 1, flush=True); {code}" {{port}}') as service,
        pytest.raises(TargetError, match=re.escape(how)) as refused,
    ):
        service.wait_until_ready(LONG_S)

    printed = "42 | no database" if "SystemExit" in code else "42"
    assert str(refused.value).endswith(f"before it answered; it printed: {printed}")


def test_one_that_never_listens_is_told_when_its_time_is_over() -> None:
    with (
        started("sleep 600 {port}") as service,
        pytest.raises(TargetError, match=r"did not listen at http://127\.0\.0\.1:\d+ within 0\.05"),
    ):
        service.wait_until_ready(0.05)


def test_who_keeps_it_takes_it_along(notes: Path) -> None:
    """The trial may be killed: the other end of the keeper's input is gone then."""
    with ServedService(COMMAND, 1, {**os.environ, "NOTES": str(notes)}) as service:
        service.wait_until_ready(LONG_S)
        os.kill(service.keeper, signal.SIGTERM)
        assert left_of(noted(notes)) == []
