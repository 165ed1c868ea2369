"""What a request to a deployed service says of whose it is."""

import re

from warpbench.bench.services.deployed import told_whose
from warpbench.bench.services.request import request_of
from warpbench.mocks.model import Rule
from warpbench.mocks.scenario.request import RequestSpec
from warpbench.mocks.transports.loopback.session_header import caller_of


def headers_of(session: int, turn: int = 1, **headers: str) -> dict[str, str]:
    spec = RequestSpec(headers={name.replace("_", "-"): text for name, text in headers.items()})
    return dict(told_whose(request_of(spec, "task", session, turn, "h:1"), session, turn).headers)


def test_each_of_its_headers_names_the_session_as_the_mocked_model_reads_it() -> None:
    told = headers_of(7)

    assert told["host"] == "h:1"
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", told["traceparent"])
    for name in ("x-warpbench-session", "baggage"):
        caller = caller_of([(name.encode(), told[name].encode())])
        assert (caller.session, caller.rule) == (7, Rule.HEADER)


def test_requests_differ_in_their_trace_and_the_same_one_has_the_same() -> None:
    traces = {headers_of(session, turn)["traceparent"] for session in (1, 2) for turn in (1, 2)}

    assert len(traces) == 4
    assert headers_of(1)["traceparent"] in traces


def test_a_header_of_the_scenario_is_left_as_it_is() -> None:
    assert headers_of(3, baggage="own=1")["baggage"] == "own=1"
