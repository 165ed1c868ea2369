"""Provenance marks: what the mocked world wrote is known again wherever an agent carries it.

Every free text that the mock writes begins with a mark: which output it is, and whose text that is,
if what asked for it carried a session's text. A mark is made of digits and lower-case letters and
has a fixed length, so that JSON, cutting and upper case leave it whole; a checksum tells it from
text that only looks like one. It counts for no token and no byte of a prompt.

The layout: five digits, then 100 bits in base 32, five bits a letter: the number of what plays the
script (see ``numbers``; 61 bits and a sign), the step (13), the part of the output (8: 0 for an
answer's text, from 1 on for its tool calls' results), whether the text is a session's (1), and a
checksum (16).
"""

import re
import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_PREFIX = "80471"
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_LETTERS = 20
_VALUE_OF = {letter: value for value, letter in enumerate(_ALPHABET)}
_FIELDS = (("number", 62), ("step", 13), ("part", 8), ("is_of_session", 1))
_CHECKSUM_BITS = 16
_MOST_STEPS = 1 << 13
_MOST_PARTS = 1 << 8
_KEPT = 10_000

LENGTH = len(_PREFIX) + _LETTERS + 1
"""Characters of a mark, with the space behind it."""


def _beginning_of(text: str) -> str:
    """Return the pattern of as much of a text's beginning as there is."""
    pattern = ""
    for letter in reversed(text):
        pattern = f"(?:{re.escape(letter)}{pattern})?"
    return pattern


_PREFIX_BYTES = _PREFIX.encode()
_WHOLE = re.compile(_PREFIX_BYTES + rb"[a-zA-Z2-7]{%d}" % _LETTERS)
_WITH_SPACE = re.compile(_WHOLE.pattern + rb" ?")
_FILLER = "lorem ipsum dolor sit amet, "
_PASSAGE = re.compile(
    rb"(%s ?)(?:%s)*%s" % (_WHOLE.pattern, _FILLER.encode(), _beginning_of(_FILLER).encode()),
    re.IGNORECASE,
)


class Mark(NamedTuple):
    """A mark.

    Attributes:
        number: The number of what plays the script: a session or a conversation.
        step: Which of its model calls.
        part: Which part of the output: 0 is the answer's text, from 1 on the results of its tools.
        is_of_session: Whether the text is its session's: what asked for it carried such text.
    """

    number: int
    step: int
    part: int = 0
    is_of_session: bool = True

    @property
    def text(self) -> str:
        """The mark as it is written, with the space behind it."""
        return _written(self)


@lru_cache(_KEPT)
def _written(mark: Mark) -> str:
    signed = abs(mark.number) << 1 | (mark.number < 0)
    step, part = min(mark.step, _MOST_STEPS - 1), min(mark.part, _MOST_PARTS - 1)
    bits = 0
    for value, (_, width) in zip((signed, step, part, mark.is_of_session), _FIELDS, strict=True):
        bits = bits << width | value
    bits = bits << _CHECKSUM_BITS | _checksum(bits)
    letters = (_ALPHABET[bits >> 5 * place & 31] for place in reversed(range(_LETTERS)))
    return f"{_PREFIX}{''.join(letters)} "


def marks_in(text: bytes) -> Iterator[Mark]:
    """Yield the marks in a text, in their order, whatever the case of their letters."""
    at = text.find(_PREFIX_BYTES)
    while at >= 0:
        found = _WHOLE.match(text, at)
        mark = None if found is None else _read(found[0].lower())
        if mark is not None:
            yield mark
        at = text.find(_PREFIX_BYTES, at + 1)


def without_marks(text: bytes) -> bytes:
    """Return a text without its marks, as long as the one that an unmarked answer gives."""
    if _PREFIX_BYTES not in text:
        return text
    return _WITH_SPACE.sub(lambda found: b"" if _is_mark(found[0]) else found[0], text)


def without_passages(text: bytes) -> bytes:
    """Return a text without the passages that the mock wrote: each a mark, and filler behind it."""
    return _PASSAGE.sub(lambda found: b"" if _is_mark(found[1]) else found[0], text)


def filler(characters: int) -> str:
    """Return text of a length that says nothing."""
    return (_FILLER * (characters // len(_FILLER) + 1))[:characters]


def _is_mark(text: bytes) -> bool:
    return _read(text.rstrip().lower()) is not None


@lru_cache(_KEPT)
def _read(text: bytes) -> Mark | None:
    bits = 0
    for letter in text.decode()[len(_PREFIX) :]:
        bits = bits << 5 | _VALUE_OF[letter]
    checksum, bits = bits & ((1 << _CHECKSUM_BITS) - 1), bits >> _CHECKSUM_BITS
    if checksum != _checksum(bits):
        return None
    values: list[int] = []
    for _, width in reversed(_FIELDS):
        values.append(bits & ((1 << width) - 1))
        bits >>= width
    is_of_session, part, step, signed = values
    number = -(signed >> 1) if signed & 1 else signed >> 1
    return Mark(number, step, part, bool(is_of_session))


def _checksum(bits: int) -> int:
    return zlib.crc32(bits.to_bytes(16, "big")) & ((1 << _CHECKSUM_BITS) - 1)
