"""What of a session could overlap, in sentences."""

from dataclasses import replace

import pytest
from warpbench.bench.results.data_flow import DataFlow, Overlap
from warpbench.reports.comparison.overlap_text import overlap_sentences

from ...built import DATA_FLOW

pytestmark = pytest.mark.once


def sentences(*overlaps: Overlap, flow: DataFlow = DATA_FLOW) -> list[str]:
    return list(overlap_sentences(replace(flow, overlaps=overlaps)))


def test_a_saving_of_less_than_a_hundredth_is_not_told() -> None:
    assert sentences(Overlap((0, 1), 19_000_000)) == []
    assert len(sentences(Overlap((0, 1), 20_000_000))) == 1


def test_one_saving_is_the_whole_and_several_are_summed_up() -> None:
    first, second = Overlap((0, 1), 300_000_000), Overlap((2, 3), 200_000_000)

    assert len(sentences(first)) == 1
    assert (
        sentences(first, second)[-1] == "All of that at once: 1.40 s a session instead of 2.00 s."
    )


def test_waits_of_which_some_need_each_other_are_not_said_to_need_none() -> None:
    (alike,) = sentences(Overlap((2, 3, 4), 100_000_000))
    (mixed,) = sentences(Overlap((0, 1, 2), 100_000_000))

    assert "none needs the one before" in alike
    assert "some of them need nothing of those just before" in mixed


def test_no_overlap_is_no_sentence() -> None:
    assert sentences() == []
