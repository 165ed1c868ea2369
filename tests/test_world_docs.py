"""The examples in docs/mocked-world.md, run as a reader would run them."""

import json
import re
import shlex
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from warpbench.mocks.model import WIRE_FORMATS
from warpbench.mocks.model.endpoints import ENDPOINTS
from warpbench.mocks.observe.traffic import Traffic
from warpbench.mocks.scenario import load_scenario
from warpbench.mocks.scenario.endpoints import EndpointKind
from warpbench.mocks.scenario.faults import FaultKind
from warpbench.mocks.transports.loopback.metrics import Metrics

from .commands_here import run_command_here
from .conftest import in_short, run_warpbench_here

pytestmark = pytest.mark.once

TEXT = (Path(__file__).resolve().parent.parent / "docs" / "mocked-world.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TARGETS = [text for language, text in BLOCK.findall(TEXT) if language == "python"]
SCENARIOS = [text for language, text in BLOCK.findall(TEXT) if language == "toml"]
# Of one block, since one command may read what another wrote.
SEQUENCES = [
    commands
    for language, text in BLOCK.findall(TEXT)
    if language == "sh"
    and (commands := [line for line in text.splitlines() if line.startswith("warpbench ")])
]


def name_of(text: str) -> str:
    found = re.match(r"# (\S+\.(?:toml|py))\n", text)
    assert found is not None, f"no file name in the first line of {text[:40]!r}"
    return found[1]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a reader has saved the page's files, and has a trace."""
    folder = tmp_path_factory.mktemp("reader")
    for text in (*SCENARIOS, *TARGETS):
        (folder / name_of(text)).write_text(text)
    request = {"type": "n", "in": 900, "out": 80, "api_time": 3.0, "think_time": 2.0}
    lines = [json.dumps({"requests": [request] * count}) for count in (1, 3, 5)]
    (folder / "trace.jsonl").write_text("\n".join(lines))
    return folder


@pytest.mark.parametrize("text", SCENARIOS, ids=name_of)
def test_a_scenario_of_the_page_runs(text: str, reader: Path) -> None:
    assert load_scenario(str(reader / name_of(text))).sessions

    run(f"warpbench run {name_of(text)} --strategy gather --loop asyncio --clock virtual", reader)


def test_the_page_explains_every_kind_of_fault() -> None:
    (table,) = re.findall(r"^\| `kind` \|.*\n\|.*\n((?:\|.*\n)+)", TEXT, re.MULTILINE)

    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == list(FaultKind)


def test_the_page_names_every_endpoint_with_the_seconds_that_it_takes() -> None:
    (table,) = re.findall(r"^\| `\[endpoints.…\]` \|.*\n\|.*\n((?:\|.*\n)+)", TEXT, re.MULTILINE)

    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) s \|", table, re.MULTILINE)
    assert {name: float(seconds) for name, seconds in rows} == {
        kind.value: kind.latency_s for kind in EndpointKind
    }
    assert all(each.name.removesuffix("/ID") in table for each in ENDPOINTS)


def test_the_page_names_every_api_of_the_model() -> None:
    (table,) = re.findall(r"^\| API \|.*\n\|.*\n((?:\|.*\n)+)", TEXT, re.MULTILINE)

    assert all(wire.name in table for wire in WIRE_FORMATS)


def test_the_page_names_every_metric_of_a_server() -> None:
    text = Metrics(Traffic()).text().decode()

    # The library adds to each counter when it was created.
    names = (family.name for family in text_string_to_metric_families(text))
    families = {name for name in names if not name.endswith("_created")}
    named = re.findall(r"^\| `(warpbench_\w+)` \|", TEXT, re.MULTILINE)
    assert {name.removesuffix("_total") for name in named} == families


def test_the_page_has_commands() -> None:
    assert sum(map(len, SEQUENCES)) == 7


@pytest.mark.parametrize("commands", SEQUENCES, ids=lambda commands: commands[0])
def test_the_commands_of_the_page_work(commands: list[str], reader: Path) -> None:
    for command in commands:
        run(command, reader)


def test_the_leak_of_the_page_is_told_and_fails_the_command(reader: Path) -> None:
    ((command, told),) = re.findall(
        r"^\$ (warpbench run chat --target shared_.*)\n(.*) …$", TEXT, re.MULTILINE
    )

    finished = run_command_here(reader, *shlex.split(command)[1:])

    assert finished.status == 1
    assert told in " ".join(finished.out.split())


def run(command: str, folder: Path) -> None:
    # Over sockets each trial has a server in a process of its own, and its own waits are real.
    run_it = run_warpbench_here if "loopback" in command else run_command_here
    finished = run_it(folder, *in_short(shlex.split(command)[1:]))
    assert finished.status == 0, (command, finished.err)
