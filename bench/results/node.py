"""The node of a cluster that a trial ran on, as far as figures depend on it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeKind:
    """What two nodes have in common whose figures may be compared.

    Attributes:
        processor: The model of its processor, as the system names it.
        cores: The cores that the lab's processes may run on there.
        python: Version and implementation of Python.
        system: Operating system, its release and architecture.
    """

    processor: str
    cores: int
    python: str
    system: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node of a cluster.

    Attributes:
        host: Its name on the network.
        kind: What else is known of it.
    """

    host: str
    kind: NodeKind
