"""Who waits for a thread of a full pool waits for *admission* over sockets, too."""

from collections.abc import Callable
from dataclasses import replace

from warpbench.bench.results.time_parts import in_seconds, mean_parts
from warpbench.bench.testing.lab import spec_of
from warpbench.bench.trial.spec import NotApplicable
from warpbench.bench.trial.trial import prepared_here

from ....bench.attribution.test_thread_waits import OLDER, POOLS, TWO_TOOLS, InThread, target


@POOLS
def test_it_is_told_over_sockets(pool: Callable[[], InThread]) -> None:
    build = target(pool)
    OLDER.submit(bool).result()
    spec = spec_of(build, scenario=TWO_TOOLS, sessions=3, concurrency=3, clock="wall")
    spec = replace(spec, cell=replace(spec.cell, transport="loopback"))

    with prepared_here(spec, build) as measure:
        assert not isinstance(measure, NotApplicable)
        parts = mean_parts([in_seconds(each) for each in measure().time_parts_ns])

    # Of 1.3 s; the rest is what a busy machine adds to a session's own way.
    assert parts.admission * 3 > 1.0
    assert parts.remainder < 0.1
