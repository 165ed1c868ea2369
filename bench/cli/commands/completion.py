"""``warpbench completion``: what completes commands and options in a shell."""

from typing import Annotated, Literal

from cyclopts import Parameter


def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], Parameter(name="SHELL", help="The shell.")],
    /,
    *,
    install: Annotated[
        bool, Parameter(show_default=False, help="Write it where the shell looks for it.")
    ] = False,
) -> int:
    """Print or install a completion script."""
    from ..completion import completion as complete

    return complete(shell, install=install)
