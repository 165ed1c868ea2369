"""What ``warpbench completion`` does: prints a shell's completion script, or installs it."""

import sys
from typing import Literal

from .app import build
from .exit_status import DONE


def completion(shell: Literal["bash", "zsh", "fish"], *, install: bool) -> int:
    """Print or install the script; return the exit status."""
    if install:
        path = build().install_completion(shell=shell)
        sys.stdout.write(f"{path}\nOpen a new shell to use it.\n")
    else:
        sys.stdout.write(build().generate_completion(shell=shell))
    return DONE
