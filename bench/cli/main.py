"""The command line: parses, hands over to a command, and turns errors into one line and a status.

This is the composition root. Nobody imports it.
"""

import argparse
import sys
from collections.abc import Sequence

from ...mocks.errors import WarpbenchError
from . import (
    advise,
    baseline,
    compare,
    doctor,
    export,
    gate,
    history,
    import_trace,
    learn,
    listing,
    profile,
    report,
    run,
    serve,
)
from .measuring import EXIT_INTERRUPTED

EXIT_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status.

    Args:
        arguments: What follows the command's name; by default the process's own.
    """
    options = parser().parse_args(arguments)
    try:
        status: int = options.command(options)
    except WarpbenchError as error:
        print(f"warpbench: {error}", file=sys.stderr)  # noqa: T201 - the one line of an error
        return EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return status


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    top = argparse.ArgumentParser(prog="warpbench", description="A concurrency lab for LLM agents.")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (
        run,
        report,
        advise,
        compare,
        baseline,
        gate,
        export,
        profile,
        history,
        import_trace,
        learn,
        listing,
        serve,
        doctor,
    ):
        command.add_command(commands)
    return top


if __name__ == "__main__":
    sys.exit(main())
