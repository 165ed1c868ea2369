"""What is committed of the matrix belongs together: agents, constraints, rows and the page."""

import ast
import re
from pathlib import Path

import pytest

from .matrix.__main__ import CHECKOUT, main
from .matrix.environments import requirements
from .matrix.frameworks import FRAMEWORKS, Framework
from .matrix.judging import outdated_reasons
from .matrix.packages import normalised, read_constraints, unsatisfied, versions
from .matrix.places import Places
from .matrix.rendering import into_page, table
from .matrix.rows import read_rows

pytestmark = pytest.mark.once

PLACES = Places(CHECKOUT, CHECKOUT / ".matrix")
ROWS = {row.name: row for row in read_rows(PLACES.rows)}
HASHED = re.compile(r"([a-z0-9-]+==\S+ \\\n    --hash=sha256:[0-9a-f]{64}\n)+")


@pytest.fixture(params=FRAMEWORKS, ids=lambda framework: framework.name)
def framework(request: pytest.FixtureRequest) -> Framework:
    found: Framework = request.param
    return found


def test_there_are_at_least_eighteen() -> None:
    assert len({framework.name for framework in FRAMEWORKS}) >= 18


def test_each_has_an_agent_that_answers_and_one_that_streams(framework: Framework) -> None:
    tree = ast.parse((PLACES.targets / f"{framework.module}.py").read_text())
    named = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    named |= {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }

    assert {"build", "build_stream"} <= named


def test_what_was_installed_meets_what_warpbench_asks_for(framework: Framework) -> None:
    installed = versions(read_constraints(_constraints(framework).read_text()))

    assert unsatisfied(requirements(CHECKOUT), installed) == ()


def test_the_constraints_are_names_versions_and_hashes_alone(framework: Framework) -> None:
    assert HASHED.fullmatch(_constraints(framework).read_text())


def test_the_constraints_have_the_versions_of_the_table(framework: Framework) -> None:
    installed = versions(read_constraints(_constraints(framework).read_text()))

    assert ROWS[framework.name].versions == {
        normalised(each): installed[normalised(each)] for each in framework.distributions
    }


def test_each_has_a_row() -> None:
    assert list(ROWS) == [framework.name for framework in FRAMEWORKS]


def test_no_reviewed_reason_is_outdated(framework: Framework) -> None:
    assert list(outdated_reasons(framework, ROWS[framework.name].outcomes)) == []


def test_the_page_shows_the_rows() -> None:
    page = PLACES.page.read_text()

    assert into_page(page, table(ROWS.values())) == page


def test_an_unknown_framework_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["openai", "nosuch"]) == 2
    assert capsys.readouterr().out.startswith("no such framework: nosuch; there are openai, ")


def _constraints(framework: Framework) -> Path:
    path = PLACES.constraints(framework)
    if not path.exists():
        pytest.skip(f"{framework.name} was not installed: see its row")
    return path
