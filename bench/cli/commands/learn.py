"""``warpbench learn``: runnable lessons about asyncio."""

from typing import Annotated

from cyclopts import Parameter

from .. import names
from ..options import FileMessages, OptionalOut
from ..values import name


def learn(
    lesson: Annotated[
        str | None,
        name(names.lessons, "LESSON"),
        Parameter(name="LESSON", help="The name of a lesson, or all."),
    ] = None,
    /,
    *,
    out: OptionalOut = None,
    messages: FileMessages = FileMessages(),
) -> int:
    """Play lessons."""
    from ..learn import learn as play

    return play(lesson, out, messages)
