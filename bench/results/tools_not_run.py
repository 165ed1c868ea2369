"""The tool calls of the script that did not run, and why that is no failure, as a value. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolsNotRun:
    """The tool calls of the script that successful sessions left out.

    Attributes:
        answered: Calls whose answer may have been kept from an equal one, which had ended.
        answered_sessions: Sessions with such calls.
        optional: Other calls, of a scenario that says that tools are optional.
        optional_sessions: Sessions with such calls.
    """

    answered: int = 0
    answered_sessions: int = 0
    optional: int = 0
    optional_sessions: int = 0


def summed(all_of_them: Iterable[ToolsNotRun]) -> ToolsNotRun:
    """Add up what several trials left out."""
    found = tuple(all_of_them)
    return ToolsNotRun(
        answered=sum(each.answered for each in found),
        answered_sessions=sum(each.answered_sessions for each in found),
        optional=sum(each.optional for each in found),
        optional_sessions=sum(each.optional_sessions for each in found),
    )
