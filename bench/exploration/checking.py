"""What went wrong in a schedule. Pure.

- A *leak* is always wrong, and so is a request that the real API refuses.
- A session that made another number of model calls than alone on the same latencies, or had another
  outcome, did so because of the others. Only calls with text of its own count: no work without
  anybody's text, no retries and repeats. Where faults, limits of the model, cancellations or time
  limits that have expired are at work, that may be right: it is noted there, and no failure. A
  session that was itself cancelled is judged only by what it leaves.
- A session that fails, and fails alone as well (``failed``), is wrong, too: its check says so, or
  the target does not work at all.
- What sessions leave behind is wrong if it grows with them (``left_behind``).
- A trial that cannot go on has a *deadlock* (all wait), a *livelock* (somebody runs and no time
  passes) or a *stall* (somebody blocks where the clock cannot see it), or meets its time limit.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...mocks.clock import seconds
from ...mocks.errors import Hang, TrialError
from ...mocks.scenario import NO_LIMITS
from ..results.exploration import Failure, FailureKind, MayDiffer
from ..results.samples import Outcome, SessionSample
from ..results.steps import Step
from ..results.trial_result import TrialResult
from ..results.wrong_requests import session_sending
from ..trial.spec import TrialSpec

Alone = Callable[[], TrialResult | None]
"""Runs the sessions one after another on the same latencies; ``None`` if that fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """The sessions of a schedule that may have done otherwise than alone.

    Attributes:
        samples: Those that failed, or made another number of calls than usual, and were neither
            cancelled themselves nor have a failure of another kind.
        own_calls: How many calls with text of its own each session of the schedule made.
        reasons: Why it may be right that sessions do otherwise than alone.
        expired: How many time limits expired in the schedule; more than alone are a reason, too.
        reference: What they did alone on the same latencies, if that was run.
    """

    samples: tuple[SessionSample, ...] = ()
    own_calls: Mapping[int, int] = field(default_factory=dict)
    reasons: tuple[MayDiffer, ...] = ()
    expired: int = 0
    reference: TrialResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is said of a schedule.

    Attributes:
        failures: What went wrong.
        odd: The sessions that may make a note.
    """

    failures: tuple[Failure, ...] = ()
    odd: Odd = Odd()


def judged(
    trial: TrialResult, spec: TrialSpec, usual_calls: Mapping[int, int], alone: Alone
) -> Judged:
    """Say what went wrong in a schedule, and which sessions are to be looked at for notes.

    Args:
        trial: What came of it.
        spec: The schedule.
        usual_calls: How many model calls each session makes alone on the scenario's own latencies.
        alone: Asked only if a session was lost, or made another number of calls than usual, and
            that may be wrong.
    """
    failures = (*_leaks(trial), *_refused_requests(trial))
    told = {failure.session for failure in failures}
    told |= {each.cancellation.session for each in trial.cancelled}
    odd = Odd(
        samples=tuple(
            sample
            for sample in trial.samples
            if sample.session not in told and _is_odd(sample, trial, usual_calls)
        ),
        own_calls=trial.own_calls,
        reasons=tuple(_reasons(trial, spec)),
        expired=_expired(trial, spec),
    )
    if not odd.samples or odd.reasons:
        return Judged(failures=failures, odd=odd)
    reference = alone()
    if reference is None:
        return Judged(failures=failures)
    odd = compared(odd, reference, spec)
    # Who fails alone as well is wrong, and whose answer the check refuses, whatever has expired.
    wrong = {sample.session for sample in odd.samples if sample.is_wrong}
    differing = tuple(
        each
        for each in differences(odd)
        if not odd.reasons or each.kind is FailureKind.FAILED or each.session in wrong
    )
    if not odd.reasons:
        return Judged(failures=(*failures, *differing))
    others = tuple(sample for sample in odd.samples if sample.session not in wrong)
    return Judged(failures=(*failures, *differing), odd=replace(odd, samples=others))


def compared(odd: Odd, reference: TrialResult, spec: TrialSpec) -> Odd:
    """Return sessions with what they did alone; that more time limits expired is a reason.

    Those that expire alone as well, of a consumer that looks into its queue now and then for
    instance, explain nothing.

    Args:
        odd: The sessions.
        reference: What they did alone on the same latencies.
        spec: The schedule.
    """
    more = odd.expired > _expired(reference, spec)
    reasons = (*odd.reasons, MayDiffer.EXPIRED_TIMERS) if more else odd.reasons
    return replace(odd, reasons=reasons, reference=reference)


def differences(odd: Odd) -> Iterator[Failure]:
    """Yield what sessions did otherwise than alone, and which of them failed alone as well.

    Args:
        odd: The sessions, compared.
    """
    reference = odd.reference
    assert reference is not None
    outcomes = {sample.session: sample.outcome for sample in reference.samples}
    for sample in odd.samples:
        calls = odd.own_calls.get(sample.session, 0)
        calls_alone = reference.own_calls.get(sample.session, 0)
        is_other = sample.outcome is not outcomes.get(sample.session)
        if is_other or sample.outcome is not Outcome.SUCCEEDED:
            yield Failure(
                kind=FailureKind.OTHER_OUTCOME if is_other else FailureKind.FAILED,
                session=sample.session,
                error=sample.error or sample.outcome,
                at_s=seconds(sample.end_ns),
            )
        elif calls != calls_alone:
            yield Failure(
                kind=FailureKind.OTHER_CALLS,
                session=sample.session,
                calls=calls,
                calls_alone=calls_alone,
            )


def _reasons(trial: TrialResult, spec: TrialSpec) -> Iterator[MayDiffer]:
    if spec.scenario.faults:
        yield MayDiffer.FAULTS
    if spec.scenario.limits != NO_LIMITS:
        yield MayDiffer.LIMITS
    if trial.cancelled:
        yield MayDiffer.CANCELLATIONS


def _expired(trial: TrialResult, spec: TrialSpec) -> int:
    """Return how many time limits expired: asyncio's, those of clients, and of whole sessions."""
    timed_out = sum(sample.outcome is Outcome.TIMED_OUT for sample in trial.samples)
    if spec.scenario.faults or spec.scenario.limits != NO_LIMITS:
        return trial.expired_timers + timed_out
    # Without these a request is sent again only where its client's time was over.
    asked = trial.model_requests
    return trial.expired_timers + timed_out + asked.retries + asked.hedges


_CUT_SHORT = {
    Hang.DEADLOCK: FailureKind.DEADLOCK,
    Hang.LIVELOCK: FailureKind.LIVELOCK,
    Hang.STALL: FailureKind.STALL,
    Hang.TIME_LIMIT: FailureKind.TIME_LIMIT,
}


def cut_short(error: TrialError) -> Failure:
    """Return the failure of a trial that did not come to its end."""
    kind = FailureKind.CRASH if error.hang is None else _CUT_SHORT[error.hang]
    return Failure(kind=kind, error=str(error))


def placed(failure: Failure, steps: Sequence[Step]) -> Failure:
    """Return a failure of a session with the place of its last step, if it has none of its own.

    That is where a session was before it failed, or made the call that is one too many.

    Args:
        failure: What went wrong.
        steps: What the sessions did, in the order in which it began.
    """
    if failure.place or failure.session is None:
        return failure
    places = [
        step.place
        for step in steps
        if step.session == failure.session
        and step.place
        and (failure.at_s is None or step.begin_s <= failure.at_s)
    ]
    return replace(failure, last_place=places[-1]) if places else failure


def likeness(failure: Failure) -> tuple[object, ...]:
    """Return what makes two failures one, whichever sessions they are between."""
    if failure.kind in _CUT_SHORT.values():  # its text names all who wait
        return (failure.kind,)
    if failure.left is not None:
        return failure.kind, failure.left.kind, failure.left.what, failure.place
    if failure.kind is FailureKind.REFUSED_REQUEST:
        return failure.kind, failure.place, failure.reason
    return failure.kind, failure.place, failure.model_call == 0, re.sub(r"\d+", "N", failure.error)


def _leaks(trial: TrialResult) -> Iterator[Failure]:
    for leak in trial.isolation.leaks:
        yield Failure(
            kind=FailureKind.LEAK,
            session=leak.session,
            owner=leak.owner,
            model_call=leak.model_call or 0,
            place=leak.place,
            at_s=leak.at_s,
        )


def _refused_requests(trial: TrialResult) -> Iterator[Failure]:
    for request in trial.wrong_requests:
        yield Failure(
            kind=FailureKind.REFUSED_REQUEST,
            session=session_sending(request),
            model_call=request.step + 1,
            place=request.place,
            reason=request.reason,
            at_s=seconds(request.at_ns),
        )


def _is_odd(sample: SessionSample, trial: TrialResult, usual_calls: Mapping[int, int]) -> bool:
    calls = trial.own_calls.get(sample.session, 0)
    return sample.outcome is not Outcome.SUCCEEDED or calls != usual_calls.get(sample.session, 0)
