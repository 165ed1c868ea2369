"""Holds the sessions of a trial against what they do alone: what this agent does at best. Pure.

The reference of a session is what it took alone. Under load it may be quicker all the same, where
another session spared it work: a cache, a single flight, a batch. What it was spared is taken off
its reference, and told as shared work. So no session beats its reference, and no run the ideal of
them all (see ``ideal``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ...mocks.clock import seconds
from ...mocks.workload.ideal import first_in_first_out_ns
from ..results.played import SoloSession
from ..results.reference import Reference, SharedWork
from ..results.samples import Outcome, SessionSample
from ..results.trial_result import TrialResult


def solo_sessions(trial: TrialResult) -> dict[int, SoloSession]:
    """Return what the sessions of a trial did that ran them one after another.

    Those that did not succeed tell nothing.
    """
    played = trial.played
    if played is None:
        return {}
    return {
        sample.session: SoloSession(_took_ns(sample), played.model_calls[sample.session])
        for sample in trial.samples
        if sample.outcome is Outcome.SUCCEEDED
    }


def shorter_of(forms: Iterable[Mapping[int, SoloSession]]) -> dict[int, SoloSession]:
    """Return the shorter of several forms, session by session.

    Where one form asks the model less often than another, that is no shared work: the fewest calls
    count.
    """
    shorter: dict[int, SoloSession] = {}
    for form in forms:
        for number, alone in form.items():
            other = shorter.get(number, alone)
            shorter[number] = SoloSession(
                min(alone.latency_ns, other.latency_ns), min(alone.model_calls, other.model_calls)
            )
    return shorter


def held_against_solo(
    trial: TrialResult,
    concurrency: int,
    alone: Mapping[int, SoloSession],
    only: Sequence[int] | None = None,
) -> TrialResult:
    """Return a trial with its sessions alone as the reference.

    A session that is not known alone keeps the longest of its conversations.

    Args:
        trial: The trial; one that is held against the script is returned as it is.
        concurrency: Sessions in flight at most.
        alone: What its sessions did alone, by number.
        only: The numbers of its sessions, in the script's order; ``None``: from 0 on.
    """
    played = trial.played
    if played is None or not alone:
        return trial
    samples = {sample.session: sample for sample in trial.samples}
    references_ns = list(trial.ideal_latencies_ns)
    fewer_calls = spared_ns = spared_sessions = 0
    numbers = range(len(references_ns)) if only is None else only
    for at, number in enumerate(numbers):
        solo, sample = alone.get(number), samples.get(number)
        if solo is None or sample is None:
            continue
        references_ns[at] = solo.latency_ns
        if sample.outcome is not Outcome.SUCCEEDED:
            continue
        references_ns[at] = min(solo.latency_ns, _took_ns(sample))
        fewer = max(0, solo.model_calls - played.model_calls[at])
        quicker_ns = solo.latency_ns - references_ns[at]
        fewer_calls += fewer
        spared_ns += quicker_ns
        spared_sessions += bool(fewer or quicker_ns)
    reference_of = dict(zip(numbers, references_ns, strict=True))
    started = sorted(samples)
    arrivals_ns = [samples[number].intended_ns for number in started]
    ideal_ns = first_in_first_out_ns(
        [reference_of[number] for number in started],
        concurrency,
        [each or 0 for each in arrivals_ns] if any(arrivals_ns) else None,
    )
    return replace(
        trial,
        reference=Reference.SOLO,
        ideal_latencies_ns=tuple(references_ns),
        ideal_makespan_ns=max(ideal_ns, played.serving_ns),
        shared_work=SharedWork(
            sessions=spared_sessions, model_calls=fewer_calls, spared_s=seconds(spared_ns)
        ),
        sessions_without_solo=sum(number not in alone for number in samples),
    )


def _took_ns(sample: SessionSample) -> int:
    return sample.end_ns - sample.start_ns
