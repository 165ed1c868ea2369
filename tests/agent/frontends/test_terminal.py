"""The chat in a terminal: with its seams, and as a program on a real pseudo-terminal."""

import asyncio
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvloop
from warpbench.agent import Agent
from warpbench.agent.frontends.lines import Lines
from warpbench.agent.frontends.terminal import TerminalChat, main
from warpbench.agent.mcp import McpTools
from warpbench.agent.mcp.samples import sample_server
from warpbench.agent.mcp.server import create_app

from ...http_libraries import sdk_http
from ..fake_model import FakeModel
from ..scripted import Model, call, calls, final
from ..serving import Served, serving
from ..virtual import in_virtual_time

OPEN_S = 120.0


class Screen:
    """Somebody who types what the script says, and what they see."""

    def __init__(self, *lines: Any) -> None:
        self._lines = iter(lines)
        self.seen = ""

    def write(self, text: str) -> None:
        self.seen += text

    async def read_line(self) -> str | None:
        line = next(self._lines, None)
        if callable(line):
            line = await line()
        return line


def chat(model: Model, screen: Screen, *tools: Any) -> Callable[[], Any]:
    async def run() -> None:
        async with model.async_client() as client, Agent(tools, async_client=client) as agent:
            await TerminalChat(agent, screen.read_line, screen.write).run()

    return run


def test_a_chat_is_one_conversation_shown_as_it_comes() -> None:
    def look(at: str) -> str:
        raise LookupError("too dark")

    model = Model([calls(call("look", at="the sky")), final("Nothing."), final("Ada.")])
    screen = Screen(
        "What do you see?", "", "Who am I?", "/summary", "/help", "/clear", "/exit", "x"
    )
    asyncio.run(chat(model, screen, look)())
    assert '[look {"at": "the sky"}]' in screen.seen
    assert "LookupError: too dark" in screen.seen
    assert "Nothing." in screen.seen
    assert "2 turns, 6 messages, 1 tool calls" in screen.seen
    assert "/clear forgets" in screen.seen
    assert len(model.bodies[2]["messages"]) == 5
    assert len(model.requests) == 3


def test_an_error_is_one_line_and_the_chat_goes_on() -> None:
    model = Model([sdk_http.Response(400, json={"error": {"message": "no"}}), final("Better.")])
    screen = Screen("one", "two")
    asyncio.run(chat(model, screen)())
    assert "(error: BadRequestError" in screen.seen
    assert "Better." in screen.seen


def test_what_a_model_says_does_not_command_the_terminal() -> None:
    screen = Screen("one")
    asyncio.run(chat(Model([final("\x1b]0;owned\x07a\tb\nc\x1b[2J")]), screen)())
    assert "]0;owneda\tb\nc[2J" in screen.seen


def test_slow_typing_stops_nobody_else_on_the_loop() -> None:
    async def slowly() -> str:
        await asyncio.sleep(10)
        return "hello"

    ticks = 0

    async def run() -> None:
        nonlocal ticks
        chatting = asyncio.create_task(chat(Model([final()] * 3), Screen(slowly, slowly))())
        while not chatting.done():
            await asyncio.sleep(1)
            ticks += 1

    in_virtual_time(run)
    assert ticks >= 20


def test_a_connection_to_an_mcp_server_is_served_while_somebody_types() -> None:
    """On one loop: the chat waits for a line that does not come, and calls go through."""
    reading, typing = os.pipe()

    async def run(address: str) -> str:
        screen = Screen()
        model = Model([calls(call("add", a=1, b=2)), final("Three.")])
        async with (
            McpTools(address) as server,
            model.async_client() as client,
            Agent(server.tools, async_client=client) as agent,
            Lines(reading) as lines,
        ):
            chatting = asyncio.create_task(TerminalChat(agent, lines.next, screen.write).run())
            add = next(tool for tool in server.tools if tool.name == "add")
            for key in b"Add one and two.\n":
                # A letter, and a call that has to go there and back before the next one.
                os.write(typing, bytes([key]))
                assert await asyncio.wait_for(_call(add.function, a=1, b=1), OPEN_S) == "2.0"
            os.write(typing, b"/exit\n")
            await chatting
        assert model.tool_texts() == ["3.0"]
        return screen.seen

    try:
        with serving(create_app(sample_server())) as served:
            assert "Three." in asyncio.run(run(f"ws://127.0.0.1:{served.port}/ws"))
    finally:
        os.close(reading)
        os.close(typing)


async def _call(function: Callable[..., Any], **arguments: object) -> object:
    return await function(**arguments)


def test_lines_come_from_a_pipe_in_pieces_however_they_fall() -> None:
    async def run() -> list[str | None]:
        reading, writing = os.pipe()
        try:
            async with Lines(reading) as lines:
                got = []
                for piece in (b"one\ntw", b"o\r\nthr", b"ee \xc3", b"\xa9\n\nlast"):
                    os.write(writing, piece)
                    await asyncio.sleep(0)
                os.close(writing)
                while (line := await lines.next()) is not None:
                    got.append(line)
                assert await lines.next() is None
                return [*got]
        finally:
            os.close(reading)

    expected = ["one", "two", "three é", "", "last"]
    assert asyncio.run(run()) == expected
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(run()) == expected


def test_lines_come_from_a_file_too(tmp_path: Any) -> None:
    (tmp_path / "typed").write_text("one\ntwo")

    async def run() -> list[str | None]:
        with (tmp_path / "typed").open() as file:
            async with Lines(file.fileno()) as lines:
                return [await lines.next() for _ in range(3)]

    assert asyncio.run(run()) == ["one", "two", None]


ON_ITS_OWN_TERMINAL = """
import fcntl, runpy, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C typed there is its signal
runpy.run_module("warpbench.agent.frontends.terminal", run_name="__main__")
"""


class Terminal:
    """A program on a pseudo-terminal."""

    def __init__(self, *options: str) -> None:
        self._ours, theirs = pty.openpty()
        self.program = subprocess.Popen(
            [sys.executable, "-c", ON_ITS_OWN_TERMINAL, *options],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, "OPENAI_API_KEY": "sk-secret"},
        )
        os.close(theirs)
        self.seen = ""

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def expect(self, text: str) -> None:
        begin_s = time.monotonic()
        while text not in self.seen:
            assert time.monotonic() < begin_s + OPEN_S, f"{text!r} did not come: {self.seen!r}"
            if select.select([self._ours], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self._ours, 4096).decode(errors="replace")
                except OSError:
                    break
        assert text in self.seen
        self.seen = self.seen.partition(text)[2]

    def close(self) -> None:
        self.program.kill()
        self.program.wait()
        os.close(self._ours)


@pytest.fixture(scope="module")
def fake() -> Iterator[tuple[FakeModel, Served]]:
    model = FakeModel()
    with serving(model.app) as served:
        yield model, served


@contextmanager
def terminal(served: Served) -> Iterator[Terminal]:
    opened = Terminal("--base-url", f"http://127.0.0.1:{served.port}/v1")
    try:
        opened.expect("> ")
        yield opened
    finally:
        opened.close()


def test_ctrl_c_cancels_the_answer_and_the_second_one_at_the_prompt_ends_the_program(
    fake: tuple[FakeModel, Served],
) -> None:
    model, served = fake
    with terminal(served) as opened:
        opened.type("hello\n")
        opened.expect("You said: hello")
        opened.expect("> ")
        opened.type("stall here\n")
        opened.expect("You ")
        opened.type("\x03")
        opened.expect("(cancelled; the conversation is as it was)")
        opened.expect("> ")
        opened.type("and now?\n")
        opened.expect("You said: and now?")
        assert [m["content"] for m in model.bodies[-1]["messages"]] == [
            "hello",
            "You said: hello",
            "and now?",
        ]
        opened.expect("> ")
        opened.type("\x03")
        opened.expect("(Ctrl-C again, Ctrl-D or /exit ends the chat)")
        opened.expect("> ")
        opened.type("still here\n")
        opened.expect("You said: still here")
        opened.expect("> ")
        opened.type("\x03")
        opened.expect("> ")
        opened.type("\x03")
        assert opened.program.wait(OPEN_S) == 0
    begin_s = time.monotonic()
    while model.hung_up < 1:
        assert time.monotonic() < begin_s + OPEN_S, "the connection was not closed"
        time.sleep(0.01)


def test_ctrl_d_ends_it() -> None:
    ours, theirs = pty.openpty()
    model, screen = Model([final("Hello.")]), Screen()

    async def run() -> None:
        async with (
            model.async_client() as client,
            Agent(async_client=client) as agent,
            Lines(theirs) as lines,
        ):
            chatting = asyncio.create_task(TerminalChat(agent, lines.next, screen.write).run())
            os.write(ours, b"hello\n\x04")
            await asyncio.wait_for(chatting, OPEN_S)

    try:
        asyncio.run(run())
    finally:
        os.close(ours)
        os.close(theirs)
    assert "Hello." in screen.seen


def test_it_reads_a_pipe(fake: tuple[FakeModel, Served]) -> None:
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "warpbench.agent.frontends.terminal"),
            *("--base-url", f"http://127.0.0.1:{fake[1].port}/v1"),
        ],
        input="one\ntwo\n",
        env={**os.environ, "OPENAI_API_KEY": "sk-secret"},
        capture_output=True,
        text=True,
        timeout=OPEN_S,
        check=True,
    )
    assert "You said: one" in ran.stdout
    assert "You said: two" in ran.stdout
    assert ran.stderr == ""


@pytest.mark.parametrize(
    ("options", "key", "complaint"),
    [
        (["--modle", "x"], "sk", "unrecognized arguments: --modle x"),
        ([], "", "OPENAI_API_KEY is not set"),
        (["--mcp", "nowhere"], "sk", "expected http(s)://"),
    ],
)
def test_what_cannot_begin_is_one_line_and_status_2(
    options: list[str],
    key: str,
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line
