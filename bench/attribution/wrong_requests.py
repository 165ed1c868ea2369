"""Which requests of a trial the real API refuses. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from ...mocks.observe.wrong_requests import WrongRequest
from ...mocks.workload.numbers import SHARED


def wrong_requests_of(noted: Iterable[WrongRequest], origin_ns: int) -> tuple[WrongRequest, ...]:
    """Return those of a trial's sessions in order of time, their times from the trial's start.

    Args:
        noted: Those that the mocked world noted.
        origin_ns: Time on the clock from which the trial counts.
    """
    own = [each for each in noted if each.session >= 0 or each.session == SHARED]
    return tuple(
        replace(each, at_ns=each.at_ns - origin_ns)
        for each in sorted(own, key=lambda each: (each.at_ns, each.session))
    )
