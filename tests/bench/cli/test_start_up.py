"""What happens before and around a command: nothing heavy is imported, every end is quiet."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest
from warpbench.bench.cli import app
from warpbench.bench.cli.main import main

from ...conftest import TIMEOUT_S

HEAVY = ("pydantic", "openai", "httpx", "httpx2", "matplotlib", "numpy", "scipy", "jinja2")
SLOW_START = """
    import builtins, sys, time
    from warpbench.bench.cli.main import main

    real = builtins.__import__

    def slow(name, *more, **options):
        if name == "cyclopts":
            print("starting", flush=True)
            time.sleep(60)
        return real(name, *more, **options)

    builtins.__import__ = slow
    sys.exit(main(["list"]))
"""


def python(script: str, **options: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    """By none of these: one process runs them all."""
    done = python(f"""
        import sys
        from warpbench.bench.cli.main import main
        for words in (["--help"], ["list"], ["run", "--help"], ["run", "--foo"]):
            main(words)
            print(words, *sorted(set(sys.modules) & {set(HEAVY)!r}), file=sys.stderr)
    """)

    *_, help_line, list_line, run_help_line, refusal, foo_line = done.stderr.splitlines()
    assert help_line == "['--help']"
    assert list_line == "['list']"
    assert run_help_line == "['run', '--help']"
    assert "--foo" in refusal
    assert foo_line == "['run', '--foo']"


@pytest.mark.parametrize(
    ("number", "status", "line"),
    [
        (signal.SIGINT, 130, "warpbench: interrupted\n"),
        (signal.SIGTERM, 143, "warpbench: terminated\n"),
    ],
)
def test_a_signal_during_start_up_is_one_line(
    number: signal.Signals, status: int, line: str
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SLOW_START)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "starting\n"

    process.send_signal(number)
    _, errors = process.communicate(timeout=TIMEOUT_S)

    assert (process.returncode, errors) == (status, line)


@pytest.mark.parametrize("words", [["--help"], ["list"], ["learn", "blocking-call"]])
def test_a_closed_pipe_ends_quietly(words: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "warpbench", *words],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        os.close(writer)

    _, errors = process.communicate(timeout=TIMEOUT_S)

    assert (process.returncode, errors) == (0, "")


def test_a_broken_pipe_that_is_not_the_output_is_not_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_arguments: list[str]) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(app, "run", broken)

    with pytest.raises(BrokenPipeError):
        main(["list"])


@pytest.mark.parametrize(
    ("number", "status", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_signal_ends_a_command_with_its_status(
    number: signal.Signals,
    status: int,
    word: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(app, "run", lambda _arguments: signal.raise_signal(number))

    assert main(["list"]) == status
    assert capsys.readouterr().err == f"warpbench: {word}\n"


def test_sigterm_gives_a_command_the_time_that_ctrl_c_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may catch KeyboardInterrupt, keep what is finished, and say that it was interrupted."""

    def keeps_what_is_finished(_arguments: list[str]) -> int:
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            return 130
        return 0

    monkeypatch.setattr(app, "run", keeps_what_is_finished)

    assert main([]) == 143


def test_no_handler_of_a_signal_is_left_behind() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    assert main(["--version"]) == 0

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_python_m_warpbench_is_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "warpbench", "--version"],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    assert done.stdout.startswith("warpbench ")
