"""A function is called once its package is there."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from warpbench.mocks.transports.when_imported import when_imported


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package that nobody has imported."""
    name = "imported_by_a_test"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("IS_THERE = True\n")
    (tmp_path / name / "part.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    for each in (name, f"{name}.part"):
        sys.modules.pop(each, None)


def test_it_is_called_at_once_for_what_is_there() -> None:
    called: list[str] = []

    with when_imported({"json": lambda: called.append("json")}):
        assert called == ["json"]


def test_it_is_called_once_when_the_package_has_run(package: str) -> None:
    called: list[bool] = []

    with when_imported({package: lambda: called.append(sys.modules[package].IS_THERE)}):
        assert called == []
        module = importlib.import_module(package)
        importlib.reload(module)

    assert called == [True]
    assert module.__spec__ is not None
    assert module.__spec__.loader is module.__loader__
    assert type(module.__loader__).__name__ == "SourceFileLoader"


def test_it_is_called_for_a_module_of_a_package(package: str) -> None:
    called: list[str] = []

    with when_imported({f"{package}.part": lambda: called.append("part")}):
        importlib.import_module(package)
        assert called == []
        importlib.import_module(f"{package}.part")

    assert called == ["part"]


def test_it_is_not_called_after_the_scope(package: str) -> None:
    called: list[str] = []
    before = list(sys.meta_path)

    with when_imported({package: lambda: called.append(package)}):
        pass
    importlib.import_module(package)

    assert called == []
    assert sys.meta_path == before


def test_a_package_that_is_not_installed_is_missed_as_ever() -> None:
    with when_imported({"not_installed_anywhere": lambda: None}):
        with pytest.raises(ModuleNotFoundError, match="not_installed_anywhere"):
            importlib.import_module("not_installed_anywhere")
