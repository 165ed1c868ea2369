"""The wheel, installed into a repository that owns packages named as our folders.

Installed under their bare names the folders would shadow another package's ``bench`` or
``mocks``, or be shadowed by them. They are installed under the namespace ``warpbench``:
this holds both sides to it.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDERS = ("agent", "bench", "mocks", "reports")
TIMEOUT_S = 600

VIRTUAL_PAIR = ("--loop", "asyncio", "--clock", "virtual", "--concurrency", "2", "--out", "out")

THEIR_AGENT = """
    from openai import AsyncOpenAI

    import mocks

    def build():
        client = AsyncOpenAI()

        async def session(task: str) -> str:
            assert mocks.WHOSE == "theirs"
            completion = await client.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": task}]
            )
            return completion.choices[0].message.content

        return session
"""

THEIR_STRATEGY = """
    from warpbench.bench.strategies import Drives, Strategy

    async def run(session, tasks, concurrency):
        for task in tasks:
            await session(task)

    THEIRS = Strategy("theirs", "one after another, awaited", Drives.ASYNC, run)
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, and our dependencies, but not the editable install."""
    root = tmp_path_factory.mktemp("install")
    source = root / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, source)
    for folder in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CHECKOUT / folder, source / folder, ignore=ignored)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    offline = ["--no-index", "--no-deps"]
    check(*pip, "wheel", *offline, "--no-build-isolation", "-w", str(root), str(source))
    check(sys.executable, "-m", "venv", "--without-pip", str(root / "venv"))
    python = root / "venv" / "bin" / "python"
    (wheel,) = root.glob("warpbench-*.whl")
    check(*pip, "--python", str(python), "install", *offline, str(wheel))
    purelib = check(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    # A plain line appends a folder without running the .pth files in it: our dependencies
    # are found, the editable install is not.
    (Path(purelib.stdout.strip()) / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository that owns our folders' names, an agent, and a strategy."""
    for folder in FOLDERS:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text('WHOSE = "theirs"\n')
    (tmp_path / "agent" / "shop.py").write_text(textwrap.dedent(THEIR_AGENT))
    (tmp_path / "strategy_of_theirs.py").write_text(textwrap.dedent(THEIR_STRATEGY))
    metadata = tmp_path / "theirs-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[warpbench.strategies]\ntheirs = strategy_of_theirs:THEIRS\n"
    )
    return tmp_path


def check(
    *command: str, cwd: Path | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result


def test_their_packages_stay_theirs_and_ours_are_under_the_namespace(
    python: Path, repository: Path
) -> None:
    script = """
        import agent, bench, mocks, reports
        import warpbench.agent, warpbench.bench, warpbench.mocks, warpbench.reports

        for theirs in (agent, bench, mocks, reports):
            assert theirs.WHOSE == "theirs", theirs
        for ours in (warpbench.agent, warpbench.bench, warpbench.mocks, warpbench.reports):
            assert not hasattr(ours, "WHOSE"), ours
            assert "site-packages" in ours.__file__, ours.__file__
    """
    check(str(python), "-c", textwrap.dedent(script), cwd=repository)


def test_the_wheel_holds_every_module_and_data_file(python: Path) -> None:
    script = "import warpbench.mocks as m, pathlib; print(pathlib.Path(m.__file__).parent.parent)"
    installed = Path(check(str(python), "-c", script).stdout.strip())

    # `python -m warpbench` is the one module of the namespace itself.
    entry = Path("bench", "cli", "as_module", "__main__.py")
    expected = {
        path.relative_to(CHECKOUT)
        for folder in FOLDERS
        for path in (CHECKOUT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    } - {entry} | {Path("__main__.py")}
    found = {
        path.relative_to(installed)
        for path in installed.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert found == expected


def test_the_namespace_itself_can_be_run(python: Path, repository: Path) -> None:
    result = check(str(python), "-m", "warpbench", "--version", cwd=repository)

    assert result.stdout.startswith("warpbench ")


def test_their_agent_runs_from_their_repository(python: Path, repository: Path) -> None:
    command = python.parent / "warpbench"
    options = ["--strategy", "gather", "--target", "agent.shop:build", *VIRTUAL_PAIR]

    check(str(command), "run", "two-sleeps", *options, cwd=repository)

    (cell,) = json.loads((repository / "out" / "run.json").read_text())["cells"]
    assert cell["error"] is None
    assert cell["sessions"]["succeeded"] == 2


def test_their_strategy_is_found_by_its_entry_point(python: Path, repository: Path) -> None:
    command = python.parent / "warpbench"
    options = ["--strategy", "theirs", *VIRTUAL_PAIR]

    check(str(command), "run", "two-sleeps", *options, cwd=repository, PYTHONPATH=str(repository))

    (cell,) = json.loads((repository / "out" / "run.json").read_text())["cells"]
    assert cell["makespan_s"] == 2.0
