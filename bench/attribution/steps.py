"""What sessions did one after another, from what was noted of them. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ...mocks.clock import seconds
from ...mocks.observe.waits import Wait, WaitKind
from ...mocks.workload.numbers import session_of
from ..results.steps import Step, StepKind
from .own_waits import ObservedWait

_KINDS = {
    WaitKind.MODEL: StepKind.MODEL_CALL,
    WaitKind.TOOL: StepKind.TOOL,
    WaitKind.SERVICE: StepKind.SERVICE,
    WaitKind.CONNECTION: StepKind.ADMISSION,
    WaitKind.THREAD: StepKind.ADMISSION,
}

_PLACES = frozenset({WaitKind.CONNECTION, WaitKind.THREAD})


def steps_of(
    waits: Iterable[Wait], own: Mapping[int, Sequence[ObservedWait]], origin_ns: int
) -> tuple[Step, ...]:
    """Return what sessions did, in the order in which it began.

    Args:
        waits: Their calls.
        own: The waits of their own code, by session.
        origin_ns: Time on the clock at which they began.
    """
    steps = (*_calls(waits, origin_ns), *_own(own, origin_ns))
    return tuple(sorted(steps, key=lambda step: (step.begin_s, step.end_s, step.session)))


def _calls(waits: Iterable[Wait], origin_ns: int) -> Iterator[Step]:
    for wait in waits:
        # Who got a place at once did not wait.
        if wait.session >= 0 and (wait.end_ns > wait.start_ns or wait.kind not in _PLACES):
            is_model = wait.kind is WaitKind.MODEL
            yield Step(
                session=session_of(wait.session),
                kind=_KINDS[wait.kind],
                name="" if is_model else wait.name,
                model_call=wait.step + 1 if is_model else 0,
                begin_s=seconds(wait.start_ns - origin_ns),
                end_s=seconds(wait.end_ns - origin_ns),
                place=wait.place,
            )


def _own(own: Mapping[int, Sequence[ObservedWait]], origin_ns: int) -> Iterator[Step]:
    for session, waits in own.items():
        for wait in waits:
            # Where its code only waits for the mocks, the calls say so.
            if wait.end_ns > wait.begin_ns and wait.place:
                yield Step(
                    session=session,
                    kind=StepKind.OWN_WAIT,
                    name=wait.awaits,
                    begin_s=seconds(wait.begin_ns - origin_ns),
                    end_s=seconds(wait.end_ns - origin_ns),
                    place=wait.place,
                )
