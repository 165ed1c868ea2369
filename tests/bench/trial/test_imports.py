"""What a trial imports, and so needs to be installed: little beside what its target uses."""

import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from ...conftest import TIMEOUT_S

pytestmark = pytest.mark.once  # packages import the same on every Python

CHECKOUT = Path(__file__).resolve().parents[3]

NEEDED_BY_A_TRIAL = ("httptools", "httpx", "respx", "msgspec", "time-machine", "uvloop")
NEEDED_TO_START_IT = ("pydantic",)
"""It checks scenarios and results, in the process that starts trials."""

# The openai SDK is imported before the first trial, if it can be: it takes long.
MAY_BE_IMPORTED = (
    "httpcore",
    "httpcore2",
    "httptools",
    "httpx",
    "httpx2",
    "msgspec",
    "openai.resources.chat.completions.completions",
    "respx",
    "time_machine",
    "uvloop",
)

TARGET = """
import json
import os
import sys

import httpx


def build(lab):
    client = httpx.AsyncClient()

    async def session(task):
        body = {"model": lab.model, "messages": [{"role": "user", "content": task}]}
        answer = await client.post(f"{lab.base_url}/chat/completions", json=body)
        with open(os.environ["SEEN"], "w") as seen:
            json.dump(sorted(sys.modules), seen)
        return answer.json()["id"]

    return session
"""

RUN = """
if __name__ == "__main__":
    from warpbench.bench.runner.plan import Factors, cells_of
    from warpbench.bench.runner.processes import TrialProcesses
    from warpbench.bench.strategies import available_strategies
    from warpbench.mocks.scenario import load_scenario

    factors = Factors(
        scenarios=(load_scenario("chat"),),
        strategies=(available_strategies()["gather"],),
        targets=("a_target:build",),
        concurrency=(1,),
        session_count=1,
    )
    (spec,) = cells_of(factors)
    (sample,) = TrialProcesses(60).run(spec).samples
    assert sample.error is None, sample.error
"""

IMPORTED = """
import importlib, json, sys

sys.modules["pytest"] = None
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError:
        pass
del sys.modules["pytest"]
print(json.dumps(sorted(sys.modules)))
"""


def packages(modules: list[str]) -> set[str]:
    """Return the packages of some modules, without Python's own and the lab's."""
    found = {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names)
    return {name for name in found if not name.startswith(("__", "_cython_", "_sysconfigdata"))}


def python(*arguments: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def written(tmp_path: Path) -> Path:
    (tmp_path / "a_target.py").write_text(TARGET)
    (tmp_path / "run.py").write_text(RUN)
    return tmp_path


def with_what_they_need(names: tuple[str, ...]) -> set[str]:
    """Return the names of distributions, and of those that they depend on."""
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop().lower().replace("_", "-")
        if name not in found:
            found.add(name)
            required = map(Requirement, importlib.metadata.requires(name) or ())
            left += [
                each.name
                for each in required
                if each.marker is None or each.marker.evaluate({"extra": ""})
            ]
    return found


def files_of(names: set[str]) -> Iterator[Path]:
    """Yield the files and folders at the top of these distributions."""
    for name in names:
        distribution = importlib.metadata.distribution(name)
        for top in {Path(str(file)).parts[0] for file in distribution.files or ()}:
            path = Path(str(distribution.locate_file(top)))
            if top != ".." and path.exists():
                yield path


def test_nothing_is_imported_but_for_talking_to_the_model(written: Path) -> None:
    seen = written / "seen.json"

    python(str(written / "run.py"), PYTHONPATH=str(written), SEEN=str(seen))

    allowed = json.loads(python("-c", IMPORTED, *MAY_BE_IMPORTED))
    extra = packages(json.loads(seen.read_text())) - packages(allowed)
    assert {name for name in extra if "editable" not in name} <= {"a_target", "warpbench"}


def test_a_trial_runs_where_only_those_are_installed(written: Path) -> None:
    installed = written / "installed"
    installed.mkdir()
    for path in files_of(with_what_they_need((*NEEDED_BY_A_TRIAL, *NEEDED_TO_START_IT))):
        (installed / path.name).symlink_to(path)
    (installed / "warpbench").symlink_to(CHECKOUT)
    seen = written / "seen.json"

    python(
        "-S", str(written / "run.py"), PYTHONPATH=f"{installed}:{written}", SEEN=str(seen)
    )  # -S: without what is installed otherwise

    assert not packages(json.loads(seen.read_text())) & {"openai", "httpx2", "pydantic", "pytest"}
