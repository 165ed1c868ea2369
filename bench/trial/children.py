"""What a trial does about the programs that its target starts: they ask no other machine."""

import _thread
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager

from ...mocks.clock import Clock, is_skipping
from ...mocks.errors import TargetError
from ...mocks.network.children import ChildRefusals, children_refused

_WAY_OUT = "only --transport loopback answers other processes"
_OF_PROGRAMS = f"Programs that the target has started run: if they ask a model, {_WAY_OUT}."


@contextmanager
def children_kept_in(clock: Clock, *, in_process: bool) -> Iterator[ChildRefusals]:
    """Refuse what programs that are started in this scope ask of other machines.

    Enter it before the scope of the clock. A clock that refuses to skip says that programs run.

    Args:
        clock: Keeps the trial's time.
        in_process: Whether the world is mocked in this process, and so for no other.
    """

    def begins() -> None:
        if is_skipping(clock):
            clock.tolerate_below_threading(_thread.get_ident(), _thread.get_native_id())

    children = ChildRefusals(begins, f"; {_WAY_OUT}" if in_process else "")
    if is_skipping(clock):
        clock.beside_refusals = lambda: _OF_PROGRAMS if children.have_children else ""
    try:
        with closing(children), children_refused(children):
            yield children
    finally:
        # The clock may outlive the trial, and through these it would keep the trial's target.
        children.told = None
        if is_skipping(clock):
            clock.beside_refusals = None


def require_own_model_calls(apis: Collection[str], llm_calls: int) -> None:
    """Check that it is not a child alone that asks the model.

    Many sessions would start as many programs, each to be refused as that of the warm-up was.

    Args:
        apis: The hosts of models' APIs that children have asked for so far.
        llm_calls: How many model calls this process has made.

    Raises:
        TargetError: Children have asked, and this process has not.
    """
    if apis and not llm_calls:
        raise TargetError(
            f"a program that the target starts asks {' and '.join(apis)} by itself, and was "
            f"refused: {_WAY_OUT}"
        )
