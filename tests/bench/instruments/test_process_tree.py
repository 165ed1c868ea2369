"""What a tree of processes takes, seen from outside, and who of them ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

pytest.importorskip("psutil")

from warpbench.bench.instruments.process_tree import ProcessTree
from warpbench.bench.results.service_use import MemoryKind

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells at once of an end"),
]

LONG_S = 30.0
# It starts two sleepers, takes no note of their ends, and does what its input says.
PARENT = """
import subprocess, sys
children = [subprocess.Popen(["sleep", "600"]) for _ in range(2)]
print(*(child.pid for child in children), flush=True)
for line in sys.stdin:
    if line == "compute\\n":
        sum(range(3_000_000))
    elif line == "help\\n":
        subprocess.run(["true"])
    else:
        children.append(subprocess.Popen(["sleep", "600"]))
    print(children[-1].pid, flush=True)
"""


class Parent:
    """A process, above one that does as it is told."""

    def __init__(self) -> None:
        shell = f"{sys.executable} -S -c '{PARENT}'; true"
        self.process = subprocess.Popen(
            ["sh", "-c", shell],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.children = [int(pid) for pid in self._read().split()]

    def tell(self, what: str) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        return int(self._read())

    def _read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def end(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()


@pytest.fixture
def parent() -> Iterator[Parent]:
    parent = Parent()
    yield parent
    parent.end()


def wait_for_end(tree: ProcessTree) -> None:
    until_s = time.monotonic() + LONG_S
    while not tree.ended() and time.monotonic() < until_s:
        time.sleep(0.002)


def test_all_that_descends_is_counted_and_the_root_is_not(parent: Parent) -> None:
    tree = ProcessTree(parent.process.pid, 0)

    with tree.sampling():
        parent.tell("compute")

    assert (tree.count(), tree.processes, tree.threads) == (3, 3, 3)
    assert tree.memory_kind is MemoryKind.PSS
    assert tree.memory_bytes > 1_000_000
    assert tree.files >= 9
    assert tree.cpu_s > 0
    assert (tree.started, tree.ended()) == (0, ())


def test_what_was_computed_before_counts_for_nothing(parent: Parent) -> None:
    tree = ProcessTree(parent.process.pid, 0)
    parent.tell("compute")

    with tree.sampling():
        pass

    assert tree.cpu_s == 0


def test_an_end_is_told_at_once_with_its_signal_and_who_came_after(parent: Parent) -> None:
    tree = ProcessTree(parent.process.pid, parent.children[0])

    with tree.sampling():
        began_ns = time.monotonic_ns()
        os.kill(parent.children[0], signal.SIGTERM)
        wait_for_end(tree)
        assert parent.tell("start") not in parent.children

    (ended,) = tree.ended()
    assert (ended.pid, ended.status, ended.was_command) == (parent.children[0], -15, True)
    assert began_ns < ended.at_ns < time.monotonic_ns()
    assert (ended.replaced_after_ns or 0) > 0
    assert tree.started == 1


def test_one_that_began_meanwhile_and_is_killed_counts_and_one_that_ends_well_does_not(
    parent: Parent,
) -> None:
    tree = ProcessTree(parent.process.pid, 0)

    with tree.sampling():
        parent.tell("help")  # its helper has ended by now
        killed = parent.tell("start")
        until_s = time.monotonic() + LONG_S
        while not tree.started and time.monotonic() < until_s:
            time.sleep(0.01)
        os.kill(killed, signal.SIGKILL)
        wait_for_end(tree)

    assert [(each.pid, each.status) for each in tree.ended()] == [(killed, -9)]
