"""What keeps the machine busy ends with all that it started, and has its command's exit status."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

BUSY_MACHINE = Path(__file__).with_name("busy_machine.py")
ENDS_WITH_7 = 'trap "exit 7" TERM INT; sleep 300 & echo $$ $!; wait'


def started(*command: str) -> "subprocess.Popen[str]":
    words = [sys.executable, str(BUSY_MACHINE), "--loops", "1", "--", *command]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def has_ended(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def all_ended(numbers: Sequence[int], within_s: float = 20.0) -> bool:
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        if all(map(has_ended, numbers)):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(("words", "status"), [("exit 5", 5), ("kill -9 $$", 137)])
def test_its_status_is_the_commands(words: str, status: int) -> None:
    with started("sh", "-c", words) as process:
        assert process.wait() == status


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_its_command_ends_with_it(number: int) -> None:
    with started("sh", "-c", ENDS_WITH_7) as process:
        assert process.stdout is not None
        of_command = [int(each) for each in process.stdout.readline().split()]
        assert os.getpgid(of_command[0]) == os.getpgid(of_command[1]) == of_command[0]
        process.send_signal(number)
        assert process.wait() == 7
        assert all_ended(of_command)
