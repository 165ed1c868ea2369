"""Makes foreign text printable and short, wherever a message quotes it.

A file, a name or an answer may hold anything: escape sequences that move a terminal's cursor,
characters that reverse the line, a key of five thousand letters. No message repeats those.
"""

LONGEST_LINE = 1000
"""Characters of a line that is shown, at most: an error names one thing, not a file's content."""

_ENDING_SHARE = 3


def printable(text: str) -> str:
    """Return a text on one line: white space as a blank, all else unprintable as its escape."""
    if text.isprintable():
        return text
    return "".join(map(_printable, text))


def printable_lines(text: str) -> str:
    """Return a text with its lines kept, and all else as ``printable`` makes it."""
    return "\n".join(map(printable, text.split("\n")))


def clipped(text: str, most: int) -> str:
    """Return a text on one line, its start if it is long.

    Args:
        text: Foreign text.
        most: Characters that may be shown.
    """
    # What is cut off is not looked at: it may be megabytes.
    return printable(text) if len(text) <= most else printable(text[: most - 1]) + "…"


def one_line(text: str) -> str:
    """Return a message on one line; of a long one its start, and its end: that says what to do."""
    if len(text) > LONGEST_LINE:
        end = LONGEST_LINE // _ENDING_SHARE
        text = f"{text[: LONGEST_LINE - end]} … {text[-end:]}"
    return printable(text.strip())


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    if character.isspace():
        return " "
    return character.encode("unicode_escape").decode("ascii")
