"""The commands and the test of docs/services.md, as a reader would run them."""

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from warpbench.bench.services.kinds import KINDS
from warpbench.bench.testing.pytest_plugin import LabInTests
from warpbench.mocks.scenario import load_scenario
from warpbench.mocks.scenario.request import USUAL_FIELDS

from .commands_here import run_command_here
from .conftest import TIMEOUT_S

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(
        importlib.util.find_spec("fastapi") is None,
        reason="fastapi is not installed: make examples",
    ),
]

CHECKOUT = Path(__file__).resolve().parent.parent
EXAMPLES = CHECKOUT / "examples"
TEXT = (CHECKOUT / "docs" / "services.md").read_text()
# What runs in real time is in tests/slow/test_services_as_deployed.py.
SHOWN = [
    block
    for block in re.findall(r"^```text\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    if " --serve " not in block
]
TABLES = re.findall(r"^```toml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
TESTS = re.findall(r"^```python\n# (\S+\.py)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
FILES = ("fastapi_service.py", "starlette_service.py", "wsgi_service.py", "service.toml")


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    for name in FILES:
        shutil.copy(EXAMPLES / name, tmp_path)
    return tmp_path


def words(text: str) -> str:
    return " ".join(text.split())


def with_fewer_loads(block: str) -> str:
    """Return a block of the page with its first and its last load; the slow suite has all."""
    found = re.search(r"--concurrency \d+((?:,\d+)+),\d+\n", block)
    if found is None:
        return block
    between = found[1].split(",")[1:]
    lines = block.replace(found[1], "").splitlines(keepends=True)
    return "".join(each for each in lines if not re.search(rf" ({'|'.join(between)})  [█░]", each))


@pytest.mark.parametrize("block", [with_fewer_loads(block) for block in SHOWN])
def test_a_command_prints_what_the_page_shows(block: str, reader: Path) -> None:
    require_shown(block, reader)


def require_shown(block: str, reader: Path) -> None:
    command, _, shown = block.removeprefix("$ ").partition("\n")

    finished = run_command_here(reader, *shlex.split(command)[1:])

    assert finished.status == 0
    assert words(shown.removesuffix("…\n")) in words(finished.out)


@pytest.mark.parametrize(("name", "text"), TESTS)
def test_a_test_of_the_page_passes(name: str, text: str, reader: Path) -> None:
    (reader / name).write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", name]

    finished = subprocess.run(
        command, cwd=reader, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )

    assert finished.returncode == 0, finished.stdout


def test_the_page_shows_the_request_of_the_scenario() -> None:
    scenario = tomllib.loads((EXAMPLES / "service.toml").read_text())

    assert [tomllib.loads(text)["request"] for text in TABLES] == [scenario["request"]]


def test_the_page_names_each_kind_and_field() -> None:
    assert all(f"{kind}:module:app" in TEXT for kind in KINDS)
    assert ", ".join(f"`{name}`" for name in USUAL_FIELDS) in TEXT


@pytest.mark.parametrize(
    ("target", "strategy"),
    [
        ("asgi:starlette_service:app", "gather"),
        ("asgi:quart_service:app", "gather"),
        ("wsgi:flask_service:app", "threads"),
        ("wsgi:wsgi_service:app", "threads"),
    ],
)
def test_the_other_services_stream_their_answers(
    lab: LabInTests, monkeypatch: pytest.MonkeyPatch, target: str, strategy: str
) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    scenario = load_scenario(str(EXAMPLES / "service.toml"))

    result = lab.run(target, scenario=scenario, strategy=strategy, sessions=5)

    assert result.sessions.succeeded == 5
    assert (set(result.latencies), set(result.first_outputs)) == ({0.68}, {0.3})
