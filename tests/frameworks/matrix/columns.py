"""What is asked of warpbench beside a framework: the columns of the matrix."""

from dataclasses import dataclass
from enum import StrEnum


class Column(StrEnum):
    """One question; the order is that of the table."""

    INSTALL = "install"
    ASYNC = "async"
    SYNC = "sync"
    THREADS = "threads"
    STREAMING = "streaming"
    REPEATS = "repeats"
    WARP = "warp"
    TOOLS = "tools"
    STRUCTURE = "structure"


MEANING = {
    Column.INSTALL: "one plain `pip install` of warpbench and the framework takes the newest "
    "release of the framework that this Python can have",
    Column.ASYNC: "every session of `gather` succeeds, in `virtual`",
    Column.SYNC: "every session of `sync` succeeds, in `virtual`",
    Column.THREADS: "every session of `threads` succeeds, in `virtual`",
    Column.STREAMING: "every session that streams succeeds, in `virtual`",
    Column.REPEATS: "a second `virtual` run is the same, figure by figure",
    Column.WARP: "the makespan of `warp` is that of `wall`, give or take 3 %: the shortest of 4 to "
    "12 runs of each that take turns; where no other run came near to it, the median of the pairs, "
    "with its interval at 95 %; open (?) if that is wider; beside it, from the shortest to the "
    "longest",
    Column.TOOLS: "each tool call that the script asks for ran, once",
    Column.STRUCTURE: "the run says how the framework runs tools: one after another, on the "
    "event loop, as the tools themselves saw it with real waits; or in a pool that is too small, "
    "as a run with wide pools shows, which is faster then",
}


class State(StrEnum):
    """How a question was answered."""

    WORKS = "works"
    FAILS = "fails"
    NOT_APPLICABLE = "not applicable"
    NOT_RUN = "not run"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to one question, with its reason.

    Attributes:
        state: Whether it works.
        note: Why it does not, or what was seen; one line, or nothing.
        after_s: Real seconds that the sessions of the command that failed took; of the whole
            command where that is not known.
    """

    state: State
    note: str = ""
    after_s: float | None = None

    @property
    def works(self) -> bool:
        """Whether the answer is yes."""
        return self.state is State.WORKS


def works(note: str = "") -> Outcome:
    """Return the answer yes."""
    return Outcome(State.WORKS, note)


def fails(note: str, after_s: float | None = None) -> Outcome:
    """Return the answer no, with its reason, and how long that took if sessions failed."""
    return Outcome(State.FAILS, note, after_s)


def not_applicable(note: str) -> Outcome:
    """Return that the question does not arise, with the reason."""
    return Outcome(State.NOT_APPLICABLE, note)


def undecided(note: str) -> Outcome:
    """Return that the runs leave it open, with what they say."""
    return Outcome(State.UNDECIDED, note)


NOT_RUN = Outcome(State.NOT_RUN, "not run yet: make matrix goes on from here")
