"""Temporary folders whose owner can be told to be dead, so that the next one clears up behind it.

A process that is killed removes nothing. Each folder holds a file that its owner keeps locked: the
system lets go of the lock however the owner ends, and no number of a process has to be trusted.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "warpbench-gate-"
_LOCK = "lock"


@contextmanager
def owned_folder() -> Iterator[Path]:
    """Make a temporary folder, and remove it when the scope ends."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
    try:
        with (folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_ownerless() -> None:
    """Remove the folders that processes have left that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if _is_ownerless(folder):
            shutil.rmtree(folder, ignore_errors=True)


def was_owned(folder: Path) -> bool:
    """Say whether a folder was one of these, and is gone."""
    return folder.name.startswith(_PREFIX) and not folder.exists()


def _is_ownerless(folder: Path) -> bool:
    # One that cannot be opened is somebody else's, or was not locked yet.
    with contextlib.suppress(OSError):
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            return False
        with (folder / _LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False
