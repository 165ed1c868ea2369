"""What several tests need: the command line, run as a user runs it."""

import contextlib
import gc
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points, packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, settings
from warpbench.bench.cli.main import main
from warpbench.bench.runner.solo_folder import installed_versions
from warpbench.mocks.clock import SkippingClock
from warpbench.mocks.clock.threads.frames import frames_by_thread
from warpbench.mocks.environment import BASE_URLS

if TYPE_CHECKING:
    from warpbench.reports.charts.description import Picture

# Of a process that a test waits for: what hangs is ended sooner, by pytest-timeout.
TIMEOUT_S = 600
STRIKES_EVERY_S = 2.0
# What is installed stays so: to read it takes as long as a small run. What a test writes is none.
INSTALLED = cache(installed_versions)
DISTRIBUTIONS = cache(packages_distributions)
ENTRY_POINTS = cache(entry_points)
MANY_MODULES = 100
NOT_STRUCTURE = frozenset({"cpu_s_per_session", "peak_rss_bytes", "elapsed_s", "probe_share"})
NOT_STRUCTURE_OF_VITALS = frozenset({"rss_bytes", "cpu_ns", "gc_pause_ns"})


# What a command is given that names none of it.
SHORT = {
    "run": {"--sessions": "20", "--trials": "1"},
    "baseline": {"--strategy": "gather,taskgroup", "--loop": "asyncio"},
}


def in_short(command: Sequence[str]) -> list[str]:
    """Return a command that a page shows with few sessions, trials and strategies.

    A test is to show that the command works; it need not measure as long as a reader would.
    """
    words = list(command)
    for option, value in SHORT.get(words[0], {}).items():
        if option not in words:
            words += [option, value]
    if words[0] == "profile":
        for option in ("--concurrency", "--sessions"):
            words[words.index(option) + 1] = "10"
    return words


@dataclass(frozen=True)
class Finished:
    """A finished command."""

    status: int
    out: str
    err: str
    folder: Path

    @property
    def cells(self) -> list[dict[str, Any]]:
        """The cells of the run that it wrote."""
        run: dict[str, Any] = json.loads((self.folder / "results" / "run.json").read_text())
        return list(run["cells"])

    @property
    def structure(self) -> list[dict[str, Any]]:
        """The cells without what a machine or a moment changes."""
        return [structure_of(cell) for cell in self.cells]


def structure_of(cell: dict[str, Any]) -> dict[str, Any]:
    """Return a cell, or one of its trials, without what a machine or a moment changes."""
    kept = {name: value for name, value in cell.items() if name not in NOT_STRUCTURE}
    if kept.get("vitals") is not None:
        kept["vitals"] = {
            name: column
            for name, column in kept["vitals"].items()
            if name not in NOT_STRUCTURE_OF_VITALS
        }
    if "trial_figures" in kept:
        kept["trial_figures"] = [structure_of(trial) for trial in kept["trial_figures"]]
    return kept


Warpbench = Callable[..., Finished]


# How long an example takes is up to the machine. CI draws the same ones each time.
settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "ci", settings.get_profile("any-machine"), derandomize=True, database=None, print_blob=True
)
settings.load_profile("ci" if "CI" in os.environ else "any-machine")


def pytest_configure() -> None:
    """Trust no authority: nobody speaks TLS here, and each client would read a hundred of them."""
    os.environ.pop("SSL_CERT_FILE", None)
    os.environ["SSL_CERT_DIR"] = str(Path(__file__).parent)


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer(settings: Any) -> Iterator[None]:
    """Let a test's time limit strike again and again: an event loop keeps what a task raises.

    The first would end one session of a trial, and the next one hang.
    """
    yield
    if settings.timeout and settings.method == "signal":
        signal.setitimer(signal.ITIMER_REAL, settings.timeout, STRIKES_EVERY_S)


def pytest_collection_finish() -> None:
    """Set aside what imports have made: each trial collects garbage, and it is none."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def what_earlier_modules_left_is_set_aside() -> None:
    """Do so again: tests import as much, and each trial of the tests behind would go through it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def the_capacity_of_servers_is_measured_in_short() -> Iterator[None]:
    """Each of them answers hundreds of requests first, of which no test needs the figure."""
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr("warpbench.mocks.transports.loopback.process._BURST", 80)
        yield


@pytest.fixture(autouse=True)
def what_a_test_imported_is_set_aside() -> Iterator[None]:
    """Do so once more after a test that imported an SDK, say: its neighbours have trials, too."""
    before = len(sys.modules)
    yield
    if len(sys.modules) - before > MANY_MODULES:
        gc.collect()
        gc.freeze()


@pytest.fixture(scope="module")
def what_freezes_leave_is_undone() -> Iterator[None]:
    """Put back what freezegun forgets in modules where two of its freezes overlap."""
    yield
    freezegun: Any = sys.modules.get("freezegun.api")
    if freezegun is None:
        return
    names = ("time", "localtime", "gmtime", "monotonic", "perf_counter", "strftime")
    real_of = {
        id(freezegun.FakeDatetime): freezegun.real_datetime,
        id(freezegun.FakeDate): freezegun.real_date,
        **{
            id(getattr(freezegun, f"fake_{name}")): getattr(freezegun, f"real_{name}")
            for name in names
        },
    }
    for module in tuple(sys.modules.values()):
        if module is not freezegun and hasattr(module, "__dict__"):
            for name, value in tuple(vars(module).items()):
                if id(value) in real_of:
                    setattr(module, name, real_of[id(value)])


@pytest.fixture(autouse=True)
def ctrl_c_is_heard() -> Iterator[None]:
    """Undo what a background job inherits: there SIGINT is ignored, and tests of it hang."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def addresses_of_models_are_left_as_they_were() -> Iterator[None]:
    """Fail the test that leaves one, and not the one behind it that asks at the usual address."""

    def addresses() -> dict[str, str]:
        return {each.name: os.environ[each.name] for each in BASE_URLS if each.name in os.environ}

    before = addresses()
    yield
    assert addresses() == before


@pytest.fixture(autouse=True)
def threads_from_before_a_test_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of pytest-xdist, and pools that an earlier test left idle: no clock need mind them."""
    original = SkippingClock.__init__
    before_the_test = set(frames_by_thread()) - {threading.get_ident()}

    def tolerant(clock: SkippingClock) -> None:
        original(clock)
        clock.tolerate_idents(before_the_test)

    monkeypatch.setattr(SkippingClock, "__init__", tolerant)


def run_warpbench(folder: Path, *arguments: str, **environ: str) -> Finished:
    """Run ``warpbench …`` in a folder."""
    finished = subprocess.run(
        [str(Path(sys.executable).parent / "warpbench"), *arguments],
        cwd=folder,
        # CI may name a file for summaries: it is not for those of tests.
        env={**os.environ, "GITHUB_STEP_SUMMARY": "", **environ},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return Finished(finished.returncode, finished.stdout, finished.stderr, folder)


def written_out(picture: "Picture", file_name: str, subject: str = "") -> tuple[str, bytes]:
    """Stand in for ``charts.render.render``: all that a picture says, which nobody draws."""
    said = escape(f"{file_name}: {subject}: {picture!r}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><text>{said}</text></svg>',
        file_name.encode(),
    )


def run_warpbench_here(
    folder: Path, *arguments: str, is_drawn: bool = False, **environ: str
) -> Finished:
    """Run ``warpbench …`` in a folder, but in this process: its imports are done.

    So is the server from which trials are forked. Of each command there is a test that runs it
    in a process of its own, besides.

    Charts are described and written, but drawn only on demand: to draw those of one scenario takes
    a second, and how they are drawn is for ``tests/reports/charts``.
    """
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        pytest.MonkeyPatch.context() as patches,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        for name, value in {"GITHUB_STEP_SUMMARY": "", **environ}.items():
            patches.setenv(name, value)
        patches.setattr("warpbench.bench.runner.solo_folder.installed_versions", INSTALLED)
        patches.setattr("warpbench.bench.runner.environment.packages_distributions", DISTRIBUTIONS)
        patches.setattr("warpbench.bench.strategies.entry_points", ENTRY_POINTS)
        if not is_drawn:
            patches.setattr("warpbench.reports.charts.render.render", written_out)
        patches.setattr(sys, "argv", ["warpbench", *arguments])
        try:
            status = main(arguments)
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else 1
    return Finished(status, out.getvalue(), err.getvalue(), folder)


@pytest.fixture
def warpbench(tmp_path: Path) -> Warpbench:
    """Run ``warpbench …`` in a folder of its own; what its environment is to hold, by keyword."""

    def run(*arguments: str, is_drawn: bool = False, **environ: str) -> Finished:
        if environ:
            return run_warpbench(tmp_path, *arguments, **environ)
        return run_warpbench_here(tmp_path, *arguments, is_drawn=is_drawn)

    return run
