"""What threads do."""

import asyncio
import concurrent.futures
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from .run import Run

ThreadStep = Callable[[Run, str, float, float, int], object]
"""Takes the run, who asks, how long, how patiently, and the latter in units."""


def _holding(part: str) -> ThreadStep:
    def hold(run: Run, _who: str, pause_s: float, _other_s: float, _other: int) -> object:
        with run[part]:
            time.sleep(pause_s)
        return None

    return hold


def _trying(part: str) -> ThreadStep:
    def hold(run: Run, _who: str, pause_s: float, other_s: float, other: int) -> object:
        taken = run[part].acquire(timeout=other_s) if other else run[part].acquire(blocking=False)
        if taken:
            time.sleep(pause_s)
            run[part].release()
        return taken

    return hold


def _putting(part: str) -> ThreadStep:
    def put(run: Run, who: str, pause_s: float, _other_s: float, _other: int) -> object:
        run[part].put(who, timeout=pause_s)
        return None

    return put


def _getting(part: str) -> ThreadStep:
    def get(run: Run, _who: str, pause_s: float, _other_s: float, _other: int) -> object:
        return run[part].get(timeout=pause_s)

    return get


def _notify(run: Run, _who: str, _pause_s: float, _other_s: float, other: int) -> None:
    with run["condition"]:
        run["condition"].notify(other)


def _condition_wait(run: Run, _who: str, pause_s: float, other_s: float, _other: int) -> object:
    with run["condition"]:
        woken = run["condition"].wait(pause_s)
        time.sleep(other_s)
        return woken


def _barrier(run: Run, _who: str, pause_s: float, _other_s: float, _other: int) -> None:
    try:
        run["barrier"].wait(pause_s)
    except threading.BrokenBarrierError:
        run["barrier"].reset()
        raise


def _future_set(run: Run, who: str, _pause_s: float, _other_s: float, _other: int) -> object:
    try:
        run["future"].set_result(who)
    except concurrent.futures.InvalidStateError:
        return "already"
    return None


def _in_pool(part: str) -> ThreadStep:
    def submit(run: Run, who: str, pause_s: float, other_s: float, _other: int) -> object:
        futures = [run[part].submit(slept, each, who) for each in (pause_s, other_s)]
        return [future.result() for future in futures]

    return submit


def _pool_map(run: Run, _who: str, pause_s: float, other_s: float, _other: int) -> object:
    return list(run["pool"].map(slept, (pause_s, other_s, pause_s), "abc"))


def _pool_later(run: Run, who: str, pause_s: float, _other_s: float, _other: int) -> None:
    run.later.append(run["pool"].submit(slept, pause_s, who))


def _later_result(run: Run, _who: str, pause_s: float, _other_s: float, other: int) -> object:
    later = list(run.later)
    return later[other % len(later)].result(timeout=pause_s) if later else None


def _wait_first(run: Run, who: str, pause_s: float, other_s: float, _other: int) -> object:
    # Of two that take no time, it is chance whether the second has ended when the first is seen.
    longer_s = 2 * other_s or pause_s
    futures = [run["pool"].submit(slept, each, who) for each in (other_s, longer_s)]
    done, left = concurrent.futures.wait(
        futures, timeout=pause_s, return_when=concurrent.futures.FIRST_COMPLETED
    )
    return len(done), len(left)


def _own_pool(_run: Run, who: str, pause_s: float, other_s: float, other: int) -> object:
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(slept, each, who) for each in (pause_s, other_s, other_s)]
        try:
            done = concurrent.futures.as_completed(futures, timeout=pause_s)
            return [future.result() for future in done]
        except TimeoutError:
            return "timeout"


def _timer(run: Run, _who: str, pause_s: float, _other_s: float, other: int) -> None:
    timer = threading.Timer(pause_s, run["event"].set)
    run.spawned.append(timer)
    timer.start()
    if other == 0:
        timer.cancel()


def _spawn(run: Run, who: str, pause_s: float, _other_s: float, _other: int) -> None:
    thread = threading.Thread(target=slept, args=(pause_s, who))
    run.spawned.append(thread)
    thread.start()


def _join(run: Run, _who: str, pause_s: float, _other_s: float, other: int) -> object:
    spawned = list(run.spawned)
    if not spawned:
        return None
    thread = spawned[other % len(spawned)]
    thread.join(pause_s + run.unit_s)  # whether one that is ending has ended is chance
    return thread.is_alive()


def _own_loop(_run: Run, _who: str, pause_s: float, other_s: float, _other: int) -> object:
    async def both() -> None:
        await asyncio.gather(asyncio.sleep(pause_s), asyncio.to_thread(time.sleep, other_s))

    return asyncio.run(both())


def _to_loop(run: Run, who: str, pause_s: float, other_s: float, _other: int) -> object:
    assert run.loop is not None
    asked = asyncio.sleep(pause_s, who)
    return asyncio.run_coroutine_threadsafe(asked, run.loop).result(timeout=other_s)


def _wake_loop(run: Run, _who: str, _pause_s: float, _other_s: float, _other: int) -> None:
    assert run.loop is not None
    run.loop.call_soon_threadsafe(run["async event"].set)


def slept(pause_s: float, who: str) -> str:
    time.sleep(pause_s)
    return who


def _event_clear(run: Run) -> None:
    if not run.closed:
        run["event"].clear()


THREAD: Mapping[str, ThreadStep] = {
    "sleep": lambda _run, _who, pause_s, _other_s, _other: time.sleep(pause_s),
    "lock": _holding("lock"),
    "try lock": _trying("lock"),
    "rlock": _holding("rlock"),
    "slots": _holding("slots"),
    "place": _trying("place"),
    "event set": lambda run, *_: run["event"].set(),
    "event clear": lambda run, *_: _event_clear(run),
    "event wait": lambda run, _who, pause_s, *_: run["event"].wait(pause_s),
    "event wait for ever": lambda run, *_: run["event"].wait(),
    "condition": _holding("condition"),
    "notify": _notify,
    "condition wait": _condition_wait,
    "barrier": _barrier,
    "put": _putting("queue"),
    "get": _getting("queue"),
    "put lifo": _putting("lifo"),
    "get lifo": _getting("lifo"),
    "get lifo for ever": lambda run, *_: run["lifo"].get(),
    "put priority": _putting("priority"),
    "get priority": _getting("priority"),
    "put simple": _putting("simple"),
    "get simple": _getting("simple"),
    "get simple for ever": lambda run, *_: run["simple"].get(),
    "future set": _future_set,
    "future result": lambda run, _who, pause_s, *_: run["future"].result(timeout=pause_s),
    "future result for ever": lambda run, *_: run["future"].result(),
    "pool": _in_pool("pool"),
    "idle pool": _in_pool("idle pool"),
    "pool map": _pool_map,
    "pool later": _pool_later,
    "later result": _later_result,
    "wait first": _wait_first,
    "own pool": _own_pool,
    "timer": _timer,
    "spawn": _spawn,
    "join": _join,
    "own loop": _own_loop,
    "to loop": _to_loop,
    "wake loop": _wake_loop,
}
