"""Loads scenarios: the built-in ones by name, others from their files."""

import tomllib
from collections.abc import Callable, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from ..errors import ScenarioError
from ..input_files import UnreadableError, parse_toml, read_content
from .diagnostics import DeclarationError, listed, shown, unknown
from .model import Scenario
from .recording import Recording, read_recording

_MAX_FILE_BYTES = 1 << 20


def builtin_scenarios() -> tuple[str, ...]:
    """Return the names of the built-in scenarios, sorted."""
    return tuple(sorted(_builtin_files()))


def builtin_descriptions() -> dict[str, str]:
    """Return what each built-in scenario says of itself, by name; nothing else is checked."""
    files = _builtin_files()
    return {name: tomllib.loads(files[name].read_text())["description"] for name in sorted(files)}


def load_scenario(name_or_path: str) -> Scenario:
    """Load a built-in scenario by its name, or another by the path of its file.

    A built-in name wins over a file of that name, which ``./name`` still reaches.

    Raises:
        ScenarioError: There is no such scenario, or it cannot be used. One line that names
            the file, the key, what was expected and what was found.
    """
    builtin = _builtin_files().get(name_or_path)
    if builtin is not None:
        return _scenario(builtin.read_bytes(), name_or_path)
    source = name_or_path if name_or_path.isprintable() and name_or_path else repr(name_or_path)
    return _scenario(_bytes_of(name_or_path, source), source)


def parse_scenario(text: str, source: str = "scenario") -> Scenario:
    """Read a scenario from TOML; errors call it ``source``.

    Raises:
        ScenarioError: The text is no TOML, or not that of a usable scenario.
    """
    return _scenario(text, source)


def scenario_from_table(table: Mapping[str, object], source: str = "scenario") -> Scenario:
    """Check the table that a TOML file holds; errors call it ``source``.

    Raises:
        ScenarioError: The table is not that of a usable scenario.
    """
    # pydantic takes a third of a second to import: who only lists scenarios does not need it.
    from pydantic import ValidationError  # noqa: PLC0415

    from .compile import scenario_of  # noqa: PLC0415
    from .schema import ScenarioTable, declaration_error  # noqa: PLC0415

    try:
        return scenario_of(ScenarioTable.model_validate(table), _reader(source))
    except DeclarationError as error:
        raise _refusal(source, str(error)) from None
    except ValidationError as error:
        raise _refusal(source, str(declaration_error(error))) from None


def _scenario(content: str | bytes, source: str) -> Scenario:
    try:
        table = parse_toml(content)
    except UnreadableError as error:
        raise _refusal(source, error.reason) from None
    return scenario_from_table(table, source)


def _reader(source: str) -> Callable[[str], Recording]:
    """Return a function that reads recordings from the folder of a scenario's file."""

    def read(name: str) -> Recording:
        return read_recording(Path(source).parent / name)

    return read


def _builtin_files() -> dict[str, Traversable]:
    folder = resources.files(f"{__package__}.built_in")
    return {
        file.name.removesuffix(".toml"): file
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    }


def _bytes_of(path: str, source: str) -> bytes:
    """Return the content of a file, which may be a pipe, up to a limit."""
    try:
        return read_content(path, _MAX_FILE_BYTES)
    except UnreadableError as error:
        if not error.is_missing:
            raise _refusal(source, error.reason) from None
        names = builtin_scenarios()
        meant = unknown(path, names).removeprefix(shown(path))
        raise _refusal(
            source,
            f"expected a file or a built-in scenario, found neither{meant};"
            f" built in are {listed(names, 'and')}",
        ) from None


def _refusal(source: str, problem: str) -> ScenarioError:
    return ScenarioError(f"{source}: {problem}")
