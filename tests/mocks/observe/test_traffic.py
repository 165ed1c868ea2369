"""What the mocked world is asked for is counted, and what is in flight stays so."""

from warpbench.mocks.observe.refusals import Refusal
from warpbench.mocks.observe.session import SESSION, SessionScope
from warpbench.mocks.observe.traffic import Traffic


def test_what_is_in_flight_when_all_is_forgotten_still_is() -> None:
    traffic = Traffic()
    with traffic.model_call(0, 0, start_ns=0):
        traffic.reset()
        assert (traffic.llm_calls, traffic.in_flight, traffic.peak_in_flight) == (0, 1, 1)

    assert traffic.in_flight == 0


def test_a_model_call_counts_from_its_first_request_to_its_first_whole_answer() -> None:
    traffic = Traffic()

    for start_ns, read_ns in ((10, None), (20, 90), (30, 80)):
        with traffic.model_call(7, 1, start_ns) as call:
            if read_ns is not None:
                call.reply_ends(read_ns, is_accepted=True)
    with traffic.model_call(7, 2, 100) as call:
        call.reply_ends(110, is_accepted=False)

    assert traffic.asked_ns == {(7, 1): 10, (7, 2): 100}
    assert traffic.read_ns == {(7, 1): 80}
    traffic.reset()
    assert traffic.asked_ns == traffic.read_ns == {}


def test_a_server_without_an_end_notes_no_calls() -> None:
    traffic = Traffic(notes_calls=False)

    with traffic.model_call(7, 1, 10) as call:
        call.reply_ends(20, is_accepted=True)

    assert traffic.llm_calls == 1
    assert traffic.asked_ns == traffic.read_ns == {}


def test_a_refused_request_is_recorded_with_the_session_that_made_it() -> None:
    traffic = Traffic()

    traffic.refused("a.example", "/track", 10)
    token = SESSION.set(SessionScope(7))
    traffic.refused("b.example", "", 20)
    SESSION.reset(token)

    assert traffic.refusals == (
        Refusal("a.example", "/track", session=-1, at_ns=10),
        Refusal("b.example", "", session=7, at_ns=20),
    )
    traffic.reset()
    assert traffic.refusals == ()
