"""Provenance marks: what the mocked world wrote is known again wherever an agent carries it.

Every free text that the mock writes begins with a mark: which output it is, and whose text that is,
if what asked for it carried a session's text. A mark is made of digits and lower-case letters and
has a fixed length, so that JSON, cutting and upper case leave it whole; a checksum tells it from
text that only looks like one. It counts for no token and no byte of a prompt.

The layout: five digits, then 16 bytes in hexadecimal digits: the number of what plays the script
(see ``numbers``; 8 bytes with a sign), the step (2), the part of the output (1: 0 for an answer's
text, from 1 on for its tool calls' results), whether the text is a session's (1), a checksum (4).
"""

import re
import struct
import zlib
from collections.abc import Iterator

import msgspec

_PREFIX = "80471"
_DIGITS = 32
_FIELDS = struct.Struct(">qHBB")
_MOST_STEPS = 1 << 16
_MOST_PARTS = 1 << 8
_CHECKSUM_BYTES = 4

LENGTH = len(_PREFIX) + _DIGITS + 1
"""Characters of a mark, with the space behind it."""


def _beginning_of(text: str) -> str:
    """Return the pattern of as much of a text's beginning as there is."""
    pattern = ""
    for letter in reversed(text):
        pattern = f"(?:{re.escape(letter)}{pattern})?"
    return pattern


_PREFIX_BYTES = _PREFIX.encode()
_WHOLE = re.compile(_PREFIX_BYTES + rb"[0-9a-fA-F]{%d}" % _DIGITS)
_WITH_SPACE = re.compile(_WHOLE.pattern + rb" ?")
_FILLER = "lorem ipsum dolor sit amet, "
_PASSAGE = re.compile(
    rb"(%s ?)(?:%s)*%s" % (_WHOLE.pattern, _FILLER.encode(), _beginning_of(_FILLER).encode()),
    re.IGNORECASE,
)


class Mark(msgspec.Struct, frozen=True, order=True):
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
        step, part = min(self.step, _MOST_STEPS - 1), min(self.part, _MOST_PARTS - 1)
        fields = _FIELDS.pack(self.number, step, part, self.is_of_session)
        checksum = zlib.crc32(fields).to_bytes(_CHECKSUM_BYTES, "big")
        return f"{_PREFIX}{(fields + checksum).hex()} "


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


def _read(text: bytes) -> Mark | None:
    written = bytes.fromhex(text[len(_PREFIX) :].decode("ascii"))
    fields, checksum = written[:-_CHECKSUM_BYTES], written[-_CHECKSUM_BYTES:]
    if int.from_bytes(checksum, "big") != zlib.crc32(fields):
        return None
    number, step, part, is_of_session = _FIELDS.unpack(fields)
    return Mark(number, step, part, bool(is_of_session))
