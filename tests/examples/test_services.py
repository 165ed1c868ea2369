"""The services of the examples: the mistake is found at its line, and repaired nothing is."""

import importlib.util
import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest
from warpbench.bench.results.exploration import FailureKind
from warpbench.bench.testing.explore import explore
from warpbench.bench.testing.pytest_plugin import LabInTests

from ..conftest import run_warpbench_here

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
SCHEDULES = 4
SESSIONS = 3


class Service(NamedTuple):
    """A service of the examples.

    Attributes:
        name: Of its module; the repaired one has the same and a suffix.
        framework: The module that it needs.
        function: In which text of two users meets.
        line: How the statement begins that sends the two.
    """

    name: str
    framework: str
    function: str
    line: str


SERVICES = (
    Service("chat_service", "fastapi", "ConversationManager.reply", "answer = await"),
    Service("support_service", "agents", "answer", "return str((await Runner.run(desk"),
)


@pytest.fixture(params=SERVICES, ids=[service.name for service in SERVICES])
def service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Service:
    found: Service = request.param
    if importlib.util.find_spec(found.framework) is None:
        pytest.skip(f"{found.framework} is not installed: make examples")
    monkeypatch.chdir(EXAMPLES)
    monkeypatch.syspath_prepend(EXAMPLES)
    return found


def place_of_mistake(service: Service) -> str:
    lines = (EXAMPLES / f"{service.name}.py").read_text().splitlines()
    (number,) = (n for n, line in enumerate(lines, 1) if line.strip().startswith(service.line))
    return f"{service.name}.py:{service.function}:{number}"


def test_the_mistake_is_found_at_its_line(service: Service) -> None:
    found = explore(f"{service.name}:build", schedules=SCHEDULES, sessions=SESSIONS).found

    assert [each.failure.kind for each in found] == [FailureKind.LEAK]
    assert found[0].failure.place == place_of_mistake(service)
    assert found[0].sessions == 2


def test_repaired_all_are_answered_and_nothing_is_found(service: Service, lab: LabInTests) -> None:
    target = f"{service.name}_repaired:build"

    assert lab.run(target, scenario="chat", sessions=SESSIONS).sessions.succeeded == SESSIONS
    assert lab.explore(target, schedules=SCHEDULES, sessions=SESSIONS).schedules == SCHEDULES


def test_a_test_of_it_fails_with_the_command_that_replays_it(
    service: Service, lab: LabInTests
) -> None:
    with pytest.raises(AssertionError, match="leak: text of one session") as failed:
        lab.explore(f"{service.name}:build", schedules=1, sessions=SESSIONS)

    last = str(failed.value).splitlines()[-1]
    assert re.match(rf" *warpbench explore chat --target {service.name}:build .*--replay 0", last)


@pytest.mark.parametrize("service", SERVICES[:1], indirect=True)
def test_the_command_of_its_header_finds_it_and_prints_one_that_replays_it(
    service: Service,
) -> None:
    header = (EXAMPLES / f"{service.name}.py").read_text().split('"""')[1]
    command = shlex.split(header.strip().splitlines()[-1])

    found = run_warpbench_here(EXAMPLES, *command[1:], "--schedules", "1", "--sessions", "2")
    replay = shlex.split(found.out.strip().splitlines()[-1])
    replayed = run_warpbench_here(EXAMPLES, *replay[1:])

    assert (found.status, replayed.status) == (1, 1)
    assert "text of session" in replayed.out
    assert f"({service.name}.py:" in replayed.out
