"""The import path of a process that imports what its user has named."""

import sys


def append_current_directory() -> None:
    """Let modules of the current directory be imported.

    It is appended to the import path, never put first: a file there must not shadow an installed
    package.
    """
    if "" not in sys.path and "." not in sys.path:
        sys.path.append(".")
