"""Whatever a scenario's file holds, it has one of two ends: a scenario, or one line."""

import copy
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warpbench.mocks.errors import ScenarioError
from warpbench.mocks.scenario import Scenario, parse_scenario, scenario_from_table
from warpbench.mocks.workload.script import draw_session

from .test_reading import GOOD

pytestmark = pytest.mark.once

keys = st.sampled_from(
    ["name", "tools", "rounds", "latency_s", "repeat", "kind", "lognormal", "mixture", "ticket"]
) | st.text(max_size=5)
scalars = st.one_of(
    st.booleans(),
    st.integers(),
    st.integers(-3, 3),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["search", "async", "string", 10**400]),
    st.dates(),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


def places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Paths of everything inside a table."""
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    else:
        inner = []
    return [place for key, item in inner for place in [(*path, key), *places(item, (*path, key))]]


GOOD_TABLE = tomllib.loads(GOOD)


@st.composite
def damaged_tables(draw: st.DrawFn) -> dict[str, object]:
    """The good table with one to three places replaced, removed or added to."""
    table = copy.deepcopy(GOOD_TABLE)
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from(places(table) or [("name",)]))
        parent: Any = table
        for key in above:
            parent = parent[key]
        action = draw(st.sampled_from(["replace", "remove", "add"]))
        if action == "remove" and last in (parent if isinstance(parent, dict) else ()):
            del parent[last]
        elif action == "add" and isinstance(parent, dict):
            parent[draw(keys)] = draw(values)
        else:
            parent[last] = draw(values)
    return table


def assert_one_of_two_ends(table: dict[str, object]) -> None:
    try:
        scenario = scenario_from_table(table, "my.toml")
    except ScenarioError as error:
        message = str(error)
        assert message.startswith("my.toml: ")
        assert len(message.splitlines()) == 1
        assert "Table" not in message, "a name of the implementation leaks"
    else:
        assert isinstance(scenario, Scenario)
        session = draw_session(scenario, seed=1, session=0)
        assert all(call.tool_calls for call in session.model_calls[:-1])
        assert not session.model_calls[-1].tool_calls


@settings(deadline=None, max_examples=100)
@given(damaged_tables())
def test_a_damaged_table_is_a_scenario_or_one_line(table: dict[str, object]) -> None:
    assert_one_of_two_ends(table)


@given(st.dictionaries(keys, values, max_size=5))
def test_any_table_is_a_scenario_or_one_line(table: dict[str, object]) -> None:
    assert_one_of_two_ends(table)


@given(st.text())
def test_any_text_gets_one_line(text: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "my.toml")
    assert len(str(caught.value).splitlines()) == 1


TABLE: dict[str, Any] = {
    "name": "fuzzed",
    "description": "A scenario.",
    "sessions": 1,
    "model": {"latency_s": 1},
    "rounds": [{}],
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 600) | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
PARTS = {
    "faults": ["kind", "probability", "sessions", "steps", "attempts", "status", "share"],
    "services": [
        "name",
        "url",
        "method",
        "latency_s",
        "status",
        "headers",
        "body",
        "json",
        "faults",
    ],
}
KINDS = st.sampled_from(["status", "reset", "slow_drip", "https://a.b/*", "GET"])


@given(st.data())
def test_no_table_of_the_new_kinds_breaks_the_reading_of_a_scenario(data: st.DataObject) -> None:
    table = dict(TABLE)
    for part, keys in PARTS.items():
        rows = st.dictionaries(st.sampled_from(keys), VALUES | KINDS, max_size=5)
        table[part] = data.draw(st.lists(rows, max_size=2))
    table["model"] = {
        **TABLE["model"],
        **data.draw(st.dictionaries(st.sampled_from(["ttft_s", "gap_s", "limits"]), VALUES)),
    }
    if data.draw(st.booleans()):
        table["recording"] = data.draw(VALUES | st.fixed_dictionaries({"file": st.text()}))

    problem = ""
    try:
        scenario_from_table(table)
    except ScenarioError as error:
        problem = str(error)

    assert "\n" not in problem
