"""Trials that are forked after the import of their target are what trials of their own are."""

import gc
import os
import signal
import sys
import textwrap
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from warpbench.bench.exploration.exploring import Explorer
from warpbench.bench.exploration.variation import spec_of_schedule
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.runner.processes import TrialProcesses
from warpbench.bench.strategies import available_strategies
from warpbench.bench.trial.import_watch import ImportWatch
from warpbench.bench.trial.imported import _imported, _of_import
from warpbench.bench.trial.solo import solo_specs
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.bench.trial.trial import become_process_of_trials
from warpbench.bench.trial.turn import Turn
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.errors import TargetError, TrialError
from warpbench.mocks.network import Network
from warpbench.mocks.scenario import load_scenario

from ...mocks.network.isolation import needs_isolation
from .test_supervisor import left_of, noted

TIME_LIMIT_S = 60
SCHEDULE = 5
SESSIONS = 3
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no trial is forked")

Writes = Callable[[str, str], str]


@pytest.fixture
def writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Writes:
    """Write the module of a target; return the name of the target."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name: str, source: str) -> str:
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
        return f"{name}:build"

    return write


def cell_of(
    target: str, strategy: str = "gather", clock: ClockMode = ClockMode.VIRTUAL
) -> TrialSpec:
    factors = Factors(
        scenarios=(load_scenario("chat"),),
        strategies=(available_strategies()[strategy],),
        targets=(target,),
        concurrency=(SESSIONS,),
        session_count=SESSIONS,
        clock=clock,
    )
    (spec,) = cells_of(factors)
    return replace(spec, notes_waits=True, tells_left_behind=True, notes_places=True)


def result_of(processes: TrialProcesses, spec: TrialSpec) -> TrialResult:
    """Return what a trial measured, without what the machine has to do with."""
    result = processes.run(spec)
    assert isinstance(result, TrialResult)
    return replace(result, cpu_s=0.0, elapsed_s=0.0, peak_rss_bytes=0)


def both_ways(target: str, strategy: str = "gather") -> tuple[TrialResult, list[str]]:
    """Run a trial by itself, and twice as a fork; return what it measured, and what was told."""
    spec = spec_of_schedule(cell_of(target, strategy), SCHEDULE)
    told: list[str] = []
    by_itself = result_of(TrialProcesses(TIME_LIMIT_S), spec)
    processes = TrialProcesses(TIME_LIMIT_S, forks=True, tell=told.append)
    assert [result_of(processes, spec) for _ in range(2)] == [by_itself, by_itself]
    return by_itself, told


TELLS = """
    def build():
        async def session(task):
            raise RuntimeError(repr(await tells(task)))
        return session
"""
"""The end of a target whose sessions fail with what they see: that is part of the result."""

STATE = """
    import asyncio
    import itertools
    from openai import AsyncOpenAI

    CLIENT, CALLS, PLACES = AsyncOpenAI(), itertools.count(), asyncio.Semaphore(20)

    async def tells(task):
        await PLACES.acquire()
        message = {"role": "user", "content": task}
        answer = await CLIENT.chat.completions.create(model="gpt-4o-mini", messages=[message])
        if next(CALLS) % 2:
            PLACES.release()
        return next(CALLS), answer.choices[0].message.content, asyncio.current_task().get_name()
"""
TIME = """
    import asyncio
    import datetime
    from time import monotonic, sleep, time

    BEGAN = monotonic(), time(), datetime.datetime.now()

    async def tells(task):
        await asyncio.to_thread(sleep, 0.25)
        return BEGAN, monotonic(), time(), datetime.datetime.now()
"""
LOCKS = """
    import asyncio
    import queue
    import threading
    from concurrent.futures import ThreadPoolExecutor
    from queue import SimpleQueue
    from time import sleep

    LOCK, POOL = threading.Lock(), ThreadPoolExecutor(3)
    take, CHANGED = LOCK.acquire, threading.Condition()
    DONE, SIMPLE = queue.Queue(), SimpleQueue()

    def work(task):
        take()
        sleep(0.1)
        LOCK.release()
        with CHANGED:
            sleep(0.1)
            CHANGED.notify_all()
        DONE.put(task)
        sleep(0.1)
        SIMPLE.put(DONE.get())
        return SIMPLE.get(), threading.current_thread().name

    async def tells(task):
        return await asyncio.get_running_loop().run_in_executor(POOL, work, task)
"""
RANDOM = """
    import random

    OWN = random.Random()

    async def tells(task):
        return OWN.random(), random.Random().random(), random.random()
"""
ENVIRONMENT = """
    import os

    os.environ["OPENAI_API_KEY"], os.environ["OWN"] = "sk-of-its-own", "https://a:b@localhost"

    async def tells(task):
        return os.environ["OPENAI_API_KEY"], os.environ["OWN"]
"""
AT_EXIT = """
    import atexit
    import os

    HOOKS = []
    atexit.register(HOOKS.append, "exit")
    os.register_at_fork(after_in_child=lambda: HOOKS.append("fork"))

    async def tells(task):
        child = os.fork()
        if child == 0:
            os._exit(len(HOOKS))
        return HOOKS, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""
FORKED = {
    "state": STATE,
    "time": TIME,
    "locks": LOCKS,
    "generators": RANDOM,
    "environment": ENVIRONMENT,
}


TELLS_ALL = """
    import hashlib
    import importlib

    ALL = [importlib.import_module(name) for name in NAMES]

    def in_short(told):  # a result has the beginning of an error alone
        return hashlib.sha256(repr(told).encode()).hexdigest()[:8]

    async def tells(task):
        return [(each.__name__, in_short(await each.tells(task))) for each in ALL]
"""


def test_forks_measure_what_a_trial_of_its_own_does(writes: Writes) -> None:
    """Of each kind of state in a module of its own."""
    modules = [writes(f"forked_{name}", source).split(":")[0] for name, source in FORKED.items()]
    source = TELLS_ALL.replace("NAMES", repr(modules)) + TELLS
    result, told = both_ways(writes("forked_target", source))
    assert told == []
    for sample in result.samples:
        assert sample.error.startswith("RuntimeError: ")
        assert all(repr(name) in sample.error for name in modules)


def test_hooks_of_the_import_are_those_of_each_fork(writes: Writes) -> None:
    result, told = both_ways(writes("hooking_target", AT_EXIT + TELLS))
    assert told == []
    assert all(sample.error.startswith("RuntimeError: ") for sample in result.samples)


def test_forks_run_on_other_loops_and_in_threads(writes: Writes) -> None:
    target = writes("threaded_target", LOCKS + "\n    def build():\n        return work\n")
    _, told = both_ways(target, "threads")
    assert told == []


ALONE = {
    "starts a thread": "import threading; threading.Thread(target=print).start()",
    "starts a process": "import subprocess; subprocess.run(['true'])",
    "draws from random": "import random; DRAWN = random.random()",
    "waits, or lets time pass": "import time; time.sleep(0.5)",
    "keeps a file, a pipe or a socket open": "FILE = open(__file__)",
    "changes files": "open(__file__ + '.log', 'a').close()",
    "handles signals": "import signal; signal.signal(signal.SIGUSR1, lambda *_: None)",
    "sets an event loop": "import asyncio; asyncio.set_event_loop(None)",
    "replaces asyncio.sleep": "import asyncio; asyncio.sleep = print",
    "replaces Thread.start": (
        "import threading\nthreading.Thread.start = lambda t, real=threading.Thread.start: real(t)"
    ),
    "holds asyncio.events.new_event_loop as the lab has it": "from asyncio import new_event_loop",
    "puts something into a queue": "import queue; queue.Queue().put(1)",
}


END = "\nasync def session(task):\n    return task\ndef build():\n    return session\n"


def reasons_of(spec: TrialSpec, _turn: Turn) -> NotApplicable:
    """Import a target as it is imported to be forked; return all that speaks against that."""
    become_process_of_trials()
    watch = ImportWatch()
    with watch.outside():
        _imported(_of_import(spec), watch)
    return NotApplicable("\n".join(watch.reasons))


def test_whatever_forks_would_share_or_lack_of_an_import_is_noted(
    writes: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slow suite has a target of each."""
    monkeypatch.syspath_prepend(Path(__file__).parents[3])
    spec = cell_of(writes("target_of_all", "\n".join(ALONE.values()) + END))
    found = TrialProcesses(TIME_LIMIT_S, reasons_of).run(spec)
    assert isinstance(found, NotApplicable)
    reasons = found.reason.splitlines()
    for does in ALONE:
        assert any(reason.startswith(f"it {does}") for reason in reasons), (does, reasons)


@pytest.mark.parametrize("does", ["draws from random", "replaces asyncio.sleep"])
def test_a_target_whose_import_forks_would_share_or_lack_is_imported_by_each_trial(
    does: str, writes: Writes
) -> None:
    check_alone(does, writes)


def check_alone(does: str, writes: Writes) -> None:
    told: list[str] = []
    target = writes("target_alone", ALONE[does] + END)
    processes = TrialProcesses(TIME_LIMIT_S, forks=True, tell=told.append)
    assert result_of(processes, cell_of(target)).samples
    (reason,) = told
    assert reason.startswith(f"{target}: each trial imports it by itself (it {does}")


def test_an_import_that_fails_is_told_as_ever(writes: Writes) -> None:
    target = writes("failing_target", "raise RuntimeError('no such service')")
    texts = []
    for forks in (False, True):
        with pytest.raises(TargetError) as error:
            TrialProcesses(TIME_LIMIT_S, forks=forks).run(cell_of(target))
        texts.append(str(error.value))
        with pytest.raises(TargetError) as error:
            TrialProcesses(TIME_LIMIT_S, forks=forks).check_target(target, cell_of(target))
        texts.append(str(error.value))
    assert len(set(texts)) == 1
    assert "RuntimeError: no such service" in texts[0]


ASKS = """
    from openai import AsyncOpenAI

    CLIENT = AsyncOpenAI()

    async def session(task):
        message = {"role": "user", "content": task}
        answer = await CLIENT.chat.completions.create(model="gpt-4o-mini", messages=[message])
        return answer.choices[0].message.content

    def build():
        return session
"""
IMPORTED_ONCE = textwrap.dedent("""
    from pathlib import Path

    with open(Path(__file__).parent / "imported_{number}", "a") as file:
        file.write(".")
    {line}

    async def session(task):
        return task

    def build():
        return session
""")


def test_sessions_alone_are_forked_from_the_import_that_the_check_made(writes: Writes) -> None:
    """A run in ``warp`` of a target imports it once beside its trials."""
    target = writes("own_agent", ASKS)
    spec = next(solo_specs(cell_of(target, clock=ClockMode.WARP), SESSIONS))
    by_itself = TrialProcesses(TIME_LIMIT_S).run_alone(spec)
    told: list[str] = []
    processes = TrialProcesses(TIME_LIMIT_S, forks=True, tell=told.append)
    processes.check_target(target, cell_of(target, clock=ClockMode.WARP))
    forked = processes.run_alone(spec)
    assert told == []
    assert set(by_itself.sessions) == set(range(SESSIONS))
    assert by_itself.files is not None
    assert forked.sessions == by_itself.sessions
    assert forked.files is not None
    assert forked.files.items() >= by_itself.files.items()  # the lab forks by modules of its own
    assert any(Path(file).name == "own_agent.py" for file in forked.files)


def test_a_target_is_checked_by_one_import(writes: Writes, tmp_path: Path) -> None:
    """Also where its trials are not forked from that."""
    for number, line in enumerate(("", ALONE["starts a thread"])):
        target = writes(f"once_imported_{number}", IMPORTED_ONCE.format(number=number, line=line))
        processes = TrialProcesses(TIME_LIMIT_S, forks=True)
        processes.check_target(target, cell_of(target))
        assert (tmp_path / f"imported_{number}").read_text() == "."


def test_trials_in_other_times_are_not_forked(writes: Writes) -> None:
    told: list[str] = []
    target = writes("thread_starting", ALONE["starts a thread"])
    processes = TrialProcesses(TIME_LIMIT_S, forks=True, tell=told.append)
    with pytest.raises(TargetError):
        processes.run(cell_of(target, clock=ClockMode.WARP))
    assert told == []


def test_an_exploration_of_forks_two_at_a_time_finds_the_same(writes: Writes) -> None:
    source = """
        import asyncio
        from openai import AsyncOpenAI

        client, history = AsyncOpenAI(), []

        async def session(task):
            history.append({"role": "user", "content": task})
            await asyncio.sleep(0.1)
            answer = await client.chat.completions.create(model="gpt-4o-mini", messages=history)
            history.clear()
            return answer.choices[0].message.content

        def build():
            return session
    """
    spec = cell_of(writes("mixing_target", source))
    found = [
        asdict(
            replace(
                Explorer(
                    TrialProcesses(TIME_LIMIT_S, forks=forks),
                    spec,
                    at_once=2,
                    most_trials=2,
                    takes_notes=False,
                ).explore(2),
                elapsed_s=0.0,
            )
        )
        for forks in (False, True)
    ]
    assert found[0] == found[1]
    assert found[0]["found"]


STARTS_SOME = """
    import os
    import subprocess
    import time
    from pathlib import Path

    def note(pid):
        (Path(NOTES) / str(pid)).touch()

    async def session(task):
        for in_own_session in (False, True):
            child = subprocess.Popen(("sleep", "600"), start_new_session=in_own_session)
            note(child.pid)
        note(os.getpid())
        exec(Path(NOTES, "ends").read_text())

    def build():
        return session
"""


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


@pytest.fixture
def starting(writes: Writes, notes: Path) -> str:
    """Return a target that starts processes, notes them, and ends as a file there says."""
    return writes("starting_target", STARTS_SOME.replace("NOTES", repr(str(notes))))


def pids_in(notes: Path) -> list[int]:
    """Return the processes that were noted, and forget them."""
    (notes / "ends").unlink()
    pids = noted(notes)
    for pid in pids:
        (notes / str(pid)).unlink()
    return pids


def test_what_a_fork_starts_ends_with_it_and_the_next_one_runs(starting: str, notes: Path) -> None:
    told: list[str] = []
    processes = TrialProcesses(TIME_LIMIT_S, forks=True, tell=told.append)
    for ends, ending in (
        ("os.kill(os.getpid(), 11)", "crashed: killed by SIGSEGV"),
        ("os._exit(3)", "crashed: exited with status 3"),
        ("os.kill(os.getppid(), 15); os.read(os.pipe()[0], 1)", "killed by SIGTERM"),
        ("os.killpg(0, 15); os.read(os.pipe()[0], 1)", "killed by SIGTERM"),
        ("os.kill(os.getppid(), 9); os.read(os.pipe()[0], 1)", "killed by SIGKILL"),
        ("os._exit(3)", "crashed: exited with status 3"),
    ):
        (notes / "ends").write_text(ends)
        with pytest.raises(TrialError, match=ending):
            processes.run(cell_of(starting))
        pids = pids_in(notes)
        assert len(pids) >= 3
        if "9)" not in ends:
            assert left_of(pids) == []
        else:
            of_nobody = pids
    processes.kill()  # they had nobody to look after them until the import is let go of
    assert left_of(of_nobody) == []
    assert told == []


def test_what_a_fork_that_hangs_has_started_ends_with_it(starting: str, notes: Path) -> None:
    told: list[str] = []
    processes = TrialProcesses(TIME_LIMIT_S, forks=True, tell=told.append)
    processes.check_target(starting, cell_of(starting))
    pids: list[int] = []
    limit_s = 0.5
    while len(pids) < 3:  # it was killed before it had begun, if the machine is busy
        limit_s *= 2
        processes._time_limit_s = limit_s
        (notes / "ends").write_text("os.read(os.pipe()[0], 1)")
        with pytest.raises(TrialError, match=f"hung: no result within {limit_s:g} s"):
            processes.run(cell_of(starting))
        pids = pids_in(notes)
    assert left_of(pids) == []
    assert told == []


TELLS_ITS_PARENTS = """
    import os
    from pathlib import Path

    def parent(pid):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])

    IMPORTED_BY = os.getpid()

    async def tells(task):
        return IMPORTED_BY, parent(os.getppid())
"""


def imported_by(processes: TrialProcesses, target: str) -> int:
    """Return the process that has imported the target of a trial; 0 if the trial has."""
    error = result_of(processes, cell_of(target)).samples[0].error
    importer, grandparent = error.removeprefix("RuntimeError: (").rstrip(")").split(", ")
    return int(importer) if importer == grandparent else 0


def test_the_process_with_the_import_ends_with_who_wants_its_forks(writes: Writes) -> None:
    processes = TrialProcesses(TIME_LIMIT_S, forks=True)
    pid = imported_by(processes, writes("asking_target", TELLS_ITS_PARENTS + TELLS))
    assert pid
    del processes
    gc.collect()
    assert left_of([pid]) == []


def test_trials_go_on_by_themselves_once_the_process_with_the_import_has_ended(
    writes: Writes,
) -> None:
    told: list[str] = []
    processes = TrialProcesses(TIME_LIMIT_S, forks=True, tell=told.append)
    target = writes("orphaned_target", TELLS_ITS_PARENTS + TELLS)
    pid = imported_by(processes, target)
    assert pid
    os.kill(pid, signal.SIGKILL)
    assert left_of([pid]) == []
    assert imported_by(processes, target) == 0
    assert len(told) == 1


def test_a_file_that_was_read_and_has_changed_is_read_anew(writes: Writes, tmp_path: Path) -> None:
    settings = tmp_path / "settings.txt"
    settings.write_text("before")
    reads = f"""
    SETTINGS = open({str(settings)!r}).read()

    async def tells(task):
        return SETTINGS
    """
    told: list[str] = []
    processes = TrialProcesses(TIME_LIMIT_S, forks=True, tell=told.append)
    spec = cell_of(writes("reading_target", reads + TELLS))
    assert result_of(processes, spec).samples[0].error == "RuntimeError: 'before'"
    assert told == []
    settings.write_text("and after")
    assert result_of(processes, spec).samples[0].error == "RuntimeError: 'and after'"
    assert str(settings) in told[0]


def test_forks_are_killed_with_all_trials(writes: Writes) -> None:
    processes = TrialProcesses(TIME_LIMIT_S, forks=True)
    target = writes("killed_target", TELLS_ITS_PARENTS + TELLS)
    pid = imported_by(processes, target)
    processes.kill()
    assert left_of([pid]) == []
    with pytest.raises(TrialError, match="crashed"):
        processes.run(cell_of(target))


@needs_isolation
def test_each_fork_has_a_network_of_its_own(writes: Writes) -> None:
    source = """
    import os

    OF_IMPORT = os.readlink("/proc/self/ns/net")

    async def tells(task):
        return OF_IMPORT, os.readlink("/proc/self/ns/net")
    """
    told: list[str] = []
    processes = TrialProcesses(TIME_LIMIT_S, network=Network.ISOLATED, forks=True, tell=told.append)
    spec = cell_of(writes("isolated_target", source + TELLS))
    here = str(Path("/proc/self/ns/net").readlink())
    for _ in range(2):
        error = result_of(processes, spec).samples[0].error
        of_import, own = error.removeprefix("RuntimeError: (").rstrip(")").split(", ")
        assert len({of_import, own, repr(here)}) == 3
    assert told == []
