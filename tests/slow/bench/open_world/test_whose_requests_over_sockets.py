"""Over sockets each request is booked to the sessions that wait for it, as in-process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from unittest.mock import patch

import pytest
from warpbench.bench.targets.loading import Lab, Target
from warpbench.bench.testing.lab import LabResult, run_cell, spec_of
from warpbench.mocks.observe.waits import WaitKind
from warpbench.mocks.scenario import parse_scenario

from ....bench.open_world import targets

SESSIONS = 6
QUICK = parse_scenario("""
    name = "quick"
    description = "One call, and what is embedded before it."
    sessions = 6
    [model]
    latency_s = 0.02
    [[rounds]]
    [endpoints.embeddings]
    latency_s = 0.05
""")


def run(build: targets.Build) -> LabResult:
    @asynccontextmanager
    async def closed_after(lab: Lab) -> AsyncIterator[Target]:
        clients = targets.clients(lab)
        with patch.object(targets, "clients", return_value=clients), clients.plain:
            async with clients.asynchronous:
                yield build(lab)

    spec = spec_of(closed_after, scenario=QUICK, sessions=SESSIONS, concurrency=3, clock="wall")
    return run_cell(replace(spec, cell=replace(spec.cell, transport="loopback")), closed_after)


def test_each_session_waits_for_a_request_that_holds_an_input_of_it() -> None:
    result = run(targets.embedder)

    assert result.errors == ()
    embedded = [wait.session for wait in result.waits if wait.kind is WaitKind.SERVICE]
    assert sorted(embedded) == list(range(SESSIONS))
    assert result.model_requests.inputs_by_marks == SESSIONS
    assert [parts.tool for parts in result.time_parts] == pytest.approx([0.05] * SESSIONS, abs=1e-6)


def test_what_a_session_started_serves_whose_text_it_sends() -> None:
    result = run(targets.batcher_from_a_list)

    assert result.errors == ()
    assert result.leaks == ()
    assert {wait.session for wait in result.waits} == set(range(SESSIONS))
    assert result.model_requests.by_header + result.model_requests.by_marks == SESSIONS
    assert result.model_requests.by_marks > 0
