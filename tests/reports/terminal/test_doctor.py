"""The wording of the doctor: what is well takes a line, what is not a second one."""

import pytest
from warpbench.bench.results.machine_check import (
    Cores,
    Isolation,
    Lateness,
    MachineCheck,
    Noise,
    NoiseNotMeasured,
    OtherLoad,
    Speed,
    Steal,
    Timers,
    Waking,
)
from warpbench.reports.terminal.doctor import check_lines

from ...golden import assert_golden

pytestmark = pytest.mark.once

EARLY, LATE = Lateness(0.00001, 0.00002), Lateness(0.0015, 0.0146)
WELL: tuple[MachineCheck, ...] = (
    Cores(2, 8, None),
    Timers(EARLY),
    Waking(EARLY, None),
    Waking(LATE, EARLY),
    OtherLoad(0.05),
    Steal(0.01),
    Steal(None),
    Speed(0.002, 0.0021),
    Noise(0.0021, 0.012, 5),
    Isolation(None),
    Isolation("unshare: Operation not permitted"),
)
NOT_WELL: tuple[MachineCheck, ...] = (
    Cores(2, 8, 1.5),
    Timers(LATE),
    Waking(LATE, None),
    OtherLoad(1.5),
    OtherLoad(2.5, is_average=True),
    Steal(0.03),
    Speed(0.002, 0.004),
    Noise(0.0021, 0.12, 5),
    NoiseNotMeasured(),
    NoiseNotMeasured("the trial was killed by signal 9"),
)


def test_the_wording_of_the_checks() -> None:
    lines = [line for check in (*WELL, *NOT_WELL) for line in check_lines(check)]
    assert_golden("doctor", "\n".join(lines))


@pytest.mark.parametrize("check", WELL)
def test_what_is_well_takes_one_line(check: MachineCheck) -> None:
    assert len(list(check_lines(check))) == 1


def test_a_terminal_without_such_signs_gets_plain_ones() -> None:
    assert next(check_lines(Cores(2, 8, None), ascii_only=True)).startswith("ok cores: ")
    assert next(check_lines(Cores(1, 8, None), ascii_only=True)).startswith("! cores: ")
