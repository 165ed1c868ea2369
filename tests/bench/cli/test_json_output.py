"""What a command prints for programs is one document, whatever the code that it runs prints."""

import json
from pathlib import Path

import pytest

from ...conftest import Finished, run_warpbench, run_warpbench_here
from ..gate.trials_here import run_trials_here

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
    return with_noise(tmp_path)


def with_noise(folder: Path) -> Path:
    """Put a target and a strategy that print wherever they can into a folder."""
    (folder / "noisy.py").write_text(NOISY)
    (folder / "noisy_strategy.py").write_text(STRATEGY)
    metadata = folder / "noisy-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: noisy\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[warpbench.strategies]\nnoisy = noisy_strategy:STRATEGY\n"
    )
    return folder


def run_beside_noise(folder: Path, *arguments: str, **environ: str) -> Finished:
    return run_warpbench(folder, *arguments, PYTHONPATH=str(folder), **environ)


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
OF_ENVIRONMENT, BY_SIGHT = "a-horse-a-battery-a-staple", "sk-" + "proj-4Fq8" * 5


def with_secrets(folder: Path) -> dict[str, str]:
    """Put a target that prints secrets into a folder; return the environment that holds one."""
    (folder / "telling.py").write_text(TELLING)
    (folder / "secret.txt").write_text(f"{OF_ENVIRONMENT} {BY_SIGHT}")
    return {"MY_SERVICE_TOKEN": OF_ENVIRONMENT}


def assert_no_secret(finished: Finished) -> None:
    """Hold what is printed and written to no secret, though the target has told them."""
    assert finished.status == 0, finished.err
    for where in ("at import", "in the factory", "in a session"):
        assert f"{where}: [redacted] [redacted]" in finished.err
    for secret in (OF_ENVIRONMENT, BY_SIGHT):
        assert secret not in finished.out + finished.err
    for file in finished.folder.rglob("*"):
        content = file.read_bytes() if file.is_file() and file.name != "secret.txt" else b""
        assert OF_ENVIRONMENT.encode() not in content, file
        assert BY_SIGHT.encode() not in content, file


@pytest.fixture(scope="module")
def run_of_both(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run of the target that prints, and of the one that prints secrets."""
    folder = with_noise(tmp_path_factory.mktemp("run"))
    both = ("two-sleeps", "--target", "noisy:build,telling:build", "--concurrency", "2")
    command = ("run", *both, "--sessions", "2", *RUN, "--strategy", "noisy", "--json")
    return run_beside_noise(folder, *command, **with_secrets(folder))


def test_a_run_prints_one_document_and_what_its_target_prints_goes_to_stderr(
    run_of_both: Finished,
) -> None:
    run = json.loads(run_of_both.out)
    assert [cell["status"] for cell in run["cells"]] == ["measured"] * 2
    for text in (*PRINTED, *OF_A_STRATEGY):
        assert text in run_of_both.err
    exported = run_beside_noise(run_of_both.folder, "export", "pyperf", "results")
    assert json.loads(exported.out)["benchmarks"]
    history = ("history", "r.sqlite", "--add", "results", "--json")
    stored = run_warpbench_here(run_of_both.folder, *history)
    assert len(json.loads(stored.out)) == 2


def test_what_a_target_prints_shows_no_secret(run_of_both: Finished) -> None:
    """Not what it read elsewhere, and is known by the environment's name for it or by its looks."""
    assert_no_secret(run_of_both)


def test_a_gate_prints_one_document_and_what_its_target_prints_goes_to_stderr(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patches:
        run_trials_here(patches, project)
        assert run_warpbench_here(project, "baseline", *CELL).status == 0
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
