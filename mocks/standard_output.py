"""Keeps standard output for results: what code of others prints goes to standard error.

The file descriptor is what counts: Python's ``sys.stdout`` is not all that writes to it, but
extensions and child processes, too.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_STDOUT, _STDERR = 1, 2


def print_to_stderr() -> None:
    """Let what this process prints, and what it starts, go to standard error for good."""
    if sys.stdout is None:  # it was closed: the number may belong to another file
        return
    target = os.open(os.devnull, os.O_WRONLY) if sys.stderr is None else _STDERR
    os.dup2(target, _STDOUT)


@contextmanager
def printing_to_stderr() -> Iterator[None]:
    """Let what is printed in this scope go to standard error."""
    with contextlib.ExitStack() as scope:
        if sys.stdout is not None:
            sys.stdout.flush()
            kept = os.dup(_STDOUT)
            scope.callback(os.close, kept)
            scope.callback(os.dup2, kept, _STDOUT)
            print_to_stderr()
            scope.callback(sys.stdout.flush)
        with contextlib.redirect_stdout(sys.stderr):
            yield
