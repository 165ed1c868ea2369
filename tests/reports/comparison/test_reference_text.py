"""What an efficiency is of is said where it is not the script."""

import pytest
from warpbench.bench.results.records import SessionCounts
from warpbench.bench.results.reference import Reference, SharedWork
from warpbench.reports.comparison.reference_text import references_explained

from ...built import cell_result, changed

pytestmark = pytest.mark.once

SCRIPT = cell_result(efficiency=0.9)
SOLO = changed(SCRIPT, target="mine:build", reference=Reference.SOLO)
CONVERSATION = changed(SCRIPT, target="other:build", reference=Reference.CONVERSATION)
ALONE = "efficiency is of the agent alone: its sessions one after another, where computing is free"


def test_of_the_script_nothing_is_said() -> None:
    assert references_explained([SCRIPT]) == ()


def test_one_reference_for_all_is_said_once() -> None:
    assert references_explained([SOLO, SOLO]) == (ALONE,)


def test_several_references_are_told_with_their_targets() -> None:
    assert references_explained([SCRIPT, SOLO, CONVERSATION]) == (
        f"mine:build: {ALONE}",
        "other:build: efficiency is of the longest conversation of each session, with what own "
        "tools need",
    )


def test_of_a_cell_without_an_efficiency_nothing_is_said() -> None:
    failed = changed(CONVERSATION, efficiency=None)

    assert references_explained([failed, SOLO]) == (ALONE,)


def test_sessions_that_were_not_run_alone_are_counted() -> None:
    some = changed(SOLO, sessions_without_solo=50, sessions=SessionCounts(started=350))

    assert references_explained([some]) == (
        f"{ALONE}; but that of 50 sessions of 350 is of the longest conversation, since they were "
        "not run alone, or failed",
    )


def test_shared_work_is_told_of_the_cell_with_most_of_it() -> None:
    sharing = [
        changed(
            SOLO,
            sessions=SessionCounts(started=20),
            shared_work=SharedWork(sessions=9, model_calls=calls, spared_s=calls / 4),
        )
        for calls in (8, 10)
    ]

    assert references_explained(sharing) == (
        ALONE,
        "shared work: with gather · asyncio at concurrency 10, 9 sessions of 20 made 10 model "
        "calls fewer than alone and took 2.50 s less in all than alone, which is taken off their "
        "reference, and likewise in 1 other cell",
    )
