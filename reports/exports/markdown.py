"""Text made safe for Markdown."""

_ESCAPED = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<>|#"})


def escaped(text: str) -> str:
    """Return a text on one line, of which neither Markdown nor HTML reads anything."""
    return " ".join(text.split()).translate(_ESCAPED)
