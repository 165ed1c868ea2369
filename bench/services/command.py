"""The command that starts a service as it is deployed: read, checked, filled in. No process yet."""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...mocks.errors import TargetError

PORT = "{port}"
WORKERS = "{workers}"

_PREFIX = "serve:"


@dataclass(frozen=True, slots=True)
class ServeCommand:
    """A command with places for the port and the number of workers.

    Attributes:
        text: As it was given.
        words: The program and its arguments.
    """

    text: str
    words: tuple[str, ...]

    @property
    def target(self) -> str:
        """The name of the target that it starts."""
        return _PREFIX + self.text

    @property
    def takes_workers(self) -> bool:
        """Whether it says how many workers there are."""
        return any(WORKERS in word for word in self.words)

    def filled(self, port: int, workers: int) -> list[str]:
        """Return its words for a port of loopback and a number of workers."""
        values = {PORT: str(port), WORKERS: str(workers)}
        return [_filled(word, values) for word in self.words]


def serve_command(text: str) -> ServeCommand:
    """Read a command.

    Args:
        text: The command, as a shell would have it split; no shell runs it.

    Raises:
        ValueError: It cannot be split, or has no place for the port. One line.
    """
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise ValueError(f"{text!r}: cannot be split into words: {error}") from None
    if not words:
        raise ValueError(f"{text!r}: expected the command that starts the service")
    if not any(PORT in word for word in words):
        raise ValueError(
            f"{text!r}: expected {PORT} where the port belongs, as in "
            '"uvicorn my_app:app --port {port}"'
        )
    return ServeCommand(text, words)


def command_named(target: object) -> ServeCommand | None:
    """Return the command that a target's name holds; ``None`` if it holds none.

    A module may be called ``serve``: what it names has no place for a port.
    """
    if not isinstance(target, str) or not target.startswith(_PREFIX) or PORT not in target:
        return None
    try:
        return serve_command(target.removeprefix(_PREFIX))
    except ValueError as error:
        raise TargetError(f"target {target!r}: {error}") from None


def require_program(command: ServeCommand, environ: Mapping[str, str]) -> str:
    """Return the path of the program that a command starts.

    It is looked for as a shell would, and then where the running Python has its programs: whoever
    calls warpbench by its path need not activate its environment.

    Args:
        command: The command.
        environ: The environment that it is to have.

    Raises:
        TargetError: There is no such program, or it cannot be run.
    """
    name = command.words[0]
    places = (environ.get("PATH", os.defpath), str(Path(sys.executable).parent))
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        raise TargetError(
            f"--serve {command.text!r}: there is no program {name!r}: name one of this machine's, "
            "as it is called in a shell; no shell runs the command"
        )
    return found


def _filled(word: str, values: Mapping[str, str]) -> str:
    for place, value in values.items():
        word = word.replace(place, value)
    return word


def said(words: Sequence[str]) -> str:
    """Return words as a shell would read them."""
    return shlex.join(words)
