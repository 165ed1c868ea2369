"""What the mocked world is asked for is counted, and what is in flight stays so."""

from warpbench.mocks.observe.traffic import Traffic


def test_what_is_in_flight_when_all_is_forgotten_still_is() -> None:
    traffic = Traffic()
    with traffic.model_call(0, 0, start_ns=0):
        traffic.reset()
        assert (traffic.llm_calls, traffic.in_flight, traffic.peak_in_flight) == (0, 1, 1)

    assert traffic.in_flight == 0
