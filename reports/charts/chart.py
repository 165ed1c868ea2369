"""A chart as a value: drawn once, then written to files and put into the page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture of one scenario.

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
