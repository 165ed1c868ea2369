"""The product says things in the field's words: no phrase of its own dialect is left.

The phrases were replaced by standard terms once; here they are kept out. Single words may stand in
a sentence, but not as a heading, in a legend or as a status: these are taken from the golden files.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .golden import FOLDER

pytestmark = pytest.mark.once

CHECKOUT = Path(__file__).resolve().parent.parent
ROOMS = ("agent", "bench", "mocks", "reports")
PHRASES = (
    "a few lines that are run",
    "a sleep or a lock of its own",
    "against real waiting",
    "and nobody will ever go on",
    "attempts that failed",
    "best at its load",
    "can be worth",
    "cannot be told",
    "CPU each",
    "each shown by a few lines",
    "everybody waits",
    "figure of a cell moved",
    "fix would be worth",
    "held against itself",
    "held the event loop",
    "held the loop",
    "hold the code against",
    "how late the event loop was",
    "in the format of another tool",
    "it said nothing",
    "lost again unseen",
    "model call repeated",
    "no deadline is left",
    "no knee is told",
    "no mock knows of",
    "no strategy carried",
    "not judged",
    "not to be told from",
    "of a run again",
    "raw p99",
    "ready to go on",
    "ready, not running",
    "should have been awaited",
    "the pauses after them",
    "time was lost",
    "took at most so long",
    "tools in turn",
    "which it does not know",
    "woke a participant",
)
PHRASE = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, PHRASES))})(?!\w)", re.IGNORECASE)
# As a concurrency; "immediately" and "at the same time" are plain English.
AT_ONCE = re.compile(
    r"(?:(?:\d|\}|\bsessions|\bcalls|\brequests) at once\b)|^at once$|\| at once \|"
)
WORDS = ("began", "carried", "held", "merit", "sooner", "took", "within", "worth")
# A row of headings, a legend, the status of a cell, the heading of a line of advice.
LABELS = (
    re.compile(r"^ *(?:\| )?((?:strategy|target|scenario|cell)\b.*\b(?:p99|change|speed-up)\b.*)"),
    re.compile(r"^((?:[★☆▒█▓] ).*)"),
    re.compile(r"^(?:[✓▲✗~?]|- \S+ \*\*).*?[:*] *([\w ]+)$"),
    re.compile(r"^([\w ±%/()-]{1,30}):(?: |$)"),
)


@pytest.mark.parametrize("room", [*ROOMS, "docs", "examples"])
def test_no_phrase_of_the_dialect_is_left(room: str) -> None:
    files = sorted(file for file in (CHECKOUT / room).rglob("*") if _is_text(file))
    if room == "docs":
        files += [CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md"]
    assert files
    offenders = [
        f"{file.relative_to(CHECKOUT)}: {phrase}: …{text}…"
        for file in files
        for phrase, text in _found(file)
    ]
    assert not offenders, "\n".join(
        ["these phrases are the lab's own; write the field's term for what they mean:", *offenders]
    )


def test_no_word_of_the_dialect_is_a_heading_a_legend_or_a_status() -> None:
    labels = [
        (file.name, found[1])
        for file in sorted(FOLDER.glob("*.txt"))
        for line in file.read_text(encoding="utf-8").splitlines()
        for pattern in LABELS
        if (found := pattern.match(line))
    ]
    assert len(labels) > len(LABELS)
    offenders = [
        f"{name}: {word}: {label}"
        for name, label in labels
        for word in WORDS
        if re.search(rf"\b{word}\b", label)
    ]
    assert not offenders, "\n".join(["", *offenders])


def _is_text(file: Path) -> bool:
    return file.suffix in {".py", ".md", ".html", ".js", ".css", ".toml", ".yml", ".yaml"}


def _found(file: Path) -> Iterator[tuple[str, str]]:
    for text in _texts(file):
        plain = " ".join(text.split())
        for found in PHRASE.finditer(plain):
            yield found[0], plain[max(0, found.start() - 30) : found.end() + 30]
        for found in AT_ONCE.finditer(plain):
            yield (
                "at once (write: in flight, or concurrently)",
                plain[max(0, found.start() - 30) : found.end() + 30],
            )


def _texts(file: Path) -> Iterator[str]:
    """Yield the texts of a file: of a module its strings, each with what stands in braces."""
    source = file.read_text(encoding="utf-8")
    if file.suffix != ".py":
        yield source
        return
    tree = ast.parse(source)
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
            )
        elif isinstance(node, ast.Constant) and id(node) not in inside:
            yield node.value if isinstance(node.value, str) else ""
