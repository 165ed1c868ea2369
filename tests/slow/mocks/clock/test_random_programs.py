"""Random concurrent programs do on the clock what they do in plain Python."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given

from ....mocks.clock.programs.program import Program, programs
from ....mocks.clock.test_random_programs import check_twice, check_warp
from ....mocks.clock.worlds import examples

ROOT = Path(__file__).parents[4]
PROGRAMS = "tests.mocks.clock.programs"
NUMBER = 200
PROCESSES = 4
"""They wait for most of the time; each has a quarter of the programs."""


def test_random_programs_agree_with_plain_python() -> None:
    """About one in eight is passed over: in it chance decides, in real life."""
    each = str(NUMBER * 5 // 4 // PROCESSES)
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", PROGRAMS, each, str(number)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    ended = [(process.communicate(timeout=900), process.returncode) for process in processes]
    assert [status for _, status in ended] == [0] * PROCESSES, [
        out + err for (out, err), _ in ended
    ]
    agree, _unsteady, disturbed = (
        sum(int(counts[number]) for counts in (re.findall(r"\d+", out) for (out, _), _ in ended))
        for number in range(3)
    )
    print(f"{agree} programs agree; {disturbed} could not be judged")  # noqa: T201
    if agree < NUMBER:
        pytest.skip(f"the machine is too busy: {agree} programs agree, {disturbed} are not judged")


@examples(100)
@given(program=programs())
def test_any_program_is_the_same_twice(program: Program) -> None:
    check_twice(program)


@examples(60)
@given(program=programs())
def test_a_steady_program_is_the_same_in_warp(program: Program) -> None:
    check_warp(program)
