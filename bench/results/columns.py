"""Columns that stand for a table: they are of one length, or the table is no table."""

from collections.abc import Mapping, Sized


def require_equal_lengths(columns: Mapping[str, Sized], optional: Mapping[str, Sized]) -> None:
    """Refuse columns of one table that differ in length.

    A value calls this as it is made, so that a file that holds such columns is refused where it
    is read, by the key, and not where a report puts them side by side.

    Args:
        columns: The columns, by name.
        optional: Columns that may be empty besides.

    Raises:
        ValueError: One differs from the first; the message names it.
    """
    names = iter(columns)
    first = next(names)
    expected = len(columns[first])
    for name, column in (*columns.items(), *optional.items()):
        found = len(column)
        if found != expected and (found or name in columns):
            raise ValueError(f"{name}: expected {expected} values, as {first} has, found {found}")
