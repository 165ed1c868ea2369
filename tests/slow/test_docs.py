"""The commands of the docs that measure for long; each as a process of its own, as typed."""

import importlib.util
import re
import shlex
import shutil
from pathlib import Path

import pytest

from ..conftest import run_warpbench
from ..test_services_docs import EXAMPLES, FILES, SHOWN, require_shown

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "measuring.md").read_text()


@pytest.mark.parametrize("name", ["advise", "doctor"])
def test_a_command_of_the_page_on_measuring_works(name: str, tmp_path: Path) -> None:
    commands = re.findall(rf"^warpbench {name}\b.*$", PAGE, re.MULTILINE)
    assert commands
    for command in commands:
        finished = run_warpbench(tmp_path, *shlex.split(command)[1:])
        # The doctor may well find something on the machine at hand.
        assert finished.status in ((0, 1) if name == "doctor" else (0,)), finished.err
        assert "Traceback" not in finished.err


@pytest.mark.skipif(
    importlib.util.find_spec("fastapi") is None, reason="fastapi is not installed: make examples"
)
@pytest.mark.parametrize("block", SHOWN)
def test_a_command_on_a_service_prints_what_the_page_shows(block: str, tmp_path: Path) -> None:
    for name in FILES:
        shutil.copy(EXAMPLES / name, tmp_path)

    require_shown(block, tmp_path)
