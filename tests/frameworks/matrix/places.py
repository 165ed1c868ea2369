"""Where the matrix keeps things."""

from dataclasses import dataclass
from pathlib import Path

from .frameworks import Framework


@dataclass(frozen=True, slots=True)
class Places:
    """The folders and files of the matrix.

    Attributes:
        checkout: Of warpbench.
        work: The folder of environments and results, which git ignores.
    """

    checkout: Path
    work: Path

    @property
    def targets(self) -> Path:
        """The agents."""
        return self.checkout / "tests" / "frameworks" / "targets"

    @property
    def pip(self) -> Path:
        """The environment of pip."""
        return self.work / "pip"

    @property
    def page(self) -> Path:
        """The page with the table."""
        return self.checkout / "docs" / "frameworks.md"

    @property
    def rows(self) -> Path:
        """The rows of the table as values, from which the page is rendered."""
        return self.checkout / "tests" / "frameworks" / "matrix.json"

    def constraints(self, framework: Framework) -> Path:
        """Return the constraints file of a framework."""
        folder = self.checkout / "tests" / "frameworks" / "constraints"
        return folder / f"{framework.name}.txt"

    def environment(self, framework: Framework) -> Path:
        """Return the folder of a framework's environment."""
        return self.work / framework.name

    def results(self, framework: Framework) -> Path:
        """Return the folder of what came of a framework's commands."""
        return self.work / "results" / framework.name


def python_of(environment: Path) -> Path:
    """Return the interpreter of an environment."""
    return environment / "bin" / "python"
