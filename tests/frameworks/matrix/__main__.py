"""Renews the matrix: `python -m tests.frameworks.matrix [--locked] [NAME…]`, from the checkout."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from .columns import Column, State
from .deadlines import Deadline, OutOfTimeError
from .frameworks import FRAMEWORKS, Framework
from .judging import outdated_reasons
from .making import row_of
from .places import Places
from .rendering import SIGN, counted, into_page, table
from .rows import Row, read_rows, renewed, write_rows

CHECKOUT = Path(__file__).resolve().parents[3]
PLACES = Places(CHECKOUT, CHECKOUT / ".matrix")


LIMIT_S = 90 * 60
"""For how long one command goes on; the next goes on where it was."""


class MakeRow(Protocol):
    """What makes the row of a framework: ``row_of``, or a fake of it in a test."""

    def __call__(
        self,
        places: Places,
        framework: Framework,
        *,
        locked: bool,
        goes_on: bool,
        deadline: Deadline,
    ) -> Row:
        """Make it; raise ``OutOfTimeError`` if that is not done by the deadline."""
        ...


def main(
    arguments: Sequence[str],
    *,
    places: Places = PLACES,
    make_row: MakeRow = row_of,
    now_s: Callable[[], float] = time.monotonic,
) -> int:
    """Run the matrix.

    With some of the frameworks named, the page keeps the others as they were last.

    Returns:
        0 if every framework is installed without a downgrade; 1 if not; 2 for a wrong name, or if
        the time was up before all were done.
    """
    parser = argparse.ArgumentParser(prog="make matrix")
    parser.add_argument("names", nargs="*", metavar="NAME", help="some of the frameworks")
    parser.add_argument("--locked", action="store_true", help="install what the constraints say")
    parser.add_argument("--known", action="store_true", help="render what ran, and run nothing")
    options = parser.parse_args(arguments)
    by_name = {framework.name: framework for framework in FRAMEWORKS}
    unknown = [name for name in options.names if name not in by_name]
    if unknown:
        print(f"no such framework: {', '.join(unknown)}; there are {', '.join(by_name)}")
        return 2
    chosen = [by_name[name] for name in options.names] or list(FRAMEWORKS)
    deadline = Deadline.after(LIMIT_S, now_s)
    rows: list[Row] = []
    for framework in chosen:
        begin_s = now_s()
        try:
            row = make_row(
                places,
                framework,
                locked=options.locked,
                goes_on=not options.known,
                deadline=deadline,
            )
        except OutOfTimeError:
            print(
                f"{LIMIT_S // 60} minutes are over: {len(rows)} of {len(chosen)} frameworks are "
                f"done, and {framework.name} is not; the same command goes on from there"
            )
            return 2
        rows.append(row)
        _show(row, framework, now_s() - begin_s)
        if not options.locked:
            _publish(places, rows)
    print(counted(rows))
    return 0 if all(row.outcomes[Column.INSTALL].works for row in rows) else 1


def _show(row: Row, framework: Framework, spent_s: float) -> None:
    signs = " ".join(SIGN[outcome.state] for outcome in row.outcomes.values())
    print(f"{row.name:18} {signs}   {spent_s:.0f} s", flush=True)
    for column, outcome in row.outcomes.items():
        if outcome.state is State.FAILS:
            print(f"    {column}: {outcome.note}", flush=True)
    for column in outdated_reasons(framework, row.outcomes):
        print(f"    {column} works now: remove its reason from frameworks.py", flush=True)


def _publish(places: Places, rows: Sequence[Row]) -> None:
    order = [framework.name for framework in FRAMEWORKS]
    every = renewed(read_rows(places.rows), rows, order)
    write_rows(places.rows, every)
    # As they were written: their seconds are rounded, and twice rounded may be another figure.
    kept = read_rows(places.rows)
    places.page.write_text(into_page(places.page.read_text(), table(kept)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
