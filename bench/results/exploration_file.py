"""The file of an exploration: what was found as JSON, written whole or not at all."""

from dataclasses import dataclass
from pathlib import Path

from ...mocks.errors import UsageError
from .exploration import Exploration
from .json_file import JsonFile

EXPLORATION_FILE = "exploration.json"
SCHEMA_VERSION = 1

_FILE = JsonFile("warpbench explore", SCHEMA_VERSION, UsageError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explorations:
    """What one ``warpbench explore`` found.

    Attributes:
        schema_version: Version of the layout.
        scenario: The scenario as it was named on the command line, for the commands that replay.
        explorations: What was found, a cell each, in the order in which they were explored.
    """

    schema_version: int = SCHEMA_VERSION
    scenario: str
    explorations: tuple[Exploration, ...] = ()


def write_explorations(explorations: Explorations, path: Path | str) -> None:
    """Write what was found, without secrets, or leave the file as it was.

    Args:
        explorations: What was found.
        path: The file; missing folders above it are made.

    Raises:
        UsageError: The file cannot be written.
    """
    _FILE.write_value(explorations, path)
