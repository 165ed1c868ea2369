"""The rows of the matrix as values, and the file that keeps them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .columns import Column, Outcome, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The row of a framework.

    Attributes:
        name: The framework.
        versions: Version of each distribution that was asked for, by name.
        outcomes: The outcome of each column.
    """

    name: str
    versions: Mapping[str, str] = field(hash=False)
    outcomes: Mapping[Column, Outcome] = field(hash=False)


def read_rows(path: Path) -> tuple[Row, ...]:
    """Read the rows that were written last; none if there is no such file."""
    if not path.exists():
        return ()
    return tuple(
        Row(
            name=each["name"],
            versions=each["versions"],
            outcomes={
                Column(name): Outcome(
                    State(outcome["state"]), outcome["note"], outcome.get("after_s")
                )
                for name, outcome in each["outcomes"].items()
            },
        )
        for each in json.loads(path.read_text())
    )


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write the rows."""
    values = [
        {
            "name": row.name,
            "versions": dict(row.versions),
            "outcomes": {
                column.value: _value_of(outcome) for column, outcome in row.outcomes.items()
            },
        }
        for row in rows
    ]
    path.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n")


def _value_of(outcome: Outcome) -> dict[str, object]:
    value: dict[str, object] = {"state": outcome.state.value, "note": outcome.note}
    return value if outcome.after_s is None else value | {"after_s": round(outcome.after_s, 2)}


def renewed(old: Iterable[Row], new: Iterable[Row], order: Iterable[str]) -> tuple[Row, ...]:
    """Return the new rows, and the old ones of frameworks that have none, in order.

    Args:
        old: Rows of an earlier run.
        new: Rows of this one.
        order: Names of the frameworks that there are.
    """
    by_name = {row.name: row for row in (*old, *new)}
    return tuple(by_name[name] for name in order if name in by_name)
