"""Scenarios: what a file may say, and the one line that it gets for anything else."""

import copy
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warpbench.mocks import scenario as scenario_module
from warpbench.mocks.errors import ScenarioError
from warpbench.mocks.latency import Constant, Lognormal
from warpbench.mocks.scenario import (
    JsonType,
    Scenario,
    Timing,
    ToolKind,
    builtin_scenarios,
    load_scenario,
    parse_scenario,
    scenario_from_table,
)
from warpbench.mocks.script import draw_session

GOOD = """\
name = "good"
description = "A scenario that has everything."
sessions = 10
concurrency = [1, 10]

[model]
latency_s = 0.5
prompt_tokens = 500
completion_tokens = 80

[tools.search]
description = "Searches the web."
kind = "async"
latency_s = 0.2
parameters = { query = "string", limit = "integer", weight = "number", deep = "boolean" }

[tools.now]
description = "Tells the time."
kind = "blocking"
latency_s = 0.1

[[rounds]]
latency_s = { lognormal = { median = 0.5, p99 = 2.0 } }
completion_tokens = 20
tools = [
    { tool = "search", arguments = { query = "q", limit = 3, weight = 1, deep = true } },
    { tool = "now", latency_s = 0.3 },
]
repeat = 3

[[rounds]]
"""

MINIMAL = """\
name = "minimal"
description = "The least that a scenario can say."
sessions = 1

[model]
latency_s = 1

[[rounds]]
"""


def test_a_scenario_is_read_with_its_defaults_in_place() -> None:
    scenario = parse_scenario(GOOD)
    first, last = scenario.rounds
    search, now = first.tool_calls
    assert (scenario.name, scenario.sessions, scenario.concurrency) == ("good", 10, (1, 10))
    assert first.timing.latency == Lognormal.of_percentiles(0.5, 2.0)
    assert last.timing == Timing(Constant(0.5))
    assert (first.prompt_tokens, last.prompt_tokens) == (Constant(500), Constant(500))
    assert (first.completion_tokens, last.completion_tokens) == (Constant(20), Constant(80))
    assert (first.repeat, last.repeat) == (Constant(3), Constant(1))
    assert (search.latency, now.latency) == (Constant(0.2), Constant(0.3))
    assert search.arguments == {"query": "q", "limit": 3, "weight": 1, "deep": True}
    assert last.tool_calls == ()
    assert scenario.widest_round == 2


def test_the_tools_are_there_to_be_presented() -> None:
    search = parse_scenario(GOOD).tools["search"]
    assert (search.name, search.description) == ("search", "Searches the web.")
    assert (search.kind, search.latency) == (ToolKind.ASYNC, Constant(0.2))
    assert search.parameters == {
        "query": JsonType.STRING,
        "limit": JsonType.INTEGER,
        "weight": JsonType.NUMBER,
        "deep": JsonType.BOOLEAN,
    }


def test_the_documented_example_is_a_scenario() -> None:
    lines = (scenario_module.__doc__ or "").splitlines()
    example = "\n".join(line for line in lines if line.startswith("    "))
    scenario = parse_scenario(example)
    assert (scenario.name, len(scenario.rounds), scenario.widest_round) == ("tools", 2, 1)


def test_little_is_needed() -> None:
    scenario = parse_scenario(MINIMAL)
    assert (scenario.concurrency, scenario.tools, scenario.widest_round) == ((), {}, 0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # Keys
        (
            "latency_s = 0.5",
            "latencys = 0.5",
            "model.latencys: expected latency_s, ttft_s, gap_s, tokens_per_chunk, prompt_tokens,"
            " completion_tokens or limits,"
            " found the unknown key 'latencys' (did you mean 'latency_s'?)",
        ),
        (
            'kind = "async"\n',
            "",
            "tools.search.kind: expected async, blocking or cpu, found nothing",
        ),
        ("sessions = 10\n", "", "sessions: expected a number of sessions, found nothing"),
        (
            '{ tool = "now", latency_s = 0.3 }',
            "{ latency_s = 0.3 }",
            "rounds[0].tools[1].tool: expected the name of a tool, found nothing",
        ),
        (
            "repeat = 3",
            "wait = 3",
            "rounds[0].wait: expected tools, repeat, latency_s, ttft_s, gap_s, prompt_tokens"
            " or completion_tokens, found the unknown key 'wait'",
        ),
        # Types
        ('name = "good"', "name = 3", "name: expected a string, found 3"),
        ("sessions = 10", "sessions = 1.5", "sessions: expected a whole number, found 1.5"),
        ("sessions = 10", "sessions = true", "sessions: expected a whole number, found true"),
        (
            "concurrency = [1, 10]",
            "concurrency = 5",
            "concurrency: expected an array, found 5",
        ),
        (
            "concurrency = [1, 10]",
            "concurrency = [1, 0]",
            "concurrency[1]: expected at least 1, found 0",
        ),
        (
            'arguments = { query = "q", limit = 3, weight = 1, deep = true }',
            "arguments = 3",
            "rounds[0].tools[0].arguments: expected a table, found 3",
        ),
        (
            'kind = "async"\n',
            'kind = "async"\nin_coroutine = true\n',
            "tools.search.in_coroutine: expected kind blocking or cpu: an async tool is a"
            " coroutine already, found 'async'",
        ),
        (
            'kind = "async"',
            'kind = "coroutine"',
            "tools.search.kind: expected 'async', 'blocking' or 'cpu', found 'coroutine'",
        ),
        (
            'limit = "integer"',
            'limit = "int"',
            "tools.search.parameters.limit:"
            " expected 'string', 'integer', 'number' or 'boolean', found 'int'",
        ),
        # Numbers
        ("sessions = 10", "sessions = 0", "sessions: expected at least 1, found 0"),
        (
            "sessions = 10",
            "sessions = 1_000_001",
            "sessions: expected at most 1000000, found 1000001",
        ),
        (
            "latency_s = 0.2",
            "latency_s = -0.2",
            "tools.search.latency_s: expected a number of at least 0, found -0.2",
        ),
        (
            "latency_s = 0.3",
            "latency_s = nan",
            "rounds[0].tools[1].latency_s: expected a finite number, found nan",
        ),
        (
            "latency_s = 0.5",
            "latency_s = inf",
            "model.latency_s: expected a finite number, found inf",
        ),
        (
            "latency_s = 0.5",
            "latency_s = 1e10",
            "model.latency_s: expected 0 to 1000000000 seconds, found 10000000000.0",
        ),
        (
            "p99 = 2.0",
            "p99 = 1e12",
            "rounds[0].latency_s: expected 0 to 1000000000 seconds, found 1.09444e+16 at p99.9",
        ),
        (
            "p99 = 2.0",
            "p99 = 0.2",
            "rounds[0].latency_s.lognormal.p99:"
            " expected a number of at least median, 0.5, found 0.2",
        ),
        (
            "prompt_tokens = 500",
            "prompt_tokens = 2.5",
            "model.prompt_tokens:"
            " expected a whole number or a distribution of prompt tokens, found 2.5",
        ),
        (
            "prompt_tokens = 500",
            "prompt_tokens = 10_000_001",
            "model.prompt_tokens: expected 0 to 10000000 prompt tokens, found 10000001",
        ),
        (
            "repeat = 3",
            "repeat = 0",
            "rounds[0].repeat: expected 1 to 10000 rounds, found 0",
        ),
        (
            "repeat = 3",
            "repeat = { uniform = { low = 1, high = 20000 } }",
            "rounds[0].repeat: expected 1 to 10000 rounds, found 19980 at p99.9",
        ),
        # Names
        (
            'name = "good"',
            'name = "good one"',
            "name: expected up to 64 letters, digits, '.', '_' or '-', found 'good one'",
        ),
        (
            'description = "A scenario that has everything."',
            'description = "Two\\nlines."',
            "description: expected one line of text, found 'Two\\nlines.'",
        ),
        (
            "[tools.now]",
            '[tools."right now"]',
            "tools['right now']: expected a name of up to 64 letters, digits, '_' or '-',"
            " found 'right now'",
        ),
        (
            'query = "string"',
            'ticket = "string"',
            "tools.search.parameters.ticket:"
            " expected another name, found 'ticket', which the lab adds itself",
        ),
        (
            'query = "string"',
            'from = "string"',
            "tools.search.parameters.from:"
            " expected a Python identifier of up to 64 characters, found 'from'",
        ),
        # Calls
        (
            'tool = "search"',
            'tool = "serach"',
            "rounds[0].tools[0].tool:"
            " expected search or now, found 'serach' (did you mean 'search'?)",
        ),
        (
            "limit = 3",
            "limt = 3",
            "rounds[0].tools[0].arguments.limt: expected query, limit, weight or deep,"
            " found the unknown argument 'limt' (did you mean 'limit'?)",
        ),
        (
            "limit = 3, ",
            "",
            "rounds[0].tools[0].arguments.limit: expected a JSON integer, found nothing",
        ),
        (
            "limit = 3",
            "limit = 3.0",
            "rounds[0].tools[0].arguments.limit: expected a JSON integer, found 3.0",
        ),
        (
            "limit = 3",
            "limit = true",
            "rounds[0].tools[0].arguments.limit: expected a JSON integer, found true",
        ),
        (
            "weight = 1",
            "weight = nan",
            "rounds[0].tools[0].arguments.weight: expected a JSON number, found nan",
        ),
        (
            'query = "q"',
            "query = 2026-11-01",
            "rounds[0].tools[0].arguments.query: expected a JSON string, found a date",
        ),
        (
            'tool = "now", ',
            'tool = "now", arguments = { zone = "UTC" }, ',
            "rounds[0].tools[1].arguments.zone:"
            " expected no arguments, found the unknown argument 'zone'",
        ),
        # Rounds
        (
            "repeat = 3\n",
            "[[rounds]]\n",
            "rounds[1].tools: expected tools in every round but the last, found none",
        ),
        (
            "repeat = 3\n\n[[rounds]]\n",
            "",
            "rounds[0].tools: expected no tools in the last round, the final answer, found 2",
        ),
        # TOML itself
        (
            "sessions = 10",
            "sessions 10",
            "not valid TOML: Expected '=' after a key in a key/value pair (at line 3, column 10)",
        ),
    ],
)
def test_what_does_not_fit_gets_one_line_with_its_place(old: str, new: str, message: str) -> None:
    text = GOOD.replace(old, new, 1)
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "my.toml")
    assert str(caught.value) == f"my.toml: {message}"


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        ("repeat = 2", "rounds[0].repeat: expected no repeat of the last round, the final answer"),
        ('tools = [{ tool = "x" }]', "rounds[0].tools: expected no tools in the last round"),
    ],
)
def test_the_last_round_is_the_answer(addition: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(MINIMAL + addition, "my.toml")
    assert str(caught.value).startswith(f"my.toml: {message}")


def test_a_call_without_any_declared_tool_says_so() -> None:
    text = MINIMAL + 'tools = [{ tool = "x" }]\n[[rounds]]\n'
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "my.toml")
    assert str(caught.value) == (
        "my.toml: rounds[0].tools[0].tool: expected a tool declared under [tools], found 'x'"
    )


@pytest.mark.parametrize("rounds", ["", "rounds = []\n"])
def test_rounds_are_needed(rounds: str) -> None:
    text = rounds + MINIMAL.replace("[[rounds]]\n", "")
    with pytest.raises(ScenarioError, match=r"^my\.toml: rounds: expected at least (one|1)"):
        parse_scenario(text, "my.toml")


def test_the_reserved_argument_cannot_be_passed_either() -> None:
    text = GOOD.replace('query = "q"', 'ticket = "q"')
    with pytest.raises(ScenarioError, match=r"arguments\.ticket: .*unknown argument 'ticket'"):
        parse_scenario(text)


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 100_000,
        "x = " + "{a=" * 100_000,
        "x = 1" + "0" * 10_000,
        "sessions = 0x" + "f" * 10_000,
        "x." * 10_000 + "x = 1",
        '"' + "k" * 100_000 + '" = 1',
    ],
    ids=["arrays", "tables", "decimal", "hexadecimal", "dotted", "key"],
)
def test_monstrous_files_get_a_short_line_too(text: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "my.toml")
    assert len(str(caught.value)) < 300
    assert len(str(caught.value).splitlines()) == 1


class TestFiles:
    def test_a_path_is_loaded(self, tmp_path: Path) -> None:
        path = tmp_path / "good.toml"
        path.write_text(GOOD, encoding="utf-8")
        assert load_scenario(str(path)) == parse_scenario(GOOD)

    @pytest.mark.parametrize("ending", ["\n", "\r\n"])
    def test_a_file_from_another_editor_is_loaded(self, tmp_path: Path, ending: str) -> None:
        path = tmp_path / "good.toml"
        path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", ending).encode())
        assert load_scenario(str(path)) == parse_scenario(GOOD)

    def test_errors_name_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "bad.toml"
        path.write_text(GOOD.replace("sessions = 10", "sessions = -1"), encoding="utf-8")
        with pytest.raises(ScenarioError) as caught:
            load_scenario(str(path))
        assert str(caught.value) == f"{path}: sessions: expected at least 1, found -1"

    def test_a_missing_one_is_answered_with_the_built_in_names(self) -> None:
        with pytest.raises(ScenarioError) as caught:
            load_scenario("reserch")
        assert str(caught.value) == (
            "reserch: expected a file or a built-in scenario, found neither"
            " (did you mean 'research'?); built in are blocking-blunder, busy-model, chat,"
            " coding-agent, cpu-tool, flaky-model, research, tools and two-sleeps"
        )

    def test_a_directory(self, tmp_path: Path) -> None:
        with pytest.raises(ScenarioError) as caught:
            load_scenario(str(tmp_path))
        assert str(caught.value) == f"{tmp_path}: expected a file, found a directory"

    def test_not_utf8(self, tmp_path: Path) -> None:
        path = tmp_path / "latin.toml"
        path.write_bytes('name = "x"\ndescription = "Café"\n'.encode("latin-1"))
        with pytest.raises(ScenarioError) as caught:
            load_scenario(str(path))
        assert str(caught.value) == f"{path}: expected UTF-8, found byte 0xe9 in line 2"

    def test_an_unreadable_file(self, tmp_path: Path) -> None:
        path = tmp_path / "secret.toml"
        path.write_text(GOOD, encoding="utf-8")
        path.chmod(0)
        if os.access(path, os.R_OK):
            pytest.skip("this user may read everything")
        with pytest.raises(ScenarioError) as caught:
            load_scenario(str(path))
        assert str(caught.value) == f"{path}: cannot be read: Permission denied"

    @pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
    def test_a_file_without_end(self) -> None:
        with pytest.raises(ScenarioError) as caught:
            load_scenario("/dev/zero")
        assert str(caught.value) == "/dev/zero: expected at most 1048576 bytes, found more"

    @pytest.mark.parametrize("name", ["", "a\0b", "a\nb", "x" * 5000, "chat/x", "../nowhere"])
    def test_odd_names_get_one_line(self, name: str) -> None:
        with pytest.raises(ScenarioError) as caught:
            load_scenario(name)
        assert len(str(caught.value).splitlines()) == 1


class TestBuiltIn:
    def test_their_names(self) -> None:
        assert builtin_scenarios() == (
            "blocking-blunder",
            "busy-model",
            "chat",
            "coding-agent",
            "cpu-tool",
            "flaky-model",
            "research",
            "tools",
            "two-sleeps",
        )

    @pytest.mark.parametrize("name", builtin_scenarios())
    def test_each_is_named_like_its_file_and_states_its_claim(self, name: str) -> None:
        scenario = load_scenario(name)
        assert scenario.name == name
        assert scenario.description.endswith(".")
        assert scenario.concurrency

    @pytest.mark.parametrize("name", builtin_scenarios())
    def test_each_is_small_enough_to_be_tried_at_once(self, name: str) -> None:
        """At about a millisecond of CPU a model call, a cell stays under a second."""
        scenario = load_scenario(name)
        rounds = sum(part.repeat.mean for part in scenario.rounds)
        assert scenario.sessions * rounds <= 500

    def test_research_has_async_tools_only(self) -> None:
        kinds = {tool.kind for tool in load_scenario("research").tools.values()}
        assert kinds == {ToolKind.ASYNC}


# --------------------------------------------------- whatever the table, one of two ends

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


@settings(deadline=None, max_examples=300)
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
