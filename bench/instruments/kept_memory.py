"""Measures the memory that a trial's sessions leave behind, in bytes, by tracing allocations.

Beside the blocks that ``call_counts`` counts, this sees what is too large for a block of Python's
allocator: one text of ten megabytes. To trace takes half as much CPU again as the trial does, and
several times as much where calls are counted as well: a trial does one or the other.
"""

import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager


class KeptMemory:
    """Traces what is allocated while ``tracing`` is open.

    Attributes:
        kept_bytes: Of what was allocated meanwhile, the bytes that were still in use at the end.
    """

    def __init__(self) -> None:
        self.kept_bytes = 0

    @contextmanager
    def tracing(self) -> Iterator[None]:
        """Trace in this scope; somebody else's tracing goes on after it."""
        gc.collect()
        is_traced = tracemalloc.is_tracing()
        if not is_traced:
            tracemalloc.start()
        before_bytes, _ = tracemalloc.get_traced_memory()
        try:
            yield
        finally:
            gc.collect()
            self.kept_bytes = tracemalloc.get_traced_memory()[0] - before_bytes
            if not is_traced:
                tracemalloc.stop()
