"""A target whose programs ask for themselves: refused and counted, before many are started."""

import subprocess
import sys
from collections.abc import Callable

import pytest
from openai import OpenAI
from warpbench.bench.results.refused_hosts import RefusedHost
from warpbench.bench.targets.loading import Target
from warpbench.bench.testing.lab import LabResult, run_cell, spec_of
from warpbench.bench.trial.children import children_kept_in
from warpbench.mocks.clock import ClockMode, SkippingClock, create_clock
from warpbench.mocks.errors import TargetError
from warpbench.mocks.scenario import parse_scenario

# A target's clients are not closed: their sockets end when they are collected.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

SCENARIO = """
    name = "one"
    description = "One call."
    sessions = 2
    [model]
    latency_s = 0.01
    [[rounds]]
"""
ASKS = """\
import http.client, os, sys, urllib.parse
parts = urllib.parse.urlsplit(os.environ[sys.argv[1]])
client = http.client.HTTPConnection(parts.hostname, parts.port)
client.request("POST", parts.path + sys.argv[2], b"{}")
sys.exit(client.getresponse().read().decode())
"""
MESSAGES = ("ANTHROPIC_BASE_URL", "/v1/messages")
ELSEWHERE = ("HTTP_PROXY", "http://prices.example/list")
"""To a proxy, a request is sent with the whole address."""

Ask = tuple[str, str]


def child(ask: Ask) -> list[str]:
    return [sys.executable, "-c", ASKS, *ask]


class ByItself:
    """A target whose program asks, and which asks the model itself if it is told to."""

    def __init__(self, ask: Ask, *, asks_model: bool = False) -> None:
        self.ask = ask
        self.asks_model = asks_model
        self.answers: list[str] = []

    def __call__(self) -> Target:
        model = OpenAI() if self.asks_model else None

        def session(task: str) -> str:
            asked = subprocess.run(child(self.ask), capture_output=True, text=True, check=False)
            self.answers.append(asked.stderr)
            if model is None:
                raise ConnectionError("the program got no answer")
            message = {"role": "user", "content": task}
            model.chat.completions.create(model="m", messages=[message])  # type: ignore[list-item]
            return "done"

        return Target(sync_session=session)


def run(target: Callable[[], Target], clock: ClockMode, strategy: str = "threads") -> LabResult:
    scenario = parse_scenario(SCENARIO, "one.toml")
    return run_cell(
        spec_of(target, scenario=scenario, strategy=strategy, sessions=2, clock=clock), target
    )


@pytest.mark.parametrize("clock", list(ClockMode))
def test_who_leaves_the_model_calls_to_a_program_is_told_after_the_warm_up(
    clock: ClockMode,
) -> None:
    target = ByItself(MESSAGES)

    with pytest.raises(TargetError, match=r"api\.anthropic\.com .*--transport loopback"):
        run(target, clock)

    assert len(target.answers) == 2  # of the warm-up, and of no session
    for answer in target.answers:
        assert "--transport loopback" in answer


@pytest.mark.parametrize(
    ("ask", "host", "path"),
    [
        (MESSAGES, "api.anthropic.com", "/v1/messages"),
        (ELSEWHERE, "prices.example", "/list"),
    ],
)
def test_what_a_program_asks_beside_the_target_is_refused_and_counted(
    ask: Ask, host: str, path: str
) -> None:
    result = run(ByItself(ask, asks_model=True), ClockMode.VIRTUAL)

    assert result.sessions.succeeded == 2
    assert result.refused == (
        RefusedHost(host=host, paths=(path,), requests=2, requests_before=2, from_children=4),
    )


def test_a_clock_that_refuses_says_what_programs_may_have_to_do_with_it() -> None:
    clock = create_clock(ClockMode.VIRTUAL)
    assert isinstance(clock, SkippingClock)
    with children_kept_in(clock, in_process=True):
        before = str(clock.refuse("the event loop watches real I/O"))
        with subprocess.Popen([sys.executable, "-S", "-c", ""]):
            after = str(clock.refuse("the event loop watches real I/O"))

    assert after.startswith(before)
    assert "--transport loopback" in after.removeprefix(before)
