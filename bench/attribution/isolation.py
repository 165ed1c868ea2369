"""Which sessions took up text of others, and that they failed for it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ...mocks.clock import seconds
from ...mocks.observe.isolation import Leak
from ..results.isolation import MOST_LEAKS, Isolation, TextLeak, leak_text
from ..results.samples import Outcome, SessionSample


def isolation_of(leaks: Iterable[Leak], cache_hits: int, origin_ns: int) -> Isolation:
    """Return what was seen in a trial, its times from the trial's start.

    Args:
        leaks: The leaks of its sessions.
        cache_hits: How many outputs that are nobody's text a session took up from another one.
        origin_ns: Time on the clock from which the trial counts.
    """
    found = sorted(
        (each for each in leaks if each.session >= 0), key=lambda each: (each.at_ns, each.session)
    )
    return Isolation(
        leaks=tuple(
            TextLeak(
                session=each.session,
                owner=each.owner,
                model_call=None if each.step < 0 else each.step + 1,
                at_s=seconds(each.at_ns - origin_ns),
                place=each.place,
            )
            for each in found[:MOST_LEAKS]
        ),
        leaked_sessions=len({each.session for each in found}),
        cache_hits=cache_hits,
    )


def isolated(samples: Sequence[SessionSample], leaks: Iterable[Leak]) -> tuple[SessionSample, ...]:
    """Return the samples, those failed that took up text of another session."""
    first: dict[int, Leak] = {}
    for leak in sorted(leaks, key=lambda each: each.at_ns):
        first.setdefault(leak.session, leak)
    return tuple(
        replace(sample, outcome=Outcome.FAILED, error=_error(first[sample.session]))
        if sample.outcome is Outcome.SUCCEEDED and sample.session in first
        else sample
        for sample in samples
    )


def _error(leak: Leak) -> str:
    return f"the session {leak_text(leak.owner, leak.step + 1, leak.place)}"
