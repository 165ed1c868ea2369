"""What a chart is: a name, a heading, and a function from a comparison group to a panel."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ...bench.results.formatting import plain, shortened, whole
from ...bench.results.records import CellResult, Status
from ..comparison.ranking import ComparisonGroup, ScenarioCells, is_serial
from .description import Panel, Picture, in_common_units
from .palette import Palette

_LONGEST_GROUP = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart: add one to ``registry.CHARTS`` and it is a picture and on the page.

    Attributes:
        name: What its files are called after the scenario (``throughput``).
        heading: What it shows, in a few words (``Throughput by concurrency``).
        describe: Describes a comparison group at a concurrency; ``None`` if nothing was measured.
        is_by_load: Whether it shows one concurrency; else it shows them all, whichever is given.
        is_wide: Whether it takes the whole width of the page.
        is_optional: Whether it is left out where it has nothing to show, as runs may rightly have
            nothing of the kind.
    """

    name: str
    heading: str
    describe: Callable[[ComparisonGroup, int, Palette], Panel | None]
    is_by_load: bool = True
    is_wide: bool = False
    is_optional: bool = False

    def shown_load(self, group: ComparisonGroup, palette: Palette) -> int | None:
        """Return the highest concurrency at which there is something to show, if there is one.

        One at which more was measured than a strategy that runs one session at a time, if possible.
        """
        contested = [
            load
            for load in reversed(group.loads)
            if any(_is_measured(cell) and not is_serial(cell) for cell in group.at(load))
        ]
        others = [load for load in reversed(group.loads) if load not in contested]
        return next(
            (load for load in (*contested, *others) if self.describe(group, load, palette)), None
        )

    def panels(self, group: ComparisonGroup, palette: Palette) -> dict[int, Panel]:
        """Return the panel of each concurrency that has one; one only where it shows them all."""
        loads = group.loads if self.is_by_load else group.loads[-1:]
        found = {load: self.describe(group, load, palette) for load in loads}
        return {load: panel for load, panel in found.items() if panel is not None}

    def is_shown(self, groups: Iterable[ComparisonGroup], palette: Palette) -> bool:
        """Return whether there is something to show of any group, or the chart stands anyway."""
        return not self.is_optional or any(self.panels(group, palette) for group in groups)

    def picture(self, scenario: ScenarioCells, palette: Palette) -> Picture:
        """Describe a scenario: a panel for each comparison group, to one scale."""
        panels = in_common_units(
            self._shown(group, palette, is_only=len(scenario.groups) == 1)
            for group in scenario.groups
        )
        return Picture(self.heading, panels)

    def _shown(self, group: ComparisonGroup, palette: Palette, *, is_only: bool) -> Panel | None:
        load = self.shown_load(group, palette)
        panel = None if load is None else self.describe(group, load, palette)
        if panel is None or load is None:
            return None
        parts = [] if is_only else [shortened(plain(group.name), _LONGEST_GROUP)]
        if self.is_by_load:
            parts.append(f"concurrency {whole(load)}")
        return replace(panel, subject=", ".join(parts))


@dataclass(frozen=True, slots=True)
class RenderedChart:
    """One picture of one scenario, drawn.

    Attributes:
        scenario: Name of the scenario as the run has it.
        name: What its files are called, less the suffix (``tools-throughput``).
        title: What it shows, in a few words.
        description: What it says, for a reader who cannot see it.
        svg: The picture as an SVG document.
        png: The same picture as PNG.
    """

    scenario: str
    name: str
    title: str
    description: str
    svg: str
    png: bytes


def measured_at(group: ComparisonGroup, load: int) -> tuple[CellResult, ...]:
    """Return the measured cells to compare at a concurrency, in the run's order."""
    return tuple(cell for cell in group.at(load) if _is_measured(cell))


def _is_measured(cell: CellResult) -> bool:
    return cell.status is Status.MEASURED
