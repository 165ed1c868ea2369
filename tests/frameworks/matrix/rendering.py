"""The matrix as a table of Markdown, and its place in a page. Pure."""

from collections.abc import Iterable

from .columns import MEANING, Column, State
from .rows import Row

BEGIN = "<!-- table: make matrix -->"
END = "<!-- end of table -->"
SIGN = {
    State.WORKS: "✓",
    State.FAILS: "✗",
    State.NOT_APPLICABLE: "-",
    State.NOT_RUN: "?",
    State.UNDECIDED: "?",
}
HEADING = {
    Column.INSTALL: "installs",
    Column.ASYNC: "async",
    Column.SYNC: "sync",
    Column.THREADS: "threads",
    Column.STREAMING: "streams",
    Column.REPEATS: "repeats",
    Column.WARP: "warp",
    Column.TOOLS: "tools",
    Column.STRUCTURE: "structure",
}


def table(rows: Iterable[Row]) -> str:
    """Return the table, what its columns ask, and the reasons for what does not work."""
    rows = list(rows)
    head = ["framework", "version", *(HEADING[column] for column in Column)]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for row in rows:
        version = next(iter(row.versions.values()), "")
        signs = (SIGN[row.outcomes[column].state] for column in Column)
        lines.append(f"| {' | '.join([row.name, version, *signs])} |")
    asked = [f"- **{HEADING[column]}**: {MEANING[column]}" for column in Column]
    return "\n".join(
        [*lines, "", "What a column asks:", "", *asked, "", *_failing(rows), *_notes(rows)]
    ).rstrip()


def _failing(rows: list[Row]) -> Iterable[str]:
    longest = [
        (row.name, max(times_s))
        for row in rows
        if (times_s := [each.after_s for each in row.outcomes.values() if each.after_s is not None])
    ]
    if longest:
        each = ", ".join(f"{name} {after_s:.1f} s" for name, after_s in longest)
        yield (
            "What fails, fails in so much real time at most, from the first session on (where a "
            f"trial gave no figures, the whole command, imports included): {each}."
        )
        yield ""


def _notes(rows: list[Row]) -> Iterable[str]:
    yield "What was seen, and the reasons:"
    yield ""
    for row in rows:
        # The same reason in several columns is one line.
        by_note: dict[tuple[State, str], list[str]] = {}
        for column in Column:
            outcome = row.outcomes[column]
            if outcome.note:
                by_note.setdefault((outcome.state, outcome.note), []).append(HEADING[column])
        for (state, note), columns in by_note.items():
            yield f"- {row.name}, {', '.join(columns)} {SIGN[state]} {_escaped(note)}"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def into_page(page: str, text: str) -> str:
    """Return a page with the table replaced.

    Raises:
        ValueError: The page has no place for it.
    """
    before, begin, rest = page.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"expected {BEGIN} and {END} in the page, found neither or one")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def counted(rows: Iterable[Row]) -> str:
    """Return how many cells work, in a line for the terminal."""
    states = [outcome.state for row in rows for outcome in row.outcomes.values()]
    of = {state: states.count(state) for state in State}
    return ", ".join(f"{count} {state.value}" for state, count in of.items())
