"""Golden files: one for each view, which pins its wording.

They are rewritten with ``UPDATE_GOLDEN=1``; the change then shows in the diff.
"""

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"
_UPDATE = "UPDATE_GOLDEN"


def assert_golden(view: str, text: str) -> None:
    """Compare what a view shows with its golden file, or rewrite the file.

    Args:
        view: Name of the file, without its suffix.
        text: What the view shows.
    """
    file = FOLDER / f"{view}.txt"
    shown = "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
    if os.environ.get(_UPDATE):
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8"), f"rewrite it with {_UPDATE}=1: {file.name}"
