"""Child processes: waited for with a limit, ended in any case, and quoted in one line."""

import sys
import time
from types import SimpleNamespace

import pytest
from warpbench.mocks.child_process import Child, ChildError, exit_reason, last_line, run_to_end

LIMIT_S = 60.0


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_what_a_command_writes_is_returned() -> None:
    assert run_to_end(python("print('found')"), LIMIT_S) == "found\n"


@pytest.mark.parametrize(
    ("code", "reason", "output"),
    [
        ("import sys; sys.exit('first\\nlast words')", "last words", "first last words"),
        ("import sys; sys.exit(3)", "(no output)", ""),
    ],
)
def test_a_command_that_fails_is_quoted(code: str, reason: str, output: str) -> None:
    with pytest.raises(ChildError) as raised:
        run_to_end(python(code), LIMIT_S)

    assert str(raised.value) == reason
    assert raised.value.output == output


def test_a_command_that_is_not_there_is_named() -> None:
    with pytest.raises(ChildError, match="no-such-program cannot be run: No such file"):
        run_to_end(["no-such-program"], LIMIT_S)


def test_a_command_that_takes_too_long_is_killed() -> None:
    with pytest.raises(ChildError, match=r"no result within 0\.2 s"):
        run_to_end(python("import time; time.sleep(60)"), 0.2)


ECHO = "import sys\nfor line in sys.stdin: print(line.strip().upper(), flush=True)"


def test_a_child_answers_line_by_line() -> None:
    with Child(python(ECHO), ends_within_s=LIMIT_S) as child:
        child.write(b"one\n")
        assert child.line(LIMIT_S) == "ONE\n"
        child.write(b"two\n")
        assert child.line(LIMIT_S) == "TWO\n"


def test_a_child_that_crashes_is_quoted() -> None:
    with Child(python("raise SystemExit('no room')")) as child:
        with pytest.raises(ChildError, match=r"^crashed: no room$"):
            child.line(LIMIT_S)
        child.write(b"nobody reads this\n")


def test_a_child_that_does_not_answer_has_hung() -> None:
    with Child(python(ECHO)) as child, pytest.raises(ChildError, match=r"hung: no answer within"):
        child.line(0.05)


STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""


def test_a_child_that_ignores_everything_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warpbench.mocks.child_process._TERMINATES_WITHIN_S", 0.05)
    began_s = time.monotonic()
    child = Child(python(STUBBORN))
    assert child.line(LIMIT_S) == "ready\n"

    child.end()

    assert time.monotonic() - began_s < 600
    with pytest.raises(ValueError, match="closed"):
        child.line(0)


def test_the_last_line_speaks_for_a_process() -> None:
    assert last_line("Traceback\n  deep\nValueError: too deep \n\n") == "ValueError: too deep"
    assert last_line(" \n") == "(no output)"


@pytest.mark.parametrize(
    ("status", "reason"),
    [(0, "exited with status 0"), (3, "exited with status 3"), (-9, "killed by SIGKILL")],
)
def test_a_status_says_how_a_process_ended(status: int, reason: str) -> None:
    assert exit_reason(status) == reason
    assert exit_reason(-200) == "killed by signal 200"


def test_the_time_to_end_counts_from_when_a_child_was_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So several that were told together, and go on, are waited for as long as one of them."""
    now_s = [0.0]
    clock = SimpleNamespace(monotonic=lambda: now_s[0])
    monkeypatch.setattr("warpbench.mocks.child_process.time", clock)
    began_s = time.monotonic()
    child = Child(python("import time; time.sleep(1200)"), ends_within_s=600.0)
    child.hang_up()
    now_s[0] = 600.0

    child.end()

    assert time.monotonic() - began_s < 600
