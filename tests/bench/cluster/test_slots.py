"""Which cores are lent."""

import pytest
from warpbench.bench.cluster.slots import Slot, Slots

pytestmark = pytest.mark.once


@pytest.mark.parametrize(("cores", "lent"), [(1, [0]), (2, [0, 1]), (3, [1, 2]), (4, [1, 2, 3])])
def test_one_core_of_a_node_stays_free_where_there_are_more_than_two(
    cores: int, lent: list[int]
) -> None:
    slots = Slots({"a": cores})

    taken = [slots.take() for _ in range(slots.count)]

    assert taken == [Slot("a", core, cores) for core in lent]
    assert slots.take() is None


def test_each_node_lends_a_core_before_any_lends_a_second_one() -> None:
    slots = Slots({"a": 3, "b": 2, "c": 0})

    taken = [slots.take() for _ in range(slots.count)]

    assert [(each.node, each.core) for each in taken if each] == [
        ("a", 1),
        ("b", 0),
        ("a", 2),
        ("b", 1),
    ]


def test_what_was_given_back_is_lent_last() -> None:
    slots = Slots({"a": 2})
    first = slots.take()
    assert first is not None

    slots.give_back(first)

    assert slots.take() == Slot("a", 1, 2)
    assert slots.take() == first
