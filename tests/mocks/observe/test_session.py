"""Whose code runs is carried to all that works for a session, and to nothing else."""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

import pytest
from warpbench.mocks.observe.session import SESSION, SessionScope, carrying_sessions, session_here


@pytest.fixture(autouse=True)
def scope() -> Iterator[SessionScope]:
    here = SessionScope(7)
    with carrying_sessions():
        token = SESSION.set(here)
        try:
            yield here
        finally:
            SESSION.reset(token)


def by_thread() -> int | None:
    found: list[int | None] = []
    thread = threading.Thread(target=lambda: found.append(session_here()))
    thread.start()
    thread.join()
    return found[0]


def by_a_class_of_thread() -> int | None:
    class Worker(threading.Thread):
        found: int | None = None

        def run(self) -> None:
            self.found = session_here()

    worker = Worker()
    worker.start()
    worker.join()
    return worker.found


def by_pool() -> int | None:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(session_here).result()


def by_a_pools_map() -> int | None:
    with ThreadPoolExecutor(1) as pool:
        return next(pool.map(lambda _: session_here(), [0]))


def by_multiprocessings_pool() -> int | None:
    with ThreadPool(1) as pool:
        return pool.apply(session_here)


def by_its_map() -> int | None:
    with ThreadPool(1) as pool:
        return pool.map(lambda _: session_here(), [0])[0]


def by_to_thread() -> int | None:
    return asyncio.run(asyncio.to_thread(session_here))


def by_default_executor() -> int | None:
    async def run() -> int | None:
        return await asyncio.get_running_loop().run_in_executor(None, session_here)

    return asyncio.run(run())


def by_task() -> int | None:
    async def here() -> int | None:
        return session_here()

    async def run() -> int | None:
        return await asyncio.create_task(here())

    return asyncio.run(run())


@pytest.mark.parametrize(
    "found",
    [
        by_thread,
        by_a_class_of_thread,
        by_pool,
        by_a_pools_map,
        by_multiprocessings_pool,
        by_its_map,
        by_to_thread,
        by_default_executor,
        by_task,
    ],
    ids=lambda found: found.__name__,
)
def test_what_works_for_a_session_knows_it(found: Callable[[], int | None]) -> None:
    assert found() == 7


def test_a_pools_thread_works_for_whoever_gives_it_work(scope: SessionScope) -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(session_here).result() == 7
        token = SESSION.set(SessionScope(8))
        assert pool.submit(session_here).result() == 8
        SESSION.set(None)
        assert pool.submit(session_here).result() is None
        SESSION.reset(token)


def test_what_outlives_its_session_works_for_nobody(scope: SessionScope) -> None:
    scope.is_over = True

    assert by_thread() is None


async def taken_by_a_worker(queued: list[int]) -> list[int | None]:
    """Put work into a queue for each session, and return for whom it is done."""
    work: asyncio.Queue[int | None] = asyncio.Queue()
    done: list[int | None] = []

    async def serve() -> None:
        while await work.get() is not None:
            done.append(session_here())

    worker = asyncio.create_task(serve())
    for session in queued:
        token = SESSION.set(SessionScope(session))
        await work.put(session)
        SESSION.reset(token)
    await work.put(None)
    await worker
    return done


def test_a_task_that_takes_work_of_others_works_for_nobody() -> None:
    assert asyncio.run(taken_by_a_worker([8, 9])) == [None, None]


def test_a_thread_that_does_likewise() -> None:
    work: queue.Queue[int | None] = queue.Queue()
    done: list[int | None] = []

    def serve() -> None:
        while work.get() is not None:
            done.append(session_here())

    worker = threading.Thread(target=serve)
    worker.start()
    for session in (8, 9):
        token = SESSION.set(SessionScope(session))
        work.put(session)
        SESSION.reset(token)
    work.put(None)
    worker.join()

    assert done == [None, None]


def test_a_sessions_own_workers_work_for_it() -> None:
    async def run() -> list[int | None]:
        work: asyncio.Queue[int] = asyncio.Queue()

        async def serve() -> int | None:
            await work.get()
            return session_here()

        workers = [asyncio.create_task(serve()) for _ in range(3)]
        for number in range(3):
            await work.put(number)
        return await asyncio.gather(*workers)

    assert asyncio.run(run()) == [7, 7, 7]


def test_a_session_that_takes_an_answer_out_of_a_queue_is_still_itself() -> None:
    async def run() -> int | None:
        answers: asyncio.Queue[int] = asyncio.Queue()
        token = SESSION.set(SessionScope(7, asyncio.current_task()))
        other = SESSION.set(None)
        await answers.put(1)
        SESSION.reset(other)
        await answers.get()
        found = session_here()
        SESSION.reset(token)
        return found

    assert asyncio.run(run()) == 7
