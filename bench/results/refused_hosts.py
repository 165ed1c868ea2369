"""The hosts to which requests were refused, since nothing mocks them, and what that cost. Pure."""

from collections import Counter, defaultdict
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
        requests: How many requests were refused while sessions ran.
        sessions: How many sessions made them, of those that are known.
        cost_s: Seconds that these sessions lost by them: from each refusal to the next thing that
            the session did, computing excluded.
        requests_before: How many more were refused before, while the target was imported and in
            the warm-up; they cost the sessions nothing.
        from_children: How many of both were made by programs that the target started; of which
            session they are is not known, nor what they cost.
    """

    host: str
    paths: tuple[str, ...] = ()
    requests: int
    sessions: int = 0
    cost_s: float = 0.0
    requests_before: int = 0
    from_children: int = 0


def refused_hosts(
    refusals: Iterable[Refusal], cost_s: Mapping[str, float], before: Iterable[Refusal] = ()
) -> tuple[RefusedHost, ...]:
    """Sum up the refusals of a trial by host: what cost most comes first.

    Args:
        refusals: The refused requests.
        cost_s: Seconds that those to each host cost, where any.
        before: Those of before the sessions.
    """
    paths: defaultdict[str, Counter[str]] = defaultdict(Counter)
    sessions: defaultdict[str, set[int]] = defaultdict(set)
    requests, requests_before = Counter[str](), Counter[str]()
    from_children = Counter[str]()
    for each in refusals:
        paths[each.host][each.path] += 1
        from_children[each.host] += each.from_child
        sessions[each.host].add(each.session)
        requests[each.host] += 1
    for each in before:
        paths[each.host][each.path] += 1
        from_children[each.host] += each.from_child
        requests_before[each.host] += 1
    return _in_order(
        RefusedHost(
            host=host,
            paths=_first(of_host),
            requests=requests[host],
            sessions=len(sessions[host] - {UNKNOWN_SESSION}),
            cost_s=cost_s.get(host, 0.0),
            requests_before=requests_before[host],
            from_children=from_children[host],
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
            requests_before=sum(each.requests_before for each in found),
            from_children=sum(each.from_children for each in found),
        )
        for host, found in by_host.items()
    )


def _first(paths: Counter[str]) -> tuple[str, ...]:
    known = sorted((-count, path) for path, count in paths.items() if path)
    return tuple(path for _, path in known[:_MOST_PATHS])


def _in_order(hosts: Iterable[RefusedHost]) -> tuple[RefusedHost, ...]:
    return tuple(
        sorted(
            hosts,
            key=lambda each: (-each.cost_s, -each.requests, -each.requests_before, each.host),
        )
    )
