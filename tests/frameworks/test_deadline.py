"""`make matrix` takes 90 minutes at most, and what was done by then stays done."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .matrix.__main__ import LIMIT_S, main
from .matrix.columns import Column, works
from .matrix.deadlines import Deadline, OutOfTimeError
from .matrix.executing import execute
from .matrix.frameworks import FRAMEWORKS, Framework
from .matrix.pip import Pip
from .matrix.places import Places
from .matrix.rendering import BEGIN, END
from .matrix.rows import Row, read_rows
from .matrix.runs import Asked

NAMES = [framework.name for framework in FRAMEWORKS]


@dataclass
class Machine:
    """A machine on which each framework takes the same time, by a clock that a test moves.

    Attributes:
        row_s: What a framework takes.
        now_s: What time it is.
    """

    row_s: float
    now_s: float = 0.0
    made: list[str] = field(default_factory=list)

    def make_row(
        self,
        places: Places,
        framework: Framework,
        *,
        locked: bool,
        goes_on: bool,
        deadline: Deadline,
    ) -> Row:
        taken_s = deadline.cut_s(self.row_s)
        self.now_s += taken_s
        if taken_s < self.row_s:
            raise OutOfTimeError
        self.made.append(framework.name)
        outcomes = {column: works() for column in Column}
        return Row(name=framework.name, versions={framework.name: "1"}, outcomes=outcomes)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    found = Places(tmp_path, tmp_path / ".matrix")
    found.page.parent.mkdir()
    found.page.write_text(f"{BEGIN}\n{END}\n")
    found.rows.parent.mkdir(parents=True)
    return found


def run(machine: Machine, places: Places, *names: str) -> int:
    return main(names, places=places, make_row=machine.make_row, now_s=lambda: machine.now_s)


def test_a_matrix_that_is_done_in_time_says_nothing_of_it(places: Places) -> None:
    machine = Machine(row_s=60)

    assert run(machine, places) == 0
    assert [row.name for row in read_rows(places.rows)] == NAMES


def test_after_ninety_minutes_it_stops_in_one_line(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Machine(row_s=25 * 60)

    status = run(machine, places)

    assert status == 2
    assert machine.now_s == LIMIT_S == 90 * 60
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"90 minutes are over: 3 of {len(NAMES)} frameworks are done, and {NAMES[3]} is not; "
        "the same command goes on from there"
    )


def test_what_was_done_by_then_stays_done(places: Places) -> None:
    run(Machine(row_s=25 * 60), places)

    assert [row.name for row in read_rows(places.rows)] == NAMES[:3]
    assert NAMES[2] in places.page.read_text()


def test_a_command_may_take_what_is_left() -> None:
    deadline = Deadline(100.0, lambda: 70.0)

    assert deadline.cut_s(180) == 30.0
    assert deadline.cut_s(20) == 20


def test_no_command_begins_after_the_deadline(tmp_path: Path) -> None:
    over = Deadline(100.0, lambda: 100.0)
    asked = Asked(name="x", strategy="gather")

    begins: list[Callable[[], object]] = [
        lambda: execute(asked, "x", tmp_path, tmp_path, over),
        lambda: Pip(tmp_path, over).install(tmp_path, "x", limit_s=60),
    ]

    for begin in begins:
        with pytest.raises(OutOfTimeError):
            begin()


def test_a_command_that_the_deadline_ends_has_no_result(tmp_path: Path) -> None:
    command = tmp_path / "warpbench"
    command.write_text("#!/bin/sh\nexec sleep 60\n")
    command.chmod(0o700)
    now_s = iter([0.0, 99.99, 100.0])
    deadline = Deadline(100.0, lambda: next(now_s))

    with pytest.raises(OutOfTimeError):
        execute(Asked(name="x", strategy="gather"), "x", tmp_path, tmp_path, deadline)
