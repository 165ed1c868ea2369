"""The entry point: runs one command, and turns what ends it early into a line and a status.

Only what costs no time is imported before the first ``try``, so that Ctrl-C during start-up is one
line, too.
"""

import atexit
import contextlib
import gc
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator, Sequence

from .exit_status import DONE, INTERRUPTED, NOT_DONE, TERMINATED


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status.

    Args:
        arguments: What follows the command's name; by default the process's own.
    """
    if arguments is None:
        # At its end the interpreter looks through all objects, several times over: 0.4 s of them.
        atexit.register(gc.freeze)
    received: list[int] = []
    try:
        with _sigterm_like_ctrl_c(received):
            from .app import run  # noqa: PLC0415 - here, Ctrl-C is one line
            from .redacted_output import redacted_output  # noqa: PLC0415

            with redacted_output():
                status = run(sys.argv[1:] if arguments is None else list(arguments))
            sys.stdout.flush()  # a pipe that was closed shows here, not at the interpreter's end
    except KeyboardInterrupt:
        how = "terminated" if received else "interrupted"
        print(f"warpbench: {how}", file=sys.stderr)  # noqa: T201
        status = INTERRUPTED
    except BrokenPipeError:
        if not _has_no_reader():
            raise
        _forget_stdout()
        return DONE
    except OSError as error:
        # What the lab reads and writes itself has told its reason: what is left is the output.
        print(f"warpbench: {_output_problem(error)}", file=sys.stderr)  # noqa: T201
        with contextlib.suppress(OSError, ValueError):  # replaced by something without a file
            _forget_stdout()
        return NOT_DONE
    except SystemExit as stop:
        # rich, which prints tables, makes exit(1) of a closed pipe, and has replaced it already.
        if not isinstance(stop.__context__, BrokenPipeError):
            raise
        return DONE
    return TERMINATED if received and status == INTERRUPTED else status


@contextlib.contextmanager
def _sigterm_like_ctrl_c(received: list[int]) -> Iterator[None]:
    """Let SIGTERM end this scope as Ctrl-C would, and note that it came.

    Here alone SIGTERM is given a meaning: everything below knows ``KeyboardInterrupt`` and the
    exit status of it, whichever signal has come.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def terminate(number: int, _frame: object) -> None:
        received.append(number)
        if signal.getsignal(signal.SIGINT) in {signal.SIG_IGN, signal.SIG_DFL}:
            raise KeyboardInterrupt
        # Where Ctrl-C is held back for a moment, or caught by an event loop, so is this.
        signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _has_no_reader() -> bool:
    """Whether standard output is a pipe whose reader has gone, as behind ``| head``."""
    try:
        output = sys.stdout.fileno()
    except (OSError, ValueError):  # replaced by something without a file
        return False
    poll = select.poll()
    poll.register(output, 0)
    return any(events & select.POLLERR for _, events in poll.poll(0))


def _output_problem(error: OSError) -> str:
    from ...mocks.input_files import file_name, system_reason  # noqa: PLC0415 - as late as run

    named = "standard output" if error.filename is None else file_name(error.filename)
    return f"{named}: {system_reason(error)}"


def _forget_stdout() -> None:
    """Let what the interpreter still writes at its end go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
