"""Random concurrent programs do on the clock what they do in plain Python."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[3] / "mocks" / "clock" / "programs.py"
NUMBER = 200
PROCESSES = 4
"""They wait for most of the time; each has a quarter of the programs."""


def test_random_programs_agree_with_plain_python() -> None:
    """About one in five is passed over: in it chance decides, in real life."""
    # Unsteady ones do not count.
    each = str(NUMBER * 5 // 4 // PROCESSES)
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", str(SCRIPT), each, str(number)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    ended = [(process.communicate(timeout=900), process.returncode) for process in processes]
    for (out, err), status in ended:
        print(out)  # noqa: T201
        assert status == 0, err
