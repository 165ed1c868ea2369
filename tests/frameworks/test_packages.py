import pytest

from .matrix.packages import (
    Package,
    constraints_text,
    downgrades,
    normalised,
    packages_of,
    read_constraints,
    unsatisfied,
    versions,
)

pytestmark = pytest.mark.once


def reported(name: str, version: str, **download: object) -> dict[str, object]:
    return {"metadata": {"name": name, "version": version}, "download_info": download}


def test_a_report_of_pip_names_versions_and_hashes() -> None:
    archive = {"hashes": {"sha256": "ab12"}}
    report = {
        "install": [
            reported("Some_Thing", "1.2", archive_info=archive),
            reported("warpbench", "0.1", dir_info={"editable": True}),
        ]
    }

    packages = packages_of(report)

    assert packages == (Package("some-thing", "1.2", "ab12"), Package("warpbench", "0.1"))
    assert versions(packages) == {"some-thing": "1.2", "warpbench": "0.1"}


@pytest.mark.parametrize(
    ("installed", "older"),
    [
        ({"x": "0.14.25"}, []),
        ({"x": "0.15"}, []),
        ({"x": "0.9"}, ["x 0.9, alone 0.14.25"]),  # as numbers, not as text
        ({}, ["x not installed, alone 0.14.25"]),
    ],
)
def test_a_version_below_the_newest_is_a_downgrade(
    installed: dict[str, str], older: list[str]
) -> None:
    found = downgrades(["X[openai]"], installed, {"x": "0.14.25"})

    assert [str(each) for each in found] == older


def test_what_the_framework_needs_itself_may_be_older() -> None:
    assert downgrades(["x"], {"x": "2", "y": "1"}, {"x": "2", "y": "3"}) == ()


def test_the_constraints_have_names_versions_and_hashes_and_not_this_checkout() -> None:
    packages = (Package("a", "1.0", "ab12"), Package("warpbench", "0.1"))

    text = constraints_text(packages)

    assert text == "a==1.0 \\\n    --hash=sha256:ab12\n"
    assert read_constraints(text) == packages[:1]


def test_requirements_that_an_environment_does_not_meet_are_named() -> None:
    installed = {"a": "1.5", "b": "1"}

    assert unsatisfied(["a>=1", "b>=2", "c", "d; python_version < '3'"], installed) == (
        "b>=2",
        "c",
    )


def test_names_are_compared_as_registries_do() -> None:
    assert normalised("Llama_Index.core[x,y]") == "llama-index-core"
