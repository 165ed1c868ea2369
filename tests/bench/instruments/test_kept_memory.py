"""What sessions leave behind is told in bytes, whatever its size."""

import gc
import tracemalloc

import pytest
from warpbench.bench.instruments.kept_memory import KeptMemory

LARGE = 10_000_000


def test_what_is_kept_is_counted_and_what_is_dropped_is_not() -> None:
    memory, kept = KeptMemory(), []
    with memory.tracing():
        kept.append(bytes(LARGE))
        bytes(LARGE)

    assert LARGE <= memory.kept_bytes < 1.1 * LARGE
    assert not tracemalloc.is_tracing()


def test_circles_that_nobody_holds_are_not_kept() -> None:
    memory = KeptMemory()
    gc.disable()
    try:
        with memory.tracing():
            circle: list[object] = [bytes(LARGE)]
            circle.append(circle)
            del circle
    finally:
        gc.enable()

    assert memory.kept_bytes < 0.1 * LARGE


def test_somebody_elses_tracing_goes_on() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ZeroDivisionError), KeptMemory().tracing():
            raise ZeroDivisionError
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()
