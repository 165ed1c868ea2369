"""Errors of declared values: on one line, in the words of the file."""

import math

import pytest
from warpbench.mocks.scenario.diagnostics import (
    DeclarationError,
    dotted,
    invalid,
    listed,
    number,
    shown,
    unknown,
)

pytestmark = pytest.mark.once


def test_paths_read_like_the_file() -> None:
    assert dotted(("rounds", 1, "tools", 0, "tool")) == "rounds[1].tools[0].tool"
    assert dotted(("tools", "a b", "kind")) == "tools['a b'].kind"


@pytest.mark.parametrize(
    "value", ["a\nb", "\u2028", "x" * 10_000, 1 << 100_000, {}, [], None], ids=range(7)
)
def test_what_was_found_is_shown_on_one_short_line(value: object) -> None:
    assert len(shown(value).splitlines()) == 1
    assert len(shown(value)) < 80


def test_an_error_can_be_seen_from_further_up() -> None:
    error = invalid("a number", "x", ("p99",)).below("model", "latency_s")
    assert str(error) == "model.latency_s.p99: expected a number, found 'x'"


@pytest.mark.parametrize(
    ("words", "text"), [(["a"], "a"), (["a", "b"], "a or b"), (["a", "b", "c"], "a, b or c")]
)
def test_words_are_listed_as_one_says_them(words: list[str], text: str) -> None:
    assert listed(words) == text


def test_an_unknown_word_is_answered_with_the_nearest() -> None:
    assert unknown("serach", ["search", "fetch"]) == "'serach' (did you mean 'search'?)"
    assert unknown("zzz", ["search", "fetch"]) == "'zzz'"


@pytest.mark.parametrize("value", [True, "1", None, math.nan, math.inf, 10**400])
def test_what_is_no_finite_number_is_none(value: object) -> None:
    with pytest.raises(DeclarationError, match=r"^key: expected a (finite )?number, found "):
        number(value, "key")
