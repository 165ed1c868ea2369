"""Scenarios: what a file may say, and the one line that it gets for anything else."""

import re

import pytest
from warpbench.mocks import scenario as scenario_module
from warpbench.mocks.errors import ScenarioError
from warpbench.mocks.scenario import JsonType, Timing, ToolKind, parse_scenario
from warpbench.mocks.scenario.diagnostics import listed
from warpbench.mocks.scenario.distributions import Constant, Lognormal
from warpbench.mocks.scenario.faults import FaultKind

pytestmark = pytest.mark.once

OF_SERVICES = listed([kind for kind in FaultKind if not kind.alters_answer])

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
            " completion_tokens, prefill_tokens_per_s, prefix_cache or limits,"
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
            "rounds[0].wait: expected tools, repeat, latency_s, ttft_s, gap_s, prompt_tokens,"
            " completion_tokens or turn, found the unknown key 'wait'",
        ),
        (
            "latency_s = 0.5",
            "requests_per_minute = 60",
            "model.requests_per_minute: expected latency_s, ttft_s, gap_s, tokens_per_chunk,"
            " prompt_tokens, completion_tokens, prefill_tokens_per_s, prefix_cache or limits,"
            " found the unknown key 'requests_per_minute', which is a key of limits",
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
            " expected 'string', 'integer', 'number' or 'boolean', found 'int' (did you mean"
            " 'integer'?)",
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
            "not TOML (Expected '=' after a key in a key/value pair (at line 3, column 10))",
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
    assert len(str(caught.value)) < 400
    assert len(str(caught.value).splitlines()) == 1


SERVICE = """
[[services]]
name = "weather"
url = "https://weather.example.com/*"
latency_s = 0.1
"""


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("json = { at = 2024-01-01 }", "services[0].json: expected values that JSON has"),
        ("json = { at = nan }", "services[0].json: expected values that JSON has"),
        (
            'status = 204\nbody = "x"',
            "services[0].body: expected no body, since status 204 has none",
        ),
    ],
)
def test_what_no_service_can_answer_is_refused(more: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(message)):
        parse_scenario(f"{MINIMAL}{SERVICE}{more}\n", "my.toml")


def test_a_pattern_that_is_no_address_is_refused() -> None:
    text = SERVICE.replace("https://weather.example.com/*", "http://[x/*")
    with pytest.raises(ScenarioError, match=r"services\[0\].url: expected a pattern"):
        parse_scenario(MINIMAL + text, "my.toml")


def test_a_mixture_of_very_many_is_refused() -> None:
    parts = ", ".join(["{ weight = 1, constant = 0.1 }"] * 17)
    text = MINIMAL + SERVICE.replace("latency_s = 0.1", f"latency_s = {{ mixture = [{parts}] }}")
    with pytest.raises(ScenarioError, match="at most 16 components"):
        parse_scenario(text, "my.toml")


def test_a_service_has_faults_of_its_own() -> None:
    fault = '[[services.faults]]\nkind = "connect_error"\nattempts = [1]\n'
    (service,) = parse_scenario(MINIMAL + SERVICE + fault).services
    (struck,) = service.faults
    assert (struck.kind, struck.attempts) == (FaultKind.CONNECT_ERROR, {1})


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            'kind = "empty_answer"\nprobability = 0.1',
            f"kind: expected {OF_SERVICES}, found empty_answer, which a service cannot have",
        ),
        (
            'kind = "reset"\nsessions = [1]',
            "sessions: expected probability or attempts, found sessions,"
            " which a service does not know",
        ),
        ('kind = "reset"', " expected probability or attempts, found neither"),
    ],
)
def test_what_no_fault_of_a_service_can_be_is_refused(fault: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(f"{MINIMAL}{SERVICE}[[services.faults]]\n{fault}", "my.toml")
    assert f"services[0].faults[0]{'.' if message[0] != ' ' else ':'}{message}" in str(caught.value)
