"""Profiles: whose computing it was, on the loop as on other threads, without what only waits."""

import functools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from warpbench.bench.results.profile import Profile
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.strategies import available_strategies
from warpbench.bench.trial.profiling import profile_cell
from warpbench.bench.trial.spec import NotApplicable
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.scenario import load_scenario
from warpbench.reports.html.profiles import tables

Profiled = Callable[[str, str], Profile]

SESSIONS = 20
BUSY_S = 0.005
WAIT_S = 0.05
AGENT = """
import asyncio, time

def compute():
    until = time.thread_time() + {busy_s}
    while time.thread_time() < until:
        sum(range(100))

def build():
    async def session(task):
        await asyncio.sleep({wait_s})
        compute()
        return "done"
    return session

def build_offloading():
    async def session(task):
        await asyncio.to_thread(time.sleep, {wait_s})
        await asyncio.to_thread(compute)
        return "done"
    return session

def build_sync():
    def session(task):
        time.sleep({wait_s})
        compute()
        return "done"
    return session
"""


@pytest.fixture(scope="module")
def profiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Profiled]:
    """Profile a factory of that agent, driven by a strategy; each of them once."""
    folder = tmp_path_factory.mktemp("agents")
    (folder / "busy_agent_of_a_test.py").write_text(AGENT.format(busy_s=BUSY_S, wait_s=WAIT_S))

    @functools.cache
    def run(factory: str, strategy: str) -> Profile:
        (spec,) = cells_of(
            Factors(
                scenarios=(load_scenario("chat"),),
                targets=(f"busy_agent_of_a_test:{factory}",),
                strategies=(available_strategies()[strategy],),
                concurrency=(4,),
                session_count=SESSIONS,
                clock=ClockMode.WARP,
            )
        )
        found = profile_cell(spec)
        assert not isinstance(found, NotApplicable)
        return found

    with pytest.MonkeyPatch.context() as patches:
        patches.syspath_prepend(str(folder))
        yield run


@pytest.mark.parametrize(
    ("factory", "strategy"),
    [
        ("build", "gather"),
        ("build_offloading", "gather"),
        ("build_sync", "sync"),
        ("build_sync", "threads"),
        ("build_sync", "executor"),
    ],
)
def test_what_sessions_compute_is_seen_on_every_thread(
    profiled: Profiled, factory: str, strategy: str
) -> None:
    """The slow suite has the other strategies."""
    check_computing(profiled(factory, strategy))


def check_computing(profile: Profile) -> None:
    computed_s = sum(
        length_s
        for function, length_s in profile.by_function.items()
        if function.endswith(":compute")
    )
    # Two threads that compute take turns at the interpreter: each is seen while it waits for it.
    assert computed_s >= 0.8 * SESSIONS * BUSY_S
    # Waits of a second in all do not show; what a busy machine adds to other functions may.
    assert profile.total_s - computed_s < SESSIONS * WAIT_S
    assert profile.by_package["busy_agent_of_a_test.py"] >= 0.8 * SESSIONS * BUSY_S
    assert sum(profile.by_package.values()) == pytest.approx(profile.total_s)


def test_cells_are_put_side_by_side(profiled: Profiled) -> None:
    profiles = [profiled("build", "gather"), profiled("build_sync", "threads")]
    by_package, by_function = tables(profiles)
    assert by_package.cells == (
        "chat/busy_agent_of_a_test:build/gather/asyncio@4",
        "chat/busy_agent_of_a_test:build_sync/threads/none@4",
    )
    assert by_function.rows[0].name.endswith(":compute")
    assert all(share.percent > 20 for share in by_function.rows[0].shares)
    assert re.fullmatch(
        r"\d+(\.\d+)? ms \d+ %", by_function.rows[0].shares[0].text.replace("\u00a0", " ")
    )


@pytest.mark.once
def test_the_command_writes_pages_that_ask_nobody_and_links_them_from_the_report(
    warpbench: Callable[..., Any], tmp_path: Path
) -> None:
    cells = ("chat", "--strategy", "gather,threads", "--loop", "asyncio", "--sessions", "5")
    out = ("--concurrency", "5", "--out", str(tmp_path))
    assert warpbench("run", *cells, *out, "--clock", "virtual").status == 0
    assert "profile.html" not in (tmp_path / "report.html").read_text()
    done = warpbench("profile", *cells, *out)
    assert done.status == 0, done.err
    assert "whose code ran" in done.out
    assert 'href="profile.html"' in (tmp_path / "report.html").read_text()
    page = (tmp_path / "profile.html").read_text()
    assert 'href="report.html"' in page
    for name in ("profile-chat-agent-gather-asyncio-5", "profile-chat-agent-threads-none-5"):
        assert f'src="{name}.html"' in page
        tree = (tmp_path / f"{name}.html").read_text()
        assert "googleapis" not in tree
        assert "default-src 'none'" in tree
        assert json.loads((tmp_path / f"{name}.speedscope.json").read_text())["profiles"]


@pytest.mark.once
@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--concurrency", "1,2,3,4"], "8 cells are more than can be read side by side"),
        (["--strategy", "gather", "--target", "nobody:here"], "cannot be imported"),
    ],
)
def test_what_cannot_be_profiled_is_refused(
    warpbench: Callable[..., Any], more: list[str], message: str
) -> None:
    done = warpbench("profile", "chat", *more)
    assert done.status == 2
    assert message in done.err
