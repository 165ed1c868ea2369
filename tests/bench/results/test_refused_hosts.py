"""Refused requests are summed up by host, over a trial and over trials."""

from dataclasses import replace

import pytest
from warpbench.bench.results.refused_hosts import RefusedHost, refused_hosts, summed_hosts
from warpbench.mocks.observe.refusals import Refusal

pytestmark = pytest.mark.once


def refusal(host: str, path: str = "", session: int = -1) -> Refusal:
    return Refusal(host, path, session, at_ns=0)


def test_a_host_counts_its_requests_and_the_sessions_that_made_them() -> None:
    refusals = [
        refusal("a.example", "/track", session=1),
        refusal("b.example"),
        refusal("a.example", "/price", session=2),
        refusal("a.example", "/price", session=2),
        refusal("a.example"),
    ]

    assert refused_hosts(refusals, {"a.example": 7.9}) == (
        RefusedHost(
            host="a.example", paths=("/price", "/track"), requests=4, sessions=2, cost_s=7.9
        ),
        RefusedHost(host="b.example", requests=1),
    )


def test_what_cost_most_comes_first_and_five_paths_are_kept() -> None:
    refusals = [refusal("many.example", f"/{number}") for number in range(9)]
    found = refused_hosts([*refusals, refusal("slow.example")], {"slow.example": 0.1})

    assert [each.host for each in found] == ["slow.example", "many.example"]
    assert found[1].paths == ("/0", "/1", "/2", "/3", "/4")


def test_what_came_before_the_sessions_is_told_apart() -> None:
    before = [refusal("a.example", "/models"), refusal("versions.example", "/new", session=-1)]

    assert refused_hosts([refusal("a.example", "/track", session=1)], {}, before) == (
        RefusedHost(
            host="a.example",
            paths=("/models", "/track"),
            requests=1,
            sessions=1,
            requests_before=1,
        ),
        RefusedHost(host="versions.example", paths=("/new",), requests=0, requests_before=1),
    )


def test_trials_are_summed_up() -> None:
    first = RefusedHost(host="a.example", paths=("/x",), requests=4, sessions=2, cost_s=1.0)
    second = RefusedHost(host="a.example", paths=("/x", "/y"), requests=5, sessions=3, cost_s=2.0)
    other = RefusedHost(host="b.example", requests=1)

    imported = RefusedHost(host="a.example", requests=0, requests_before=2)
    assert summed_hosts([first, imported, imported]) == (replace(first, requests_before=4),)
    assert summed_hosts([first, other, second]) == (
        RefusedHost(host="a.example", paths=("/x", "/y"), requests=9, sessions=5, cost_s=3.0),
        other,
    )
