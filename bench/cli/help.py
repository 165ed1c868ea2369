"""Help in two columns, as wide as the terminal; nothing depends on colour."""

import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions

_COLUMN = 28
_NARROWEST = 20


class PlainHelp:
    """Writes the parts of a command's help: a formatter of cyclopts (``HelpFormatter``)."""

    def __call__(
        self,
        console: "Console",
        options: "ConsoleOptions",  # noqa: ARG002 - the console has the width
        panel: "HelpPanel",
    ) -> None:
        """Write a group of options or commands."""
        if not panel.entries:
            return
        lines = ["", f"{panel.title}:"]
        column = min(_COLUMN, max(len(_labels(entry)) for entry in panel.entries) + 2)
        for entry in panel.entries:
            lines += two_columns(_labels(entry), _text(entry), console.width, column)
        _print(console, "\n".join(lines))

    def render_usage(
        self,
        console: "Console",
        options: "ConsoleOptions",  # noqa: ARG002
        usage: Any,
    ) -> None:
        """Write the line on how a command is called."""
        _print(console, f"Usage: {_plain(usage).removeprefix('Usage:').strip()}")

    def render_description(
        self,
        console: "Console",
        options: "ConsoleOptions",  # noqa: ARG002
        description: Any,
    ) -> None:
        """Write what a command does, a paragraph each."""
        for paragraph in filter(None, _plain(description).split("\n\n")):
            _print(console, "\n" + textwrap.fill(paragraph, console.width))


def two_columns(left: str, right: str, width: int, column: int) -> list[str]:
    """Return the lines of an entry: what it is called, and beside it what it means."""
    lines = textwrap.wrap(right, max(width - column - 2, _NARROWEST), break_on_hyphens=False)
    if len(left) > column - 2:
        return [f"  {left}", *(" " * (column + 2) + line for line in lines)]
    first, *rest = lines or [""]
    return [
        f"  {left:<{column}}{first}".rstrip(),
        *(" " * (column + 2) + line for line in rest),
    ]


def _print(console: "Console", text: str) -> None:
    # Straight to the stream: nothing is wrapped twice, highlighted or taken for markup.
    console.file.write(f"{text}\n")


def _labels(entry: "HelpEntry") -> str:
    if entry.positional_label:
        return entry.positional_label
    names = [*entry.positive_shorts, *entry.positive_names, *entry.negative_names]
    return ", ".join(names) + (f" {entry.metavar}" if entry.metavar else "")


def _text(entry: "HelpEntry") -> str:
    parts = [_plain(entry.description)]
    if entry.choices:
        parts.append(f"[{', '.join(entry.choices)}]")
    if entry.default:
        parts.append(f"(default: {entry.default})")
    if entry.required:
        parts.append("(required)")
    return " ".join(part for part in parts if part)


def _plain(text: Any) -> str:
    """Return the text of what cyclopts hands over: a str, a rich Text, or one in an InlineText."""
    text = getattr(text, "primary_renderable", text)
    return str(getattr(text, "plain", text) or "").strip()
