"""Numbers and names as people read them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.results import formatting

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, formatting.DASH),
        (0, "0 s"),
        (3.2e-5, "32.0 µs"),
        (0.0009996, "1.00 ms"),
        (0.0123, "12.3 ms"),
        (0.9999, "1.00 s"),
        (1.2, "1.20 s"),
        (9.996, "10.0 s"),
        (99.96, "100 s"),
        (571.4, "571 s"),
        (750, "12.5 min"),
        (11_160, "3.10 h"),
        (36_000_000, "10,000 h"),
    ],
)
def test_times(value: float | None, shown: str) -> None:
    assert formatting.seconds(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, formatting.DASH),
        (0, "0/s"),
        (83.12, "83.1/s"),
        (1234.5, "1,234/s"),
        (0.07, "4.20/min"),
        (0.0003, "1.08/h"),
    ],
)
def test_rates(value: float | None, shown: str) -> None:
    assert formatting.rate(value) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (None, formatting.DASH),
        (0, "0 %"),
        (0.0001, "<1 %"),
        (0.0098, "1 %"),
        (0.972, "97 %"),
        (0.9949, "99 %"),
        (0.999, ">99 %"),
        (1.0, "100 %"),
        (1.04, "104 %"),  # a fault, and shown as one
    ],
)
def test_shares(share: float | None, shown: str) -> None:
    assert formatting.percent(share) == shown


@pytest.mark.parametrize(
    ("size", "shown"), [(None, formatting.DASH), (48_200_000, "48 MB"), (999_600_000, "1.00 GB")]
)
def test_sizes(size: int | None, shown: str) -> None:
    assert formatting.mega_bytes(size) == shown


@given(st.floats(min_value=1e-9, max_value=1e9))
def test_a_time_shows_three_digits_and_is_right_within_them(value: float) -> None:
    number, unit = formatting.seconds(value).split()
    factor = {"µs": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600}[unit]
    assert float(number.replace(",", "")) * factor == pytest.approx(value, rel=0.0051)


@given(st.text(st.characters()))
def test_a_name_becomes_one_line_that_steers_nothing(text: str) -> None:
    shown = formatting.plain(text)
    assert all(unicodedata.category(character)[0] != "C" for character in shown)
    assert len(shown.splitlines()) <= 1
    assert "  " not in shown


def test_a_command_keeps_its_spaces() -> None:
    assert formatting.printable("run  'a  b'\x1b") == "run  'a  b'\ufffd"


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_a_shortened_text_keeps_its_ends(text: str, length: int) -> None:
    short = formatting.shortened(text, length)
    assert len(short) <= max(length, 1)
    if len(text) <= length:
        assert short == text
    elif length > 2:
        assert short[0] == text[0]
        assert short[-1] == text[-1]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_names_are_listed_as_in_a_sentence(names: list[str], sentence: str) -> None:
    assert formatting.listed(names) == sentence


@pytest.mark.parametrize(
    ("before_s", "after_s", "shown"),
    [
        (1.0, 1.11, "1.00 s → 1.11 s"),
        (1.0, 1.0002, "1.0000 s → 1.0002 s"),
        (0.2, 0.8, "200 ms → 800 ms"),
        (0.0, 0.9, "0 ms → 900 ms"),
        (0.5, 2.5, "0.50 s → 2.50 s"),
        (749.0, 800.0, "12.5 min → 13.3 min"),
        (2.0, 2.0, "2.00 s → 2.00 s"),
        (0.0, 0.0, "0 s → 0 s"),
    ],
)
def test_two_times_are_shown_in_one_unit_and_differ(
    before_s: float, after_s: float, shown: str
) -> None:
    assert formatting.from_to_seconds(before_s, after_s) == shown


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_two_times_that_differ_by_a_millionth_are_shown_to_differ(
    before_s: float, after_s: float
) -> None:
    before, after = formatting.from_to_seconds(before_s, after_s).split(" → ")
    assert (before != after) or after_s == pytest.approx(before_s, rel=1e-6)


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.11, "+11.0 %"),
        (-0.308, "-30.8 %"),
        (12.0, "+1,200.0 %"),
        (0.0002, "+0.02 %"),
        (0, "+0.0 %"),
    ],
)
def test_changes(share: float, shown: str) -> None:
    assert formatting.signed_percent(share) == shown


@pytest.mark.parametrize(
    ("count", "shown"), [(1, "+1 call"), (-1, "-1 call"), (3, "+3 calls"), (1200, "+1,200 calls")]
)
def test_counts_with_a_sign(count: int, shown: str) -> None:
    assert formatting.counted(count, "call", signed=True) == shown


def test_throughput_in_a_sentence() -> None:
    assert formatting.session_rate(83.12) == "83.1 sessions/s"
    assert formatting.session_rate(0.07) == "4.20 sessions/min"
    assert formatting.session_rate(None) == formatting.DASH
    assert (formatting.mean_count(1010.0), formatting.mean_count(3.1)) == ("1,010", "3.10")
