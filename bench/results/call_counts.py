"""What a trial called, as a value."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCounts:
    """What was called while the sessions of a trial ran.

    Attributes:
        python: Calls of Python functions by place: ``openai/_models.py:construct``.
        c: Calls of C functions by name: ``list.copy``.
        own: Those of both that the user's own functions make: ``agent/wire.py:body → list.copy``.
        loop_iterations: Iterations of event loops.
        tasks: Tasks created.
        blocks_kept: Memory blocks of Python's allocator that were still in use at the end, beyond
            those at the begin: what leaks, what is cached, and what the lab notes of a session.
        modules: Top-level modules of installed packages that had a part in it: whose versions
            decide what is called.
    """

    python: Mapping[str, int]
    c: Mapping[str, int]
    own: Mapping[str, int]
    loop_iterations: int
    tasks: int
    blocks_kept: int = 0
    modules: frozenset[str] = frozenset()
