"""What pip installed, or would install: versions and hashes, and what came out older. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from packaging.requirements import Requirement
from packaging.version import Version


@dataclass(frozen=True, slots=True)
class Package:
    """A release that pip chose.

    Attributes:
        name: Its name, normalised.
        version: Its version.
        sha256: Hash of the file; empty for a folder.
    """

    name: str
    version: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Downgrade:
    """A package that is older beside warpbench than alone."""

    name: str
    installed: str | None
    newest: str

    def __str__(self) -> str:
        found = self.installed or "not installed"
        return f"{self.name} {found}, alone {self.newest}"


def normalised(name: str) -> str:
    """Return the name of a distribution as registries compare it, without extras."""
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()


def packages_of(report: Mapping[str, Any]) -> tuple[Package, ...]:
    """Return what a report of pip (``--report``) installs, by name."""
    found = (
        Package(
            normalised(each["metadata"]["name"]),
            each["metadata"]["version"],
            each["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256", ""),
        )
        for each in report["install"]
    )
    return tuple(sorted(found, key=lambda package: package.name))


def versions(packages: Iterable[Package]) -> dict[str, str]:
    """Return the version of each package, by name."""
    return {package.name: package.version for package in packages}


def downgrades(
    distributions: Iterable[str], installed: Mapping[str, str], newest: Mapping[str, str]
) -> tuple[Downgrade, ...]:
    """Return which distributions are older than what they are alone in an environment.

    Args:
        distributions: What pip was asked for, extras included.
        installed: Version of each package beside warpbench.
        newest: Version of each package where warpbench is not.
    """
    names = [normalised(each) for each in distributions]
    return tuple(
        Downgrade(name, installed.get(name), newest[name])
        for name in names
        if name not in installed or Version(installed[name]) < Version(newest[name])
    )


def unsatisfied(requirements: Iterable[str], installed: Mapping[str, str]) -> tuple[str, ...]:
    """Return which requirements are not met by what is installed; markers of others apart."""
    wanted = [Requirement(each) for each in requirements]
    return tuple(
        str(each)
        for each in wanted
        if (each.marker is None or each.marker.evaluate())
        and not _meets(each, installed.get(normalised(each.name)))
    )


def _meets(requirement: Requirement, version: str | None) -> bool:
    return version is not None and requirement.specifier.contains(version, prereleases=True)


def constraints_text(packages: Iterable[Package]) -> str:
    """Return a file of names, versions and hashes that pip takes with ``--require-hashes``.

    What has no hash is this checkout, and stays out.
    """
    return "".join(
        f"{package.name}=={package.version} \\\n    --hash=sha256:{package.sha256}\n"
        for package in packages
        if package.sha256
    )


_LINE = re.compile(
    r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+) \\\n +--hash=sha256:(?P<hash>\w+)$", re.MULTILINE
)


def read_constraints(text: str) -> tuple[Package, ...]:
    """Read a file that ``constraints_text`` made."""
    return tuple(
        Package(found["name"], found["version"], found["hash"]) for found in _LINE.finditer(text)
    )
