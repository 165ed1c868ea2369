"""What the clock cannot see it does not race: it refuses, and says what it saw."""

import _thread
import asyncio
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress

import pytest
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.clock.real_time import real_monotonic_ns, real_sleep
from warpbench.mocks.errors import ClockRefusedError

from .worlds import MILLISECOND, SECOND, World, in_both_skipping_modes, on_each_loop

# Bound before any scope, as a library may have done that was imported earlier.
real_start_new_thread = _thread.start_new_thread


@contextmanager
def refused(saw: str) -> Iterator[None]:
    with pytest.raises(ClockRefusedError, match=saw) as caught:
        yield
    assert "--clock wall" in str(caught.value)


@contextmanager
def alive_for_now(start: Callable[[Callable[[], object]], object]) -> Iterator[None]:
    """Have a thread alive that ``start`` makes of a function, until the block ends."""
    running, over = _thread.allocate_lock(), _thread.allocate_lock()
    running.acquire()
    over.acquire()
    ended: list[bool] = []

    def live() -> None:
        running.release()
        over.acquire()
        ended.append(True)

    start(live)
    running.acquire()
    try:
        yield
    finally:
        over.release()
        while not ended:
            real_sleep(0.001)


def raw_thread(live: Callable[[], object]) -> None:
    real_start_new_thread(live, ())


def library_thread(live: Callable[[], object]) -> None:
    threading.Thread(target=live, name="library").start()


# ---- real I/O on the loop ---------------------------------------------------------------


async def wait_for_a_socket() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        await asyncio.get_running_loop().sock_recv(ours, 1)


async def watch_a_socket_during_a_wait() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        running = asyncio.get_running_loop()
        running.add_reader(ours, print)
        try:
            await asyncio.sleep(1)
        finally:
            running.remove_reader(ours)


async def serve_on_loopback() -> None:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    try:
        await asyncio.sleep(1)
    finally:
        server.close()


@on_each_loop
@in_both_skipping_modes
@pytest.mark.parametrize(
    "main", [wait_for_a_socket, watch_a_socket_during_a_wait, serve_on_loopback]
)
def test_a_real_socket_on_the_loop(
    mode: ClockMode, loop: str, main: Callable[[], Coroutine[None, None, None]]
) -> None:
    with refused("real I/O"):
        World(mode).run(main, loop)


@in_both_skipping_modes
def test_a_real_socket_on_the_loop_of_a_worker_thread_is_told_to_the_root(
    mode: ClockMode,
) -> None:
    def work() -> None:
        with pytest.raises(ClockRefusedError):
            asyncio.run(watch_a_socket_during_a_wait())

    with refused("real I/O"), World(mode).scope():
        worker = threading.Thread(target=work)
        worker.start()
        try:
            queue.Queue[None]().get()
        finally:
            worker.join()


@in_both_skipping_modes
@pytest.mark.parametrize(
    "call",
    [
        lambda loop: loop.getaddrinfo("localhost", 80),
        lambda loop: loop.create_connection(asyncio.Protocol, "127.0.0.1", 9),
        lambda loop: loop.create_server(asyncio.Protocol, "127.0.0.1", 0),
        lambda loop: loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
        ),
        lambda loop: loop.create_unix_server(asyncio.Protocol, "/nowhere"),
        lambda loop: loop.subprocess_exec(asyncio.SubprocessProtocol, "true"),
        lambda loop: loop.subprocess_shell(asyncio.SubprocessProtocol, "true"),
    ],
)
def test_each_kind_of_io_of_uvloop(
    mode: ClockMode, call: Callable[[asyncio.AbstractEventLoop], Coroutine[None, None, None]]
) -> None:
    async def main() -> None:
        await call(asyncio.get_running_loop())

    with refused("real I/O"):
        World(mode).run(main, "uvloop")


@in_both_skipping_modes
def test_a_refusal_that_the_code_under_test_swallows(mode: ClockMode) -> None:
    async def main() -> None:
        with pytest.raises(ClockRefusedError):
            await asyncio.get_running_loop().getaddrinfo("localhost", 80)

    with refused("real I/O"):
        World(mode).run(main, "uvloop")


# ---- threads that the clock does not know ------------------------------------------------


@on_each_loop
@in_both_skipping_modes
def test_a_thread_started_below_threading(mode: ClockMode, loop: str) -> None:
    world = World(mode)

    async def main() -> None:
        with alive_for_now(raw_thread):
            await asyncio.sleep(1)

    with refused("started outside the lab.*is alive"):
        world.run(main, loop)


@in_both_skipping_modes
def test_a_thread_without_python_code(mode: ClockMode) -> None:
    lock = _thread.allocate_lock()
    lock.acquire()
    acquire_in_c = lock.acquire
    before = _thread._count()
    try:
        with refused("without Python code.*is alive"), World(mode).scope():
            real_start_new_thread(acquire_in_c, ())
            while _thread._count() == before:
                real_sleep(0.001)
            time.sleep(1)
    finally:
        lock.release()
        while _thread._count() > before:
            real_sleep(0.001)


@in_both_skipping_modes
def test_the_start_of_a_thread_below_threading(mode: ClockMode) -> None:
    """Before the interpreter counts it, nothing else could tell that it is there."""
    with refused("started with _thread.start_new_thread"), World(mode).scope():
        _thread.start_new_thread(print, ())


@in_both_skipping_modes
def test_a_thread_started_before_the_scope(mode: ClockMode) -> None:
    with alive_for_now(library_thread), refused("'library'.*is alive"), World(mode).scope():
        time.sleep(1)


@in_both_skipping_modes
def test_but_not_one_that_is_declared_ignored(mode: ClockMode) -> None:
    world = World(mode)
    ignored: list[threading.Thread] = []

    def start(live: Callable[[], object]) -> None:
        ignored.append(threading.Thread(target=live))
        ignored[0].start()
        world.clock.tolerate(ignored[0])

    with alive_for_now(start), world.scope():
        time.sleep(1)
        # An ignored thread that is gone makes room for no unknown one.
    ignored[0].join()
    with alive_for_now(library_thread), refused("'library'"), world.scope():
        time.sleep(1)


@in_both_skipping_modes
def test_an_unknown_thread_that_waits_on_the_clock(mode: ClockMode) -> None:
    world = World(mode)
    errors: queue.SimpleQueue[Exception] = queue.SimpleQueue()
    get_out_of_sight = errors.get

    def wait() -> None:
        try:
            world.wait_ns(SECOND)
        except ClockRefusedError as error:
            errors.put(error)

    with refused("waited for mocked time"), world.scope():
        real_start_new_thread(wait, ())
        assert isinstance(get_out_of_sight(timeout=5), ClockRefusedError)


@on_each_loop
@in_both_skipping_modes
def test_an_unknown_thread_that_wakes_the_loop(mode: ClockMode, loop: str) -> None:
    ended: list[bool] = []

    async def main() -> None:
        woken = asyncio.Event()
        running = asyncio.get_running_loop()

        started = _thread.allocate_lock()
        started.acquire()

        def wake() -> None:
            started.release()
            real_sleep(0.01)
            with suppress(RuntimeError):  # the loop has been closed meanwhile
                running.call_soon_threadsafe(woken.set)
            ended.append(True)

        raw_thread(wake)
        started.acquire()
        while not woken.is_set():  # noqa: ASYNC110 - busy: no skip looks for unknown threads first
            await asyncio.sleep(0)
        await asyncio.sleep(1)

    # Either by the waking itself, or by a wait that comes before the waker has gone.
    with refused("started outside the lab"):
        World(mode).run(main, loop)
    while not ended:
        real_sleep(0.001)


@in_both_skipping_modes
def test_an_unknown_thread_that_sets_an_event(mode: ClockMode) -> None:
    woken = threading.Event()
    may_set = _thread.allocate_lock()
    may_set.acquire()

    def set_later() -> None:
        may_set.acquire()
        real_sleep(0.01)
        woken.set()

    def hold() -> None:
        # Computes, so that no skip looks for unknown threads before the event is set.
        while not woken.is_set():
            real_sleep(0.001)

    with refused("started outside the lab.*woke a managed thread"), World(mode).scope():
        real_start_new_thread(set_later, ())
        threading.Thread(target=hold).start()
        may_set.release()
        woken.wait()
        time.sleep(1)


# ---- what holds time back instead ---------------------------------------------------------


def test_in_warp_a_thread_that_reads_a_pipe_holds_time_back() -> None:
    """Nothing jumps while it reads: a pending deadline passes by real time alone."""
    world = World(ClockMode.WARP)
    reading, writing = os.pipe()
    read: list[bytes] = []

    with world.scope():
        reader = threading.Thread(target=lambda: read.append(os.read(reading, 1)))
        reader.start()
        real_start_ns = real_monotonic_ns()
        time.sleep(0.05)
        real_ns = real_monotonic_ns() - real_start_ns
        os.write(writing, b"x")
        reader.join()

        jump_from_ns = real_monotonic_ns()
        time.sleep(3600)
        assert real_monotonic_ns() - jump_from_ns < 60 * SECOND

    os.close(reading)
    os.close(writing)
    assert read == [b"x"]
    assert real_ns >= 49 * MILLISECOND
