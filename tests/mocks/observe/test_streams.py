"""Streams are noted piece by piece, in little memory, and nothing is dropped."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.mocks.observe import streams as module
from warpbench.mocks.observe.streams import StreamMeter, Streams, rounded_ns
from warpbench.mocks.observe.traffic import Traffic

pytestmark = pytest.mark.once


def test_a_stream_in_its_columns() -> None:
    meter = StreamMeter()
    stream = meter.begins(3, 1_000, pieces=4, tokens=8)
    for pieces, at_ns in ((1, 1_300), (1, 1_400), (2, 1_900)):
        meter.takes(stream, pieces, at_ns)

    assert meter.streams(prompt_tokens=50, whole_tokens=7) == Streams(
        session=(3,),
        ttft_ns=(300,),
        longest_gap_ns=(500,),
        span_ns=(600,),
        tokens=(8,),
        # The two that came at one time have no time between them.
        gaps={0: 1, 100: 1, 500: 1},
        prompt_tokens=50,
        completion_tokens=15,
    )


def test_one_that_was_left_has_the_tokens_that_were_taken_up() -> None:
    meter = StreamMeter()
    left, unread = (meter.begins(session, 0, pieces=4, tokens=8) for session in (0, 1))
    meter.takes(left, 1, 100)

    found = meter.streams()

    assert (found.tokens, found.ttft_ns, found.longest_gap_ns) == ((2, 0), (100, -1), (-1, -1))
    assert (found.span_ns, found.gaps, unread) == ((0, 0), {}, 1)


def test_an_answer_without_text_has_no_pieces_and_no_tokens() -> None:
    meter = StreamMeter()
    meter.begins(0, 0, pieces=0, tokens=0)
    assert meter.streams().tokens == (0,)


@given(st.lists(st.lists(st.integers(0, 10**10), min_size=1, max_size=9), max_size=5), st.randoms())
def test_no_gap_is_lost_in_whatever_order_streams_are_read(
    gaps: list[list[int]], random: object
) -> None:
    meter = StreamMeter()
    events = []
    for session, each in enumerate(gaps):
        meter.begins(session, 0, pieces=len(each) + 1, tokens=len(each) + 1)
        at_ns = 5
        events.append((session, at_ns))
        for gap_ns in each:
            at_ns += gap_ns
            events.append((session, at_ns))
    # Those of one stream stay in their order.
    for session, at_ns in sorted(events, key=lambda event: event[1]):
        meter.takes(session, 1, at_ns)

    found = meter.streams()

    assert Counter(found.gaps) == Counter(gap_ns for each in gaps for gap_ns in each)
    assert found.longest_gap_ns == tuple(map(max, gaps))
    assert found.span_ns == tuple(map(sum, gaps))


@given(st.integers(0, 10**15))
def test_a_rounded_length_is_within_half_a_thousandth(length_ns: int) -> None:
    assert abs(rounded_ns(length_ns) - length_ns) <= length_ns / 2_000
    assert length_ns > 1 << 11 or rounded_ns(length_ns) == length_ns


def test_beyond_many_lengths_they_are_rounded_and_none_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_EXACT", 100)
    lengths = [1_000_000 + 7 * number for number in range(5_000)]
    meter = StreamMeter()
    stream = meter.begins(0, 0, pieces=len(lengths) + 1, tokens=1)
    at_ns = 0
    meter.takes(stream, 1, at_ns)
    for length_ns in lengths:
        at_ns += length_ns
        meter.takes(stream, 1, at_ns)

    found = meter.streams()

    assert sum(found.gaps.values()) == len(lengths)
    assert len(found.gaps) < 100
    assert max(found.gaps) == pytest.approx(lengths[-1], rel=5e-4)
    assert found.longest_gap_ns == (lengths[-1],)


def test_streams_of_nested_sessions_belong_to_the_outermost_one() -> None:
    streams = Streams(session=(0, 1_000_000, 5))
    assert streams.booked_to({0: 0, 1_000_000: 0}).session == (0, 0, 5)


class TestTraffic:
    def test_tokens_of_whole_answers_count_once_they_are_read(self) -> None:
        traffic = Traffic()
        with traffic.model_call(0, 0, 10, 50, 8) as call:
            call.reply_ends(20, is_accepted=True)
        with traffic.model_call(0, 1, 30, 50, 8):
            pass  # left

        found = traffic.streams

        assert (found.prompt_tokens, found.completion_tokens, found.session) == (100, 8, ())

    def test_a_stream_that_is_not_over_is_seen_and_one_from_before_a_reset_is_not(self) -> None:
        traffic = Traffic()
        with traffic.model_call(0, 0, 10, 50, 8) as old:
            old.is_streamed(pieces=2)
            traffic.reset()
            with traffic.model_call(1, 0, 20, 50, 8) as call:
                call.is_streamed(pieces=2)
                call.takes_pieces(0, 21)
                call.takes_pieces(1, 25)
                old.takes_pieces(1, 99)

                found = traffic.streams

        assert (found.session, found.ttft_ns, found.tokens) == ((1,), (5,), (4,))
        assert (found.prompt_tokens, found.completion_tokens) == (50, 4)

    def test_a_server_without_an_end_notes_none(self) -> None:
        traffic = Traffic(notes_calls=False)
        with traffic.model_call(0, 0, 10, 50, 8) as call:
            call.is_streamed(pieces=2)
            call.takes_pieces(1, 25)
        assert traffic.streams == Streams()
