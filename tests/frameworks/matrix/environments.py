"""An environment for each framework: it and this checkout, by one plain `pip install`."""

import hashlib
import json
import time
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .columns import Outcome, fails, works
from .deadlines import NO_DEADLINE, Deadline
from .frameworks import Framework
from .judging import one_line
from .packages import Package, constraints_text, downgrades, read_constraints, unsatisfied, versions
from .pip import Pip, PipError, make_environment, read_report
from .places import Places

INSTALL_LIMIT_S = 900
LOOK_UP_LIMIT_S = 600
LOOK_UP_AGAIN_S = 6 * 3600
"""For how long the newest release stays the newest: a matrix that was interrupted goes on."""

KNOWN = "known.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An environment that was made, or why it was not.

    Attributes:
        folder: Where it is.
        outcome: Whether everything is there, in its newest release.
        packages: What is installed; nothing if nothing could be.
    """

    folder: Path
    outcome: Outcome
    packages: tuple[Package, ...] = ()


def newest_environment(
    places: Places, framework: Framework, deadline: Deadline = NO_DEADLINE
) -> Environment:
    """Return the environment of a framework's newest release; make it if that is not there.

    What cannot be installed is not tried again before the framework or our own dependencies change.

    Raises:
        OutOfTimeError: Not by the deadline.
    """
    folder = places.environment(framework)
    try:
        newest = _newest(places, framework, deadline)
        packages = _installed(places, framework, newest, deadline)
    except PipError as error:
        return Environment(folder=folder, outcome=fails(one_line(str(error))))
    older = downgrades(framework.distributions, versions(packages), newest)
    if older:
        named = "; ".join(str(each) for each in older)
        return Environment(folder=folder, outcome=fails(f"downgraded: {named}"), packages=packages)
    constraints = places.constraints(framework)
    constraints.parent.mkdir(parents=True, exist_ok=True)
    constraints.write_text(constraints_text(packages))
    return Environment(folder=folder, outcome=works(), packages=packages)


def locked_environment(
    places: Places, framework: Framework, deadline: Deadline = NO_DEADLINE
) -> Environment:
    """Return the environment that a framework's constraints file names; make it if need be.

    Raises:
        OutOfTimeError: Not by the deadline.
    """
    folder = places.work / f"{framework.name}-locked"
    constraints = places.constraints(framework)
    if not constraints.exists():
        reason = f"no constraints: run make matrix FRAMEWORKS={framework.name}"
        return Environment(folder=folder, outcome=fails(reason))
    text = constraints.read_text()
    packages = read_constraints(text)
    key = _digest(text, requirements(places.checkout))
    if _known(folder).get("key") != key:
        try:
            make_environment(folder)
            hashed = ("--no-deps", "--require-hashes", "-r", str(constraints))
            pip = Pip.made(places.pip, deadline)
            pip.install(folder, *hashed, limit_s=INSTALL_LIMIT_S)
            ours = ("--no-deps", "-e", str(places.checkout))
            pip.install(folder, *ours, limit_s=INSTALL_LIMIT_S)
        except PipError as error:
            return Environment(folder=folder, outcome=fails(one_line(str(error))))
        _keep(folder, {"key": key})
    return Environment(folder=folder, outcome=works(), packages=packages)


def _newest(places: Places, framework: Framework, deadline: Deadline) -> dict[str, str]:
    """Return what pip would install of a framework alone: the newest that this Python can have."""
    report = places.work / "newest" / f"{framework.name}.json"
    if not report.exists() or time.time() - report.stat().st_mtime > LOOK_UP_AGAIN_S:
        Pip.made(places.pip, deadline).look_up(framework.distributions, report, LOOK_UP_LIMIT_S)
    return versions(read_report(report))


def _installed(
    places: Places, framework: Framework, newest: Mapping[str, str], deadline: Deadline
) -> tuple[Package, ...]:
    folder, ours = places.environment(framework), requirements(places.checkout)
    known = _known(folder)
    if known.get("newest") == newest and known.get("asked") == list(framework.distributions):
        if known.get("error") and known["ours"] == ours:
            raise PipError(known["error"])
        packages = tuple(Package(**each) for each in known["packages"])
        if packages and not unsatisfied(ours, versions(packages)):
            return packages
    error, packages = "", ()
    make_environment(folder)
    try:
        wanted = ("-e", str(places.checkout), *framework.distributions)
        packages = Pip.made(places.pip, deadline).install(folder, *wanted, limit_s=INSTALL_LIMIT_S)
    except PipError as failure:
        error = str(failure)
    found = {"packages": [asdict(each) for each in packages], "error": error}
    asked = {"newest": newest, "asked": framework.distributions, "ours": ours}
    _keep(folder, {**asked, **found})
    if error:
        raise PipError(error)
    return packages


def requirements(checkout: Path) -> list[str]:
    """Return what warpbench itself asks for."""
    project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    return [*project["dependencies"]]


def _digest(*values: object) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _known(folder: Path) -> dict[str, Any]:
    path = folder / KNOWN
    known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return known


def _keep(folder: Path, value: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / KNOWN).write_text(json.dumps(value))
