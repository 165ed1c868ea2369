"""Six rows of the matrix, made again from their constraints: what works there works still.

It installs six frameworks, and runs them with real waits, too: half an hour on two cores. What
a noisy machine leaves open (`State.UNDECIDED`) is not lost.
"""

import pytest

from ...frameworks.matrix.__main__ import CHECKOUT
from ...frameworks.matrix.columns import Column, State
from ...frameworks.matrix.frameworks import FRAMEWORKS
from ...frameworks.matrix.making import row_of
from ...frameworks.matrix.places import Places
from ...frameworks.matrix.rows import read_rows

# Of openai 2 and of 3, of threads and of coroutines, with the other API, and with litellm.
NAMES = ("anthropic", "crewai", "langgraph", "llama-index", "openai-agents", "agno")
PLACES = Places(CHECKOUT, CHECKOUT / ".matrix")
ROWS = {row.name: row for row in read_rows(PLACES.rows)}


@pytest.mark.parametrize("name", NAMES)
def test_what_the_table_says_of_a_framework_holds(name: str) -> None:
    (framework,) = (each for each in FRAMEWORKS if each.name == name)

    row = row_of(PLACES, framework, locked=True)

    assert row.versions == ROWS[name].versions
    lost = {
        column: row.outcomes[column].note
        for column in Column
        if ROWS[name].outcomes[column].works
        and row.outcomes[column].state not in {State.WORKS, State.UNDECIDED}
    }
    assert lost == {}
