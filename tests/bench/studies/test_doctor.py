"""The doctor finds what is wrong with a machine, and is quiet where nothing is."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from warpbench.bench.results.machine_check import (
    Isolation,
    NoiseNotMeasured,
    OtherLoad,
    Speed,
    Steal,
)
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.studies import doctor
from warpbench.bench.studies.doctor import (
    check_cores,
    check_evenness,
    check_isolation,
    check_load,
    check_noise,
    check_steal,
    check_timers,
    check_waking,
)
from warpbench.bench.trial.spec import TrialSpec
from warpbench.mocks.errors import TrialError

from ...built import TRIAL
from ...mocks.network.isolation import why_not_isolated

pytestmark = pytest.mark.once

STAT = "cpu  {user} 0 0 1000 0 0 0 {steal} 0 0\ncpu0 1\n"


@pytest.fixture
def processors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Let Linux tell, reading by reading, what was used, in ticks."""

    def tell(*readings: tuple[int, int]) -> None:
        left = list(readings)

        class Statistics:
            def read_text(self) -> str:
                user, steal = left.pop(0)
                return STAT.format(user=user, steal=steal)

        monkeypatch.setattr(doctor, "_STATISTICS", Statistics())
        monkeypatch.setattr(doctor, "_WATCHED_S", 0.01)
        monkeypatch.setattr(os, "sysconf", lambda _: 10_000)

    return tell


def test_others_that_compute_are_seen(processors: Callable[..., None]) -> None:
    processors((0, 0), (150, 0))
    found = check_load()
    assert not found.is_well
    assert 1.4 <= found.busy_cores <= 1.5


def test_a_machine_of_ones_own_is_well(processors: Callable[..., None]) -> None:
    processors((0, 0), (0, 0))
    assert check_load().is_well


@pytest.mark.parametrize(("stolen", "is_well"), [(0, True), (10, False)])
def test_a_hypervisor_that_takes_time_away_is_seen(
    processors: Callable[..., None], stolen: int, is_well: bool
) -> None:
    processors((0, 0), (100, stolen))
    assert check_steal().is_well is is_well


def test_where_linux_tells_nothing_steal_is_not_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(doctor, "_STATISTICS", tmp_path / "missing")
    monkeypatch.setattr(doctor, "_WATCHED_S", 0.01)
    assert check_steal() == Steal(None)
    monkeypatch.setattr(os, "getloadavg", lambda: (2.5, 0.0, 0.0))
    assert check_load() == OtherLoad(2.5, is_average=True)


@pytest.mark.parametrize(
    ("text", "quota"),
    [("max 100000", None), ("150000 100000", 1.5), ("nonsense", None)],
)
def test_a_containers_quota_counts(
    text: str, quota: float | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cpu.max").write_text(text)
    monkeypatch.setattr(doctor, "_QUOTA", tmp_path / "cpu.max")
    found = check_cores()
    assert found.quota == quota
    assert found.is_well is (quota is None and len(os.sched_getaffinity(0)) > 1)


def test_coarse_timers_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    monkeypatch.setattr(time, "sleep", lambda _: now_s.__setitem__(0, now_s[0] + 0.0156))
    found = check_timers()
    assert not found.is_well
    assert found.late.typical_s == pytest.approx(0.0146)


@pytest.mark.parametrize(
    ("late_s", "can_be_kept_awake", "is_well"),
    [(0.003, False, False), (0.003, True, True), (0.0001, False, True)],
)
def test_cores_that_wake_late_and_cannot_be_kept_awake_are_seen(
    late_s: float, can_be_kept_awake: bool, is_well: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s, is_awake = [0.0], [False]

    @contextmanager
    def kept_awake() -> Iterator[bool]:
        is_awake[0] = can_be_kept_awake
        yield can_be_kept_awake

    def sleep(slept_s: float) -> None:
        now_s[0] += slept_s + (0.0 if is_awake[0] else late_s)

    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(doctor, "kept_awake", kept_awake)
    found = check_waking()
    assert found.is_well is is_well
    assert found.asleep.typical_s == pytest.approx(late_s)
    assert (found.kept_awake is not None) is can_be_kept_awake
    assert found.kept_awake is None or found.kept_awake.p99_s == pytest.approx(0)


def test_a_core_whose_speed_varies_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    spent_s = iter([0.002, 0.004] * 20)
    monkeypatch.setattr(doctor, "_cpu_s", lambda _: next(spent_s))
    found = check_evenness()
    assert found == Speed(0.002, 0.004)
    assert found.ratio == 2
    assert not found.is_well


class Trials:
    """Trials that take so much CPU."""

    def __init__(self, *cpu_s: float) -> None:
        self._left = list(cpu_s)

    def run(self, _spec: TrialSpec) -> TrialResult:
        sample = SessionSample(0, Outcome.SUCCEEDED, 0, 1)
        return replace(TRIAL, samples=(sample,), cpu_s=self._left.pop(0))


def test_noise_is_what_trials_of_the_same_differ_by() -> None:
    assert check_noise(Trials(1.0, 1.01, 0.99, 1.0, 1.0)).is_well
    assert not check_noise(Trials(1.0, 2.0, 0.7, 1.0, 1.5)).is_well
    assert check_noise(Trials(0.0, 0.0, 0.0, 0.0, 0.0)) == NoiseNotMeasured()


def test_a_machine_that_can_run_no_trial_is_told_so() -> None:
    class Broken:
        def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> TrialResult:
            raise TrialError("the trial was killed by signal 9")

    assert check_noise(Broken()) == NoiseNotMeasured("the trial was killed by signal 9")


def test_the_doctor_says_whether_trials_may_be_isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_isolation() == Isolation(why_not_isolated())

    monkeypatch.setattr(doctor, "_ISOLATION", "no_such_module")
    found = check_isolation()
    assert found.reason is not None
    assert "no_such_module" in found.reason
    assert found.is_well  # nothing is measured any worse


def test_the_command_makes_every_check(
    warpbench: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them is short here: what it finds is for the tests above."""
    for name, short in (("_WATCHED_S", 0.01), ("_SLEEPS", 10), ("_ROUNDS", 10)):
        monkeypatch.setattr(doctor, name, short)
    done = warpbench("doctor")
    assert done.status in (0, 1), done.err  # type: ignore[attr-defined]
    names = [line[2:].partition(":")[0] for line in done.out.splitlines() if line[0] != " "]  # type: ignore[attr-defined]
    assert names == [
        *("cores", "timers", "waking", "other load", "steal", "steady speed", "noise", "network"),
    ]
