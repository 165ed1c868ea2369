"""What a command prints for programs is one document, whatever the code that it runs prints."""

import json
from pathlib import Path

import pytest

from ...conftest import Finished, run_warpbench

pytestmark = pytest.mark.once

NOISY = """
import os, subprocess, sys

def shout(where):
    print(f"python, {where}")
    sys.__stdout__.write(f"its first stdout, {where}\\n")
    os.write(1, f"the descriptor, {where}\\n".encode())
    subprocess.run(["echo", f"a process, {where}"], check=True)

shout("at import")

from openai import AsyncOpenAI

def build():
    shout("in the factory")
    client = AsyncOpenAI()
    async def session(task):
        print("python, in a session")
        os.write(1, b"the descriptor, in a session\\n")
        answer = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": task}]
        )
        return answer.choices[0].message.content
    return session
"""
STRATEGY = """
import os
from warpbench.bench.strategies import gather
from dataclasses import replace

print("python, in a strategy")
os.write(1, b"the descriptor, in a strategy\\n")
STRATEGY = replace(gather.STRATEGY, name="noisy", is_default=False)
"""
PRINTED = (
    *(
        f"{what}, {where}"
        for where in ("at import", "in the factory")
        for what in ("python", "its first stdout", "the descriptor", "a process")
    ),
    "python, in a session",
    "the descriptor, in a session",
)
OF_A_STRATEGY = ("python, in a strategy", "the descriptor, in a strategy")
CELL = ("two-sleeps", "--target", "noisy:build", "--concurrency", "2", "--sessions", "2")
RUN = ("--clock", "virtual", "--loop", "asyncio")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "noisy.py").write_text(NOISY)
    (tmp_path / "noisy_strategy.py").write_text(STRATEGY)
    metadata = tmp_path / "noisy-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: noisy\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[warpbench.strategies]\nnoisy = noisy_strategy:STRATEGY\n"
    )
    return tmp_path


def run_beside_noise(folder: Path, *arguments: str) -> Finished:
    return run_warpbench(folder, *arguments, PYTHONPATH=str(folder))


def test_a_run_prints_one_document_and_what_its_target_prints_goes_to_stderr(
    project: Path,
) -> None:
    finished = run_beside_noise(project, "run", *CELL, *RUN, "--strategy", "noisy", "--json")
    run = json.loads(finished.out)
    assert [cell["status"] for cell in run["cells"]] == ["measured"]
    for text in (*PRINTED, *OF_A_STRATEGY):
        assert text in finished.err
    exported = run_beside_noise(project, "export", "pyperf", "results")
    assert json.loads(exported.out)["benchmarks"]
    stored = run_beside_noise(project, "history", "r.sqlite", "--add", "results", "--json")
    assert len(json.loads(stored.out)) == 1


def test_a_gate_prints_one_document_and_what_its_target_prints_goes_to_stderr(
    project: Path,
) -> None:
    assert run_beside_noise(project, "baseline", *CELL).status == 0
    finished = run_beside_noise(project, "gate", "--tier", "structure", "--json")
    assert json.loads(finished.out)["verdict"] == "passed"
    for text in PRINTED:
        assert text in finished.err


def test_a_profile_prints_its_tables_alone_and_what_its_target_prints_goes_to_stderr(
    project: Path,
) -> None:
    finished = run_beside_noise(project, "profile", *CELL, "--strategy", "gather")
    assert finished.status == 0
    for text in PRINTED:
        assert text not in finished.out
        assert text in finished.err
    assert finished.out.startswith("whose code ran")


TELLING = """
import os, pathlib, subprocess, sys

SECRET = pathlib.Path("secret.txt").read_text()

def tell(where):
    print(f"{where}: {SECRET}")
    print(f"{where}: {SECRET}", file=sys.stderr)
    sys.stdout.writelines([f"{where}: ", SECRET, chr(10)])
    for name, value in os.environ.items():
        os.write(2, f"{name} is {value}\\n".encode())
    subprocess.run(["env"], check=True)

tell("at import")

from openai import AsyncOpenAI

def build():
    tell("in the factory")
    client = AsyncOpenAI()
    async def session(task):
        tell("in a session")
        answer = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": task}]
        )
        return answer.choices[0].message.content
    return session
"""


def shows_no_secret(folder: Path, *command: str) -> None:
    """Run a command whose target prints secrets, and hold what is printed and written to none."""
    (folder / "telling.py").write_text(TELLING)
    of_environment, by_sight = "a-horse-a-battery-a-staple", "sk-" + "proj-4Fq8" * 5
    (folder / "secret.txt").write_text(f"{of_environment} {by_sight}")
    finished = run_warpbench(
        folder, *command, PYTHONPATH=str(folder), MY_SERVICE_TOKEN=of_environment
    )
    assert finished.status == 0, finished.err
    for where in ("at import", "in the factory", "in a session"):
        assert f"{where}: [redacted] [redacted]" in finished.err
    for secret in (of_environment, by_sight):
        assert secret not in finished.out + finished.err
    (folder / "secret.txt").unlink()
    for file in folder.rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        assert of_environment.encode() not in content, file
        assert by_sight.encode() not in content, file


OF_SECRETS = ("two-sleeps", "--target", "telling:build", "--concurrency", "1", "--sessions", "2")


def test_what_a_target_prints_shows_no_secret(tmp_path: Path) -> None:
    """Not what it read elsewhere, and is known by the environment's name for it or by its looks."""
    shows_no_secret(tmp_path, "run", *OF_SECRETS, *RUN, "--strategy", "gather", "--json")
