"""Targets: anybody's agent runs unchanged, and is held to the waits that it meets."""

import colorsys
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from warpbench.bench.results.records import SessionCounts
from warpbench.bench.results.reference import Reference
from warpbench.bench.targets.loading import load_factory
from warpbench.bench.testing.lab import LabResult, run_cell, spec_of
from warpbench.bench.trial.spec import NotApplicable
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.errors import TargetError

Warpbench = Any
VIRTUAL = ("--json", "--clock", "virtual", "--sessions", "4", "--concurrency", "4")

TARGETS = """
    import asyncio, json
    from openai import AsyncOpenAI, OpenAI

    TOOLS = [
        {"type": "function", "function": {"name": name, "parameters": {
            "type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}}}
        for name in ("own_slow", "own_quick")
    ]

    def own_tools():
        client = AsyncOpenAI()

        async def session(task):
            messages = [{"role": "user", "content": task}]
            while True:
                completion = await client.chat.completions.create(
                    model="m", messages=messages, tools=TOOLS)
                message = completion.choices[0].message
                messages.append(message)
                if not message.tool_calls:
                    return message.content
                for call in message.tool_calls:
                    assert isinstance(json.loads(call.function.arguments)["n"], int)
                    await asyncio.sleep(0.25 if call.function.name == "own_slow" else 0)
                    messages.append(
                        {"role": "tool", "tool_call_id": call.id, "content": "done"})
        return session

    def no_tools():
        client = OpenAI()
        def session(task):
            return client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": task}]
            ).choices[0].message.content
        return session

    def gives_up_early():
        client = AsyncOpenAI()
        async def session(task):
            await client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": task}], tools=TOOLS)
            return "enough"
        return session

    def too_slow():
        async def session(task):
            async with asyncio.timeout(0.1):
                await asyncio.sleep(1)
        return session

    def loses_the_task():
        client = AsyncOpenAI(max_retries=0)
        async def session(task):
            await client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "hello"}])
        return session

    def reaches_out():
        import urllib.request
        def session(task):
            urllib.request.urlopen("http://192.0.2.1/secrets")
        return session

    class Service:
        async def __aenter__(self):
            self.client = AsyncOpenAI()
            self.loop = asyncio.get_running_loop()
            return self

        async def __aexit__(self, *_):
            assert asyncio.get_running_loop() is self.loop
            await self.client.close()
            with open("closed", "a") as file:
                file.write("closed ")

        async def session(self, task):
            assert asyncio.get_running_loop() is self.loop
            completion = await self.client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": task}])
            return completion.choices[0].message.content

        def sync_session(self, task):
            return no_tools()(task)

    def to_be_opened():
        return Service()

    async def async_factory():
        await asyncio.sleep(3)
        return Service()

    async def of_no_session():
        return 5

    class Broken(Service):
        async def __aexit__(self, *_):
            raise OSError("the connection is lost")

    class Shut(Service):
        async def __aenter__(self):
            raise OSError("no such database")
"""


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Write the module of a target, to be imported by this process from the current directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    names = []

    def write(name: str, source: str) -> None:
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
        names.append(name)

    yield write
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def theirs(written: Callable[..., None]) -> None:
    written("theirs", TARGETS)


def run(target: str, strategy: str, loop: str = "uvloop") -> LabResult:
    spec = spec_of(target, scenario="tools", strategy=strategy, loop=loop, sessions=4)
    return run_cell(spec, target)


@pytest.mark.usefixtures("theirs")
def test_a_target_with_tools_of_its_own_is_compared_with_itself_alone(warpbench: Warpbench) -> None:
    options = ("--target", "theirs:own_tools", "--strategy", "gather", "--loop", "uvloop")
    finished = warpbench("run", "tools", *VIRTUAL, *options)

    assert finished.status == 0, finished.err
    (found,) = finished.cells
    assert found["sessions"]["succeeded"] == 4
    # Of the four calls of a round, in turn, two go to the slow tool: 0.5 s. So it is alone, too.
    assert found["ideal_makespan_s"] == found["makespan_s"] == 1.5
    assert found["reference"] == "solo"
    assert (found["llm_calls"], found["tool_calls"]) == (8, 0)


@pytest.mark.usefixtures("theirs")
def test_without_tools_one_call_is_the_whole_script() -> None:
    found = run("theirs:no_tools", "threads")

    assert found.sessions.succeeded == 4
    assert found.makespan == found.ideal.makespan == 0.5
    assert found.llm_calls == 4


@pytest.mark.usefixtures("theirs")
def test_a_form_that_a_target_lacks_is_not_applicable() -> None:
    spec = spec_of("theirs:no_tools", scenario="tools", sessions=4)
    with prepared_here(spec, "theirs:no_tools") as found:
        assert found == NotApplicable("the target has no async session")


@pytest.mark.usefixtures("theirs")
@pytest.mark.parametrize(
    ("target", "strategy", "outcome", "expected"),
    [
        ("too_slow", "gather", "timed_out", "TimeoutError"),
        ("reaches_out", "sync", "failed", "GET http://192.0.2.1/secrets is not mocked"),
    ],
)
def test_a_session_that_does_not_work_is_counted_and_explained(
    target: str, strategy: str, outcome: str, expected: str
) -> None:
    found = run(f"theirs:{target}", strategy)

    assert found.sessions == SessionCounts(started=4, **{outcome: 4})
    assert found.efficiency is None
    assert all(expected in error for error in found.errors)


@pytest.mark.usefixtures("theirs")
@pytest.mark.parametrize("target", ["gives_up_early", "loses_the_task"])
def test_what_a_session_asks_is_its_own_affair(target: str) -> None:
    found = run(f"theirs:{target}", "gather")

    assert found.sessions.succeeded == found.llm_calls == 4
    assert found.model_requests.by_context == 4
    assert found.reference is Reference.SOLO
    assert found.efficiency == 1


def test_the_bare_sdk_loop_meets_the_same_waits_as_the_agent(warpbench: Warpbench) -> None:
    finished = warpbench(
        "run", "tools", *VIRTUAL, "--target", "agent,bare-sdk", "--strategy", "gather,threads",
        "--loop", "asyncio",
    )  # fmt: skip

    cells = finished.structure
    for cell in cells:
        cell["vitals"].pop("threads")  # the agent gives tools threads of their own
        for node in (cell["data_flow"] or {"nodes": []})["nodes"]:  # one cell of each target has it
            node.pop("place")
    of_agent, of_bare = (
        [cell for cell in cells if cell["cell"]["target"] == target]
        for target in ("agent", "bare-sdk")
    )
    assert [cell["cell"]["strategy"] for cell in of_agent] == ["gather", "threads"]
    assert any(cell["data_flow"] for cell in of_agent)
    assert [cell["efficiency"] for cell in of_agent] == [1.0, 1.0]
    assert [{**bare, "cell": {**bare["cell"], "target": "agent"}} for bare in of_bare] == of_agent


@pytest.mark.usefixtures("theirs")
@pytest.mark.parametrize("strategy", ["gather", "threads"])
@pytest.mark.parametrize("target", ["to_be_opened", "async_factory"])
def test_one_that_is_to_be_opened_is_open_while_its_sessions_run_and_closed_after(
    target: str, strategy: str, tmp_path: Path
) -> None:
    found = run(f"theirs:{target}", strategy)

    assert found.sessions.succeeded == 4
    assert found.makespan == 0.5
    (closed,) = tmp_path.rglob("closed")
    assert set(closed.read_text().split()) == {"closed"}


@pytest.mark.usefixtures("theirs")
@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("of_no_session", "its factory returned int; expected a session"),
        ("Broken", "closing it raised OSError: the connection is lost"),
        ("Shut", "opening it raised OSError: no such database"),
    ],
)
def test_one_that_cannot_be_made_opened_or_closed_is_told(target: str, expected: str) -> None:
    with pytest.raises(TargetError, match=expected):
        run(f"theirs:{target}", "gather")


@pytest.mark.usefixtures("theirs")
def test_that_is_told_in_a_line(warpbench: Warpbench) -> None:
    options = ("--target", "theirs:Shut", "--strategy", "gather", "--loop", "uvloop")
    finished = warpbench("run", "tools", *VIRTUAL, *options)
    assert finished.status == 2
    assert "opening it raised OSError: no such database" in " ".join(finished.err.split())


MODULE = """
    def build(): ...
    def build_streaming(lab): ...
    def needs_two(one, two): ...
    def _private(): ...
    LIMIT = 5
"""


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("agnt", "did you mean 'agent'?"),
        ("mine", "what 'mine' has is mine:build or mine:build_streaming"),
        ("mine.py", "what 'mine' has is mine:build or mine:build_streaming"),
        ("mine.py:build", "'mine.py' is a file: expected the name of its module, as in mine:build"),
        ("mine:buid", "module 'mine' has no 'buid' (did you mean 'build'?); what 'mine' has is"),
        ("mine:LIMIT", "expected a factory, found int; what 'mine' has is mine:build or"),
        ("empty:build", "no function of 'empty' takes no argument or one"),
        ("nowhere", "expected module:factory or one of agent, agent-streaming, bare-sdk,"),
        (":build", "expected module:factory"),
    ],
)
def test_a_misspelt_name_is_answered_with_those_there_are(
    target: str, expected: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(textwrap.dedent(MODULE))
    (tmp_path / "empty.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for module in ("mine", "empty"):
        monkeypatch.delitem(sys.modules, module, raising=False)

    with pytest.raises(TargetError) as error:
        load_factory(target)

    assert expected in str(error.value)


SKIPS = """
    from openai import AsyncOpenAI

    def build(lab):
        client = AsyncOpenAI()
        declared = [{"type": "function", "function": {
            "name": f"trips-{tool.name}", "parameters": dict(tool.parameters)}}
            for tool in lab.tools]

        async def session(task):
            messages = [{"role": "user", "content": task}]
            while True:
                completion = await client.chat.completions.create(
                    model="m", messages=messages, tools=declared)
                message = completion.choices[0].message
                messages.append(message)
                if not message.tool_calls:
                    return message.content
                for call in message.tool_calls:
                    messages.append(
                        {"role": "tool", "tool_call_id": call.id, "content": "made up"})
        return session
"""


def test_a_session_that_makes_the_tools_results_up_has_failed(
    written: Callable[..., None],
) -> None:
    written("skips", SKIPS)

    found = run("skips:build", "gather", "asyncio")

    assert found.sessions == SessionCounts(started=4, failed=4)
    assert all("did not run 4 of the 4 tool calls" in error for error in found.errors)


def test_a_file_that_an_installed_module_hides_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "colorsys.py").write_text("def build(): ...\n")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(TargetError, match=r"colorsys\.py of this directory") as hidden:
        load_factory("colorsys:build")

    (tmp_path / "of_nobody_else.py").write_text("def made(): ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(TargetError, match="of_nobody_else:made") as seen:
        load_factory("of_nobody_else:build")

    assert str(Path(colorsys.__file__)) in str(hidden.value)
    assert "rename" not in str(seen.value)
