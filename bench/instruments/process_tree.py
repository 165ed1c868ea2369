"""Samples a tree of processes from outside: CPU, memory, threads, open files, and who ends.

A thread looks every quarter of a second, and is woken when a process ends (Linux: a descriptor of
the process is readable then, and its status stands in ``/proc`` until its parent takes it). What a
process has computed is kept when it has gone, as it was at the last look.
"""

import os
import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from ..results.service_use import MemoryKind, ProcessEnded

_EVERY_S = 0.25
_MEMORY_EVERY_S = 1.0
"""To add up a process's shares of pages takes the system up to some milliseconds."""

_QUIET_SHARE = 0.1
_QUIET_LOOKS = 2
_QUIET_EVERY_S = 0.1
_STATUS_FIELD = 49
"""Position of the exit status among the fields of ``/proc/…/stat`` that follow the name."""


@dataclass(slots=True)
class _Member:
    """A process of the tree.

    Attributes:
        process: The process.
        parent: Identifier of its parent.
        since_ns: When it was seen first.
        is_first: Whether it was there at the start.
        cpu_s: CPU seconds at the last look.
        cpu_from_s: Those of before the start.
        memory_bytes: Its memory at the last look.
        file: Descriptor that tells of its end; ``None`` if the system has none.
    """

    process: psutil.Process
    parent: int
    since_ns: int
    is_first: bool
    cpu_s: float = 0.0
    cpu_from_s: float = 0.0
    memory_bytes: int = 0
    file: int | None = None


class ProcessTree:
    """All that descends from a process, that one not counted.

    Attributes:
        memory_kind: How memory is counted.
        processes: Most processes at one time.
        threads: Most threads at one time.
        files: Most open files at one time.
        memory_bytes: Most memory at one time.
        started: Processes that have begun since the start.

    Args:
        root: Identifier of the process.
        command: Identifier of the one that matters most of them.
    """

    def __init__(self, root: int, command: int) -> None:
        self._root = psutil.Process(root)
        self._command = command
        self.memory_kind = MemoryKind.PSS
        self._begin()

    def _begin(self) -> None:
        self._members: dict[int, _Member] = {}
        self._gone_cpu_s = 0.0
        self._ended: list[tuple[ProcessEnded, int]] = []
        self._begun: list[_Member] = []
        self._memory_due_s = 0.0
        self._poll = select.poll()
        self.processes = self.threads = self.files = self.memory_bytes = self.started = 0

    def wait_until_quiet(self, within_s: float) -> None:
        """Wait until its processes compute no more: of several, the first answers before the last.

        Args:
            within_s: Real seconds after which it is left to compute.
        """
        until_s = time.monotonic() + within_s
        before_s, quiet = self._computed_s(), 0
        while quiet < _QUIET_LOOKS and time.monotonic() < until_s:
            time.sleep(_QUIET_EVERY_S)
            now_s = self._computed_s()
            is_quiet = now_s - before_s <= _QUIET_SHARE * _QUIET_EVERY_S
            quiet, before_s = quiet + 1 if is_quiet else 0, now_s

    def count(self) -> int:
        """Return how many processes there are now."""
        return len(self._found())

    @contextmanager
    def sampling(self) -> Iterator[None]:
        """Sample it in this scope, from a thread."""
        self._begin()
        self._look(is_first=True)
        ends, woken = os.pipe()
        thread = threading.Thread(
            target=self._sample_until, args=(ends,), name="warpbench-process-tree", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            os.close(woken)
            thread.join()
            os.close(ends)
            self._memory_due_s = 0.0
            self._look()
            for member in self._members.values():
                self._forget(member)

    @property
    def cpu_s(self) -> float:
        """CPU seconds of all its processes since the start."""
        living = sum(each.cpu_s - each.cpu_from_s for each in self._members.values())
        return self._gone_cpu_s + living

    def ended(self) -> tuple[ProcessEnded, ...]:
        """Return who ended since the start, with who came in its place; in monotonic time."""
        later = sorted(self._begun, key=lambda each: each.since_ns)
        found = []
        for ended, parent in self._ended:
            heir = next(
                (each for each in later if each.parent == parent and each.since_ns > ended.at_ns),
                None,
            )
            if heir is not None:
                later.remove(heir)
                ended = replace(ended, replaced_after_ns=heir.since_ns - ended.at_ns)  # noqa: PLW2901
            found.append(ended)
        return tuple(found)

    def _sample_until(self, ends: int) -> None:
        self._poll.register(ends, select.POLLIN | select.POLLHUP)
        due_s = time.monotonic() + _EVERY_S
        while True:
            left_s = max(0.0, due_s - time.monotonic())
            happened = {file for file, _ in self._poll.poll(left_s * 1_000)}
            if ends in happened:
                return
            for member in list(self._members.values()):
                if member.file in happened:
                    self._note_end(member)
            if time.monotonic() >= due_s:
                self._look()
                due_s = time.monotonic() + _EVERY_S

    def _look(self, *, is_first: bool = False) -> None:
        now_ns = time.monotonic_ns()
        present = {each.pid: each for each in self._found()}
        for pid, process in present.items():
            if pid not in self._members:
                self._admit(process, now_ns, is_first=is_first)
        reads_memory = time.monotonic() >= self._memory_due_s
        if reads_memory:
            self._memory_due_s = time.monotonic() + _MEMORY_EVERY_S
        threads = files = 0
        for member in list(self._members.values()):
            if member.process.pid not in present:
                self._note_end(member)
                continue
            with suppress(psutil.Error), member.process.oneshot():
                member.cpu_s = _cpu_s(member.process)
                if is_first:
                    member.cpu_from_s = member.cpu_s
                threads += member.process.num_threads()
                files += member.process.num_fds()
                if reads_memory or not member.memory_bytes:
                    member.memory_bytes = self._memory_of(member.process)
        self.processes = max(self.processes, len(self._members))
        self.threads = max(self.threads, threads)
        self.files = max(self.files, files)
        memory_bytes = sum(each.memory_bytes for each in self._members.values())
        self.memory_bytes = max(self.memory_bytes, memory_bytes)

    def _admit(self, process: psutil.Process, now_ns: int, *, is_first: bool) -> None:
        with suppress(psutil.Error):
            member = _Member(process, process.ppid(), now_ns, is_first)
            with suppress(OSError, AttributeError):  # not Linux, or one without them
                member.file = os.pidfd_open(process.pid)
                self._poll.register(member.file, select.POLLIN)
            self._members[process.pid] = member
            if not is_first:
                self.started += 1
                self._begun.append(member)

    def _note_end(self, member: _Member) -> None:
        pid = member.process.pid
        status = _status_of_zombie(pid)
        self._members.pop(pid, None)
        self._gone_cpu_s += member.cpu_s - member.cpu_from_s
        self._forget(member)
        # What a service starts for a while, and ends well, is no worker.
        if member.is_first or status not in {None, 0}:
            ended = ProcessEnded(
                pid=pid,
                at_ns=time.monotonic_ns(),
                status=status,
                was_command=pid == self._command,
            )
            self._ended.append((ended, member.parent))

    def _forget(self, member: _Member) -> None:
        if member.file is not None:
            with suppress(KeyError):
                self._poll.unregister(member.file)
            os.close(member.file)
            member.file = None

    def _found(self) -> list[psutil.Process]:
        with suppress(psutil.Error):
            return [each for each in self._root.children(recursive=True) if _is_alive(each)]
        return []

    def _computed_s(self) -> float:
        computed_s = 0.0
        for process in self._found():
            with suppress(psutil.Error):
                computed_s += _cpu_s(process)
        return computed_s

    def _memory_of(self, process: psutil.Process) -> int:
        if self.memory_kind is MemoryKind.PSS:
            with suppress(psutil.AccessDenied, AttributeError):
                return int(process.memory_full_info().pss)
            self.memory_kind = MemoryKind.RSS
        return int(process.memory_info().rss)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _status_of_zombie(pid: int) -> int | None:
    """Return how a process ended that its parent has not taken note of; ``None`` if it has."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if fields[0] not in {"Z", "X"}:
            return None
        return os.waitstatus_to_exitcode(int(fields[_STATUS_FIELD]))
    except (OSError, ValueError, IndexError):
        return None
