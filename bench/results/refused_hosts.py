"""The hosts to which requests were refused, since nothing mocks them, and what that cost. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...mocks.observe.refusals import UNKNOWN_SESSION, Refusal

_MOST_PATHS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedHost:
    """A host to which requests were refused.

    Attributes:
        host: Its name or address; empty if that is not known.
        paths: The paths that were asked for, those of most requests first; at most five.
        requests: How many requests were refused.
        sessions: How many sessions made them, of those that are known.
        cost_s: Seconds that these sessions lost by them: from each refusal to the next thing that
            the session did, computing excluded.
    """

    host: str
    paths: tuple[str, ...] = ()
    requests: int
    sessions: int = 0
    cost_s: float = 0.0


def refused_hosts(
    refusals: Iterable[Refusal], cost_s: Mapping[str, float]
) -> tuple[RefusedHost, ...]:
    """Sum up the refusals of a trial by host: what cost most comes first.

    Args:
        refusals: The refused requests.
        cost_s: Seconds that those to each host cost, where any.
    """
    paths: dict[str, Counter[str]] = {}
    sessions: dict[str, set[int]] = {}
    for each in refusals:
        paths.setdefault(each.host, Counter())[each.path] += 1
        sessions.setdefault(each.host, set()).add(each.session)
    return _in_order(
        RefusedHost(
            host=host,
            paths=_first(of_host),
            requests=of_host.total(),
            sessions=len(sessions[host] - {UNKNOWN_SESSION}),
            cost_s=cost_s.get(host, 0.0),
        )
        for host, of_host in paths.items()
    )


def summed_hosts(hosts: Iterable[RefusedHost]) -> tuple[RefusedHost, ...]:
    """Sum up what several trials found, by host: what cost most comes first."""
    by_host: dict[str, list[RefusedHost]] = {}
    for each in hosts:
        by_host.setdefault(each.host, []).append(each)
    return _in_order(
        RefusedHost(
            host=host,
            paths=_first(Counter(path for each in found for path in each.paths)),
            requests=sum(each.requests for each in found),
            sessions=sum(each.sessions for each in found),
            cost_s=sum(each.cost_s for each in found),
        )
        for host, found in by_host.items()
    )


def _first(paths: Counter[str]) -> tuple[str, ...]:
    known = sorted((-count, path) for path, count in paths.items() if path)
    return tuple(path for _, path in known[:_MOST_PATHS])


def _in_order(hosts: Iterable[RefusedHost]) -> tuple[RefusedHost, ...]:
    return tuple(sorted(hosts, key=lambda each: (-each.cost_s, -each.requests, each.host)))
