"""The tables that mock what was refused can be pasted into a scenario as they are."""

import pytest
from warpbench.bench.results.refused_hosts import RefusedHost
from warpbench.mocks.scenario import Scenario, parse_scenario
from warpbench.mocks.world.services import Services
from warpbench.reports.comparison.service_tables import service_tables

pytestmark = pytest.mark.once

SCENARIO = """
    name = "one"
    description = "One call."
    sessions = 4
    [model]
    latency_s = 0.5
    [[rounds]]
"""


def pasted(*hosts: RefusedHost) -> Scenario:
    return parse_scenario(f"{SCENARIO}\n{service_tables(hosts)}\n", "one.toml")


def host(name: str, *paths: str) -> RefusedHost:
    return RefusedHost(host=name, paths=paths, requests=9, sessions=3, cost_s=1.0)


@pytest.mark.parametrize(
    ("refused", "address"),
    [
        (host("api.x.com"), "https://api.x.com/any/thing?key=1"),
        (host("api.x.com", "/v1/track"), "https://api.x.com/v1/track?key=1"),
        (host("api.x.com", "/a", "/b"), "https://api.x.com/b"),
        (host("api.x.com", "/a", "/b", "/c", "/d"), "https://api.x.com/e"),
        (host("192.0.2.7"), "http://192.0.2.7/"),
        (host("[2001:db8::7]:8080", "/"), "http://[2001:db8::7]:8080/"),
        (host("shop.example:8443", '/a"b'), 'http://shop.example:8443/a"b'),
        (host("bücher.example", "/ä"), "https://bücher.example/ä"),
    ],
)
def test_a_pasted_table_answers_what_was_refused(refused: RefusedHost, address: str) -> None:
    services = Services(pasted(refused).services, "test/1")
    assert services.reply("POST", address, b"") is not None


def test_the_path_is_kept_for_the_model_may_have_the_others() -> None:
    services = Services(pasted(host("api.openai.com", "/v1/embeddings")).services, "test/1")
    assert services.reply("POST", "https://api.openai.com/v1/chat/completions", b"") is None


def test_several_hosts_have_a_table_each_and_no_more_than_three_are_shown() -> None:
    names = [each.name for each in pasted(host("a.x"), host("b.x", "/1", "/2")).services]
    assert names == ["a.x", "b.x/1", "b.x/2"]
    assert len(pasted(*[host(f"{letter}.x") for letter in "abcd"]).services) == 3
    assert service_tables([host("")]) == ""
