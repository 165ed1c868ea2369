"""A baseline tells the workload of an agent by its script, whatever the agent is held against."""

from dataclasses import replace

import pytest
from warpbench.bench.gate.structure.compare import is_same_workload
from warpbench.bench.gate.structure.measure import structure_of
from warpbench.bench.results.played import Played
from warpbench.bench.results.reference import Reference
from warpbench.bench.results.trial_result import TrialResult

from ....built import TRIAL

pytestmark = pytest.mark.once

S = 1_000_000_000
PLAYED = Played(
    model_calls=(2,), serving_ns=0, script_makespan_ns=3 * S, script_latencies_ns=(3 * S,)
)


def own_trial(reference_ns: int) -> TrialResult:
    return replace(
        TRIAL,
        reference=Reference.CONVERSATION,
        played=PLAYED,
        ideal_makespan_ns=reference_ns,
        ideal_latencies_ns=(reference_ns,),
    )


def test_an_agent_that_asks_less_than_before_has_the_same_workload() -> None:
    before, after = structure_of(own_trial(2 * S)), structure_of(own_trial(S))

    assert is_same_workload(before, after)
    assert (after.ideal_makespan_s, after.ideal_latency_s.max) == (3.0, 3.0)


def test_a_baseline_notes_the_reference() -> None:
    assert structure_of(own_trial(S)).reference is Reference.CONVERSATION
    assert structure_of(TRIAL).reference is Reference.SCRIPT
