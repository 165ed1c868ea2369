"""What a trial reaches of the network: loopback, and nothing else.

There are two ways, and a trial has the first in any case. ``guard`` refuses, inside Python, what
leaves this machine: what Python's sockets and uvloop do. ``namespace`` leaves the machine's network
to the machine: the system itself then lets nothing out, whoever asks. That needs Linux.
"""

from enum import Enum


class Network(Enum):
    """The network that a trial's process is in."""

    SHARED = "shared"
    """This machine's: its loopback has whatever serves there."""

    ISOLATED = "isolated"
    """One of its own, with a loopback of its own."""
