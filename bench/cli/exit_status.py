"""The exit statuses of every command, and what ``--help`` says of them."""

from collections.abc import Iterator

DONE = 0
BAD_ANSWER = 1
"""The command did its work, and the answer is bad: a regression, a failure, a missed objective."""

NOT_DONE = 2
"""The command could not do its work: bad input, or nothing that could be judged."""

INTERRUPTED = 130
TERMINATED = 143


def meanings(bad_answer: str | None, done: str = "done") -> Iterator[tuple[int, str]]:
    """Yield the exit statuses of a command, each with what it means.

    Args:
        bad_answer: What makes the command's answer a bad one; ``None`` if nothing does.
        done: What 0 means.
    """
    yield DONE, done
    if bad_answer is not None:
        yield BAD_ANSWER, bad_answer
    yield NOT_DONE, "could not do it"
    yield INTERRUPTED, "after Ctrl-C"
    yield TERMINATED, "after SIGTERM"
