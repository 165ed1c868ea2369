"""Which cores of which nodes are free: what is lent, and what is given back."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

_TOO_FEW_TO_SPARE_ONE = 2


@dataclass(frozen=True, slots=True)
class Slot:
    """A core of a node.

    Attributes:
        node: The node's name in its cluster.
        core: Which of its cores this is.
        of_cores: How many it has.
    """

    node: str
    core: int
    of_cores: int


class Slots:
    """The cores of nodes, for several threads.

    One core of a node stays free where there are more than two: what is not a trial runs there.

    Args:
        cores: How many cores each node has, by its name.
    """

    def __init__(self, cores: Mapping[str, int]) -> None:
        self._lock = threading.Lock()
        by_node = [
            [
                Slot(node, core, count)
                for core in range(1 if count > _TOO_FEW_TO_SPARE_ONE else 0, count)
            ]
            for node, count in cores.items()
        ]
        longest = max(map(len, by_node), default=0)
        # A core of each node before a second one of any.
        self._free = [
            each[place] for place in range(longest) for each in by_node if place < len(each)
        ]
        self.count = len(self._free)

    def take(self) -> Slot | None:
        """Take a free core; ``None`` if there is none."""
        with self._lock:
            return self._free.pop(0) if self._free else None

    def give_back(self, slot: Slot) -> None:
        """Give a core back; it comes last: the node of a worker that was lost may be gone."""
        with self._lock:
            self._free.append(slot)
