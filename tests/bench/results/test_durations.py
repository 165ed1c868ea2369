"""Lengths of time as a person writes them; one without a unit is refused."""

import pytest
from warpbench.bench.results.durations import parse_duration_s

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("text", "seconds"), [("250ms", 0.25), ("90s", 90.0), ("1.5m", 90.0), ("1h", 3600.0)]
)
def test_a_length_of_time_is_read(text: str, seconds: float) -> None:
    assert parse_duration_s(text) == seconds


def test_a_bare_number_is_refused_with_the_two_spellings() -> None:
    with pytest.raises(ValueError, match="'90' has no unit: write 90s or 90m"):
        parse_duration_s("90")


@pytest.mark.parametrize("text", ["", "0s", "-1s", "nan", "1e3s", "90x", "s", "infs"])
def test_what_is_none_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="such as 250ms, 90s, 5m or 1h"):
        parse_duration_s(text)


def test_eleven_days_are_the_most() -> None:
    with pytest.raises(ValueError, match="at most"):
        parse_duration_s("300h")
