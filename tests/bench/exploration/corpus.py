"""Small agents with a mistake that shows in some orders of events, each with its repaired twin.

Those of ``isolation.leaking`` and of ``corpus_of_calls`` belong to them.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

from warpbench.bench.results.exploration import FailureKind
from warpbench.bench.targets.loading import Lab

from ..isolation import leaking
from ..isolation.leaking import asked, asked_plainly, asynchronous, plain, user
from . import corpus_of_calls as calls
from .tasks import number_of, team_of

Build = Callable[[Lab], Any]


class Mistake(NamedTuple):
    """A mistake, and how it is repaired.

    Attributes:
        buggy: The agent with the mistake.
        repaired: The same without it.
        kind: What the mistake shows as.
        strategy: What drives the sessions.
        loop: On which event loop.
    """

    buggy: Build
    repaired: Build
    kind: FailureKind
    strategy: str = "gather"
    loop: str = "asyncio"


def lost_update(lab: Lab) -> Any:
    """A counter is read, and written after an await: two sessions get one number."""
    client = asynchronous(lab)
    given: list[int] = []
    counter = [0]

    async def session(task: str) -> str:
        number = counter[0]
        await asked(client, [user(task)])
        counter[0] = number + 1
        given.append(number)
        return str(number)

    return SimpleNamespace(session=session, check=lambda _, answer: given.count(int(answer)) == 1)


def updated_at_once(lab: Lab) -> Any:
    client = asynchronous(lab)
    given: list[int] = []
    counter = [0]

    async def session(task: str) -> str:
        number, counter[0] = counter[0], counter[0] + 1
        await asked(client, [user(task)])
        given.append(number)
        return str(number)

    return SimpleNamespace(session=session, check=lambda _, answer: given.count(int(answer)) == 1)


def two_sections(lab: Lab) -> Any:
    """A lock is held while the counter is read, and while it is written, and not between."""
    client = asynchronous(lab)
    given: list[int] = []
    counter, lock = [0], asyncio.Lock()

    async def session(task: str) -> str:
        async with lock:
            number = counter[0]
        await asked(client, [user(task)])
        async with lock:
            counter[0] = number + 1
        given.append(number)
        return str(number)

    return SimpleNamespace(session=session, check=lambda _, answer: given.count(int(answer)) == 1)


def one_section(lab: Lab) -> Any:
    client = asynchronous(lab)
    given: list[int] = []
    counter, lock = [0], asyncio.Lock()

    async def session(task: str) -> str:
        async with lock:
            number = counter[0]
            counter[0] = number + 1
        await asked(client, [user(task)])
        given.append(number)
        return str(number)

    return SimpleNamespace(session=session, check=lambda _, answer: given.count(int(answer)) == 1)


def created_twice(lab: Lab) -> Any:
    """Whether a team's store is there is asked before an await, and it is made after it."""
    client = asynchronous(lab)
    made: list[int] = []
    stores: dict[int, str] = {}

    async def session(task: str) -> str:
        team = team_of(task)
        if team not in stores:
            stores[team] = await asked(client, [user("What is known of Vienna?")])
            made.append(team)
        return await asked(client, [user(task)])

    return SimpleNamespace(session=session, check=lambda task, _: made.count(team_of(task)) == 1)


def created_once(lab: Lab) -> Any:
    client = asynchronous(lab)
    made: list[int] = []
    stores: dict[int, str] = {}
    lock = asyncio.Lock()

    async def session(task: str) -> str:
        team = team_of(task)
        async with lock:
            if team not in stores:
                stores[team] = await asked(client, [user("What is known of Vienna?")])
                made.append(team)
        return await asked(client, [user(task)])

    return SimpleNamespace(session=session, check=lambda task, _: made.count(team_of(task)) == 1)


def stale_copy(lab: Lab) -> Any:
    """A list is copied, and put back after an await: what came meanwhile is lost."""
    client = asynchronous(lab)
    kept: list[str] = []

    async def session(task: str) -> str:
        copy = list(kept)
        copy.append(number_of(task))
        await asked(client, [user(task)])
        kept[:] = copy
        await asyncio.sleep(1)
        return number_of(task)

    return SimpleNamespace(session=session, check=lambda _, answer: answer in kept)


def appended(lab: Lab) -> Any:
    client = asynchronous(lab)
    kept: list[str] = []

    async def session(task: str) -> str:
        await asked(client, [user(task)])
        kept.append(number_of(task))
        await asyncio.sleep(1)
        return number_of(task)

    return SimpleNamespace(session=session, check=lambda _, answer: answer in kept)


def lost_permit(lab: Lab) -> Any:
    """A permit is given back only if nothing is raised: a cancellation keeps it."""
    client = asynchronous(lab)
    permits = asyncio.Semaphore(1)

    async def session(task: str) -> str:
        await permits.acquire()
        answer = await asked(client, [user(task)])
        permits.release()
        return answer

    return session


def kept_permit(lab: Lab) -> Any:
    client = asynchronous(lab)
    permits = asyncio.Semaphore(1)

    async def session(task: str) -> str:
        async with permits:
            return await asked(client, [user(task)])

    return session


def dying_consumer(lab: Lab) -> Any:
    """A session that is cancelled leaves a future that is done: to set it ends the worker."""
    client = asynchronous(lab)
    work: asyncio.Queue[tuple[str, asyncio.Future[str]]] = asyncio.Queue()
    workers: list[asyncio.Task[None]] = []

    async def serve() -> None:
        while True:
            task, answer = await work.get()
            answer.set_result(await asked(client, [user(task)]))

    async def session(task: str) -> str:
        if not workers:
            workers.append(asyncio.get_running_loop().create_task(serve()))
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        await work.put((task, answer))
        return await answer

    return session


def living_consumer(lab: Lab) -> Any:
    client = asynchronous(lab)
    work: asyncio.Queue[tuple[str, asyncio.Future[str]]] = asyncio.Queue()
    workers: list[asyncio.Task[None]] = []

    async def serve() -> None:
        while True:
            task, answer = await work.get()
            found = await asked(client, [user(task)])
            if not answer.done():
                answer.set_result(found)

    async def session(task: str) -> str:
        if not workers:
            workers.append(asyncio.get_running_loop().create_task(serve()))
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        await work.put((task, answer))
        return await answer

    return session


def opposite_locks(lab: Lab) -> Any:
    """Two locks are taken in the one order by some, and in the other by others."""
    client = asynchronous(lab)
    locks = asyncio.Lock(), asyncio.Lock()

    async def session(task: str) -> str:
        first, second = locks if int(number_of(task)) % 2 else reversed(locks)
        async with first:
            await asked(client, [user(f"{task} First.")])
            async with second:
                return await asked(client, [user(f"{task} Then.")])

    return session


def ordered_locks(lab: Lab) -> Any:
    client = asynchronous(lab)
    first, second = asyncio.Lock(), asyncio.Lock()

    async def session(task: str) -> str:
        async with first:
            await asked(client, [user(f"{task} First.")])
            async with second:
                return await asked(client, [user(f"{task} Then.")])

    return session


def lost_wake_up(lab: Lab) -> Any:
    """An event is cleared by who waits for it next, and the one before has not seen it yet."""
    client = asynchronous(lab)
    ready, turn = asyncio.Event(), [0]

    async def session(task: str) -> str:
        answer = await asked(client, [user(task)])
        turn[0] += 1
        if turn[0] % 2:
            ready.clear()
            await ready.wait()
        else:
            ready.set()
            await asyncio.sleep(0)
        return answer

    return session


def lone_waiter(lab: Lab) -> Any:
    client = asynchronous(lab)

    async def session(task: str) -> str:
        ready = asyncio.Event()
        answer = await asked(client, [user(task)])
        ready.set()
        await ready.wait()
        return answer

    return session


def tenant_of_all(lab: Lab) -> Any:
    """The user's name stands on the client, where the next session changes it."""
    client = asynchronous(lab)
    settings = {"user": ""}

    async def session(task: str) -> str:
        settings["user"] = task
        await asyncio.sleep(0.01)
        return await asked(client, [user(f"For {settings['user']}: {task}")])

    return session


def tenant_of_each(lab: Lab) -> Any:
    client = asynchronous(lab)

    async def session(task: str) -> str:
        settings = {"user": task}
        await asyncio.sleep(0.01)
        return await asked(client, [user(f"For {settings['user']}: {task}")])

    return session


LOCAL = threading.local()


def thread_local_under_to_thread(lab: Lab) -> Any:
    """What is set in one thread of the pool is read in whichever comes next."""
    client = plain(lab)

    def begin(task: str) -> None:
        LOCAL.task = task

    def ask(task: str) -> str:
        return asked_plainly(client, [user(f"{task} For {getattr(LOCAL, 'task', task)}")])

    async def session(task: str) -> str:
        await asyncio.to_thread(begin, task)
        await asyncio.sleep(0.01)
        return await asyncio.to_thread(ask, task)

    return session


def passed_to_the_thread(lab: Lab) -> Any:
    client = plain(lab)

    def ask(task: str) -> str:
        return asked_plainly(client, [user(f"{task} For {task}")])

    async def session(task: str) -> str:
        await asyncio.sleep(0.01)
        return await asyncio.to_thread(ask, task)

    return session


def lost_update_in_threads(lab: Lab) -> Any:
    """A counter is read, and written after a call that blocks."""
    client = plain(lab)
    given: list[int] = []
    counter = [0]

    def session(task: str) -> str:
        number = counter[0]
        time.sleep(0.01)
        counter[0] = number + 1
        given.append(number)
        asked_plainly(client, [user(task)])
        return str(number)

    return SimpleNamespace(
        sync_session=session, check=lambda _, answer: given.count(int(answer)) == 1
    )


def locked_in_threads(lab: Lab) -> Any:
    client = plain(lab)
    given: list[int] = []
    counter, lock = [0], threading.Lock()

    def session(task: str) -> str:
        with lock:
            number = counter[0]
            time.sleep(0.01)
            counter[0] = number + 1
        given.append(number)
        asked_plainly(client, [user(task)])
        return str(number)

    return SimpleNamespace(
        sync_session=session, check=lambda _, answer: given.count(int(answer)) == 1
    )


def opposite_locks_in_threads(lab: Lab) -> Any:
    client = plain(lab)
    locks = threading.Lock(), threading.Lock()

    def session(task: str) -> str:
        first, second = locks if int(number_of(task)) % 2 else reversed(locks)
        with first:
            asked_plainly(client, [user(f"{task} First.")])
            with second:
                return asked_plainly(client, [user(f"{task} Then.")])

    return session


def ordered_locks_in_threads(lab: Lab) -> Any:
    client = plain(lab)
    first, second = threading.Lock(), threading.Lock()

    def session(task: str) -> str:
        with first:
            asked_plainly(client, [user(f"{task} First.")])
            with second:
                return asked_plainly(client, [user(f"{task} Then.")])

    return session


def one_more_question(lab: Lab) -> Any:
    """Asks once more if somebody else is under way: a branch that no test with one user takes."""
    client = asynchronous(lab)
    under_way = [0]

    async def session(task: str) -> str:
        under_way[0] += 1
        answer = await asked(client, [user(task)])
        if under_way[0] > 1:
            answer = await asked(client, [user(f"{task} Are you sure?")])
        under_way[0] -= 1
        return answer

    return session


def no_more_question(lab: Lab) -> Any:
    client = asynchronous(lab)

    async def session(task: str) -> str:
        return await asked(client, [user(task)])

    return session


def closed_by_the_first(lab: Lab) -> Any:
    """Who has done its work closes the client that the others use."""
    clients: list[Any] = []

    async def session(task: str) -> str:
        if not clients:
            clients.append(asynchronous(lab))
        client = clients[0]
        answer = await asked(client, [user(task)])
        if team_of(task) % 2:
            answer = await asked(client, [user(f"{task} {answer}")])
        await client.close()
        clients.clear()
        return answer

    return session


def closed_by_its_owner(lab: Lab) -> Any:
    async def session(task: str) -> str:
        async with asynchronous(lab) as client:
            answer = await asked(client, [user(task)])
            if team_of(task) % 2:
                answer = await asked(client, [user(f"{task} {answer}")])
            return answer

    return session


LEAK, CALLS, OUTCOME, DEADLOCK = (
    FailureKind.LEAK,
    FailureKind.OTHER_CALLS,
    FailureKind.OTHER_OUTCOME,
    FailureKind.DEADLOCK,
)
MISTAKES = {
    **{
        name: Mistake(case.buggy, case.repaired, LEAK, case.strategy)
        for name, case in leaking.CASES.items()
    },
    "lost update": Mistake(lost_update, updated_at_once, OUTCOME),
    "lost update on uvloop": Mistake(lost_update, updated_at_once, OUTCOME, loop="uvloop"),
    "two sections": Mistake(two_sections, one_section, OUTCOME, "taskgroup"),
    "created twice": Mistake(created_twice, created_once, OUTCOME),
    "stale copy": Mistake(stale_copy, appended, OUTCOME),
    "lost permit": Mistake(lost_permit, kept_permit, DEADLOCK),
    "dying consumer": Mistake(dying_consumer, living_consumer, DEADLOCK, "workers"),
    "opposite locks": Mistake(opposite_locks, ordered_locks, DEADLOCK),
    "lost wake-up": Mistake(lost_wake_up, lone_waiter, DEADLOCK),
    "tenant": Mistake(tenant_of_all, tenant_of_each, LEAK, loop="uvloop"),
    "thread-local": Mistake(thread_local_under_to_thread, passed_to_the_thread, LEAK),
    "lost update in threads": Mistake(
        lost_update_in_threads, locked_in_threads, OUTCOME, "threads", "none"
    ),
    "opposite locks in threads": Mistake(
        opposite_locks_in_threads, ordered_locks_in_threads, DEADLOCK, "threads", "none"
    ),
    "locks in an executor": Mistake(
        opposite_locks_in_threads, ordered_locks_in_threads, DEADLOCK, "executor"
    ),
    "one more question": Mistake(one_more_question, no_more_question, CALLS),
    "closed by the first": Mistake(closed_by_the_first, closed_by_its_owner, OUTCOME),
    "opposite locks on uvloop": Mistake(opposite_locks, ordered_locks, DEADLOCK, loop="uvloop"),
    "context of the thread": Mistake(
        calls.context_of_the_thread, calls.context_of_the_session, LEAK
    ),
    "lock of another loop": Mistake(
        calls.lock_of_another_loop, calls.lock_of_each_loop, DEADLOCK, "threads", "none"
    ),
    "queue of another loop": Mistake(
        calls.queue_of_another_loop, calls.queue_of_all_threads, DEADLOCK, "threads", "none"
    ),
    "results by completion": Mistake(calls.results_by_completion, calls.results_by_id, LEAK),
    "booked twice": Mistake(calls.booked_twice, calls.booked_once, OUTCOME),
    "half-read stream": Mistake(calls.half_read_stream, calls.dropped_stream, LEAK),
    "siblings go on": Mistake(calls.siblings_go_on, calls.siblings_are_awaited, LEAK),
    "unfinished clean-up": Mistake(calls.unfinished_clean_up, calls.finished_clean_up, DEADLOCK),
    "released twice": Mistake(calls.released_twice, calls.released_once, LEAK),
    "store of two": Mistake(calls.store_of_two, calls.store_of_one, OUTCOME, "threads", "none"),
    "current session": Mistake(calls.current_session, calls.session_of_the_callback, LEAK),
}
