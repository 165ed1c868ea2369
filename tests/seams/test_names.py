"""No room compares a value with the name of a strategy, a loop, a transport or a clock."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from warpbench.bench.results.cell import NO_LOOP
from warpbench.bench.strategies import BUILT_IN
from warpbench.bench.trial.loops import LOOPS
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.transports.registry import TRANSPORTS

pytestmark = pytest.mark.once

CHECKOUT = Path(__file__).resolve().parents[2]
NAMES = {*(each.name for each in BUILT_IN), *LOOPS, *TRANSPORTS, *ClockMode, NO_LOOP}
SOURCES = sorted(
    path for room in ("bench", "mocks", "reports") for path in (CHECKOUT / room).rglob("*.py")
)


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.AST]:
    """Each source, parsed: reading all of them takes longest."""
    return {str(path.relative_to(CHECKOUT)): ast.parse(path.read_text()) for path in SOURCES}


def compared_texts(tree: ast.AST) -> Iterator[str]:
    """Yield the texts with which something is compared."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            for side in (node.left, *node.comparators):
                for part in ast.walk(side):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield part.value


def test_no_name_of_a_registry_is_compared_as_text(trees: dict[str, ast.AST]) -> None:
    found = {
        path: names for path, tree in trees.items() if (names := NAMES & set(compared_texts(tree)))
    }

    assert found == {}


def test_what_is_looked_for_would_be_found() -> None:
    tree = ast.parse('if cell.loop in {"uvloop"} or "respx" == cell.transport: pass')

    assert set(compared_texts(tree)) == {"uvloop", "respx"}


def clocks_asked_for_their_class(tree: ast.AST) -> Iterator[str]:
    """Yield the classes of clocks that an ``isinstance`` asks for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "isinstance":
            kinds = (part.id for part in ast.walk(node.args[1]) if isinstance(part, ast.Name))
            yield from (kind for kind in kinds if kind.endswith("Clock"))


def test_no_clock_is_asked_for_its_class(trees: dict[str, ast.AST]) -> None:
    found = {
        path: kinds
        for path, tree in trees.items()
        if (kinds := [*clocks_asked_for_their_class(tree)])
    }

    assert found == {}
    assert list(clocks_asked_for_their_class(ast.parse("isinstance(clock, SkippingClock)"))) == [
        "SkippingClock"
    ]
