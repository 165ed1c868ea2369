"""Provenance marks: what the mocked world wrote is known again wherever an agent carries it.

Every free text that the mock writes begins with a mark: which output it is, and whose text that is,
if what asked for it carried a session's text. A mark is made of digits and lower-case letters and
has a fixed length, so that JSON, cutting and upper case leave it whole; a checksum tells it from
text that only looks like one. It counts for no token and no byte of a prompt.

The layout: five digits, then 16 bytes in hexadecimal digits: the number of what plays the script
(see ``numbers``; 8 bytes with a sign), and 8 more with the step (16 bits), the part of the output
(8: 0 for an answer's text, from 1 on for its tool calls' results), whose text it is (21: 0 for
nobody's, else the session, zigzag), a checksum (19).
"""

import re
import struct
import zlib
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from .numbers import session_of

_PREFIX = "80471"
_DIGITS = 32
_WRITTEN = struct.Struct(">qQ")
_STEP_BITS, _PART_BITS, _OWNER_BITS, _CHECKSUM_BITS = 16, 8, 21, 19
_MOST_KNOWN = 4096

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


class Mark(msgspec.Struct, frozen=True):
    """A mark.

    Attributes:
        number: The number of what plays the script: a session or a conversation.
        step: Which of its model calls.
        part: Which part of the output: 0 is the answer's text, from 1 on the results of its tools.
        owner: The session whose text it is: that of which what asked for it carried text; ``None``
            if it is nobody's.
    """

    number: int
    step: int
    part: int = 0
    owner: int | None = None

    @property
    def text(self) -> str:
        """The mark as it is written, with the space behind it."""
        fields = min(self.step, (1 << _STEP_BITS) - 1)
        fields = fields << _PART_BITS | min(self.part, (1 << _PART_BITS) - 1)
        fields = fields << _OWNER_BITS | _owner_written(self.owner)
        checksum = _checksum(self.number, fields)
        return f"{_PREFIX}{_WRITTEN.pack(self.number, fields << _CHECKSUM_BITS | checksum).hex()} "


def of_its_session(number: int, step: int, part: int = 0) -> Mark:
    """Return the mark of a text that is of the session which what plays the script belongs to."""
    return Mark(number, step, part, session_of(number))


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


# Each further request of a conversation carries those of the ones before.
@lru_cache(_MOST_KNOWN)
def _read(text: bytes) -> Mark | None:
    number, rest = _WRITTEN.unpack(bytes.fromhex(text[len(_PREFIX) :].decode("ascii")))
    rest, checksum = divmod(rest, 1 << _CHECKSUM_BITS)
    if checksum != _checksum(number, rest):
        return None
    rest, owner = divmod(rest, 1 << _OWNER_BITS)
    step, part = divmod(rest, 1 << _PART_BITS)
    return Mark(number, step, part, _owner_read(owner))


def _checksum(number: int, fields: int) -> int:
    return zlib.crc32(_WRITTEN.pack(number, fields)) & ((1 << _CHECKSUM_BITS) - 1)


def _owner_written(owner: int | None) -> int:
    if owner is None:
        return 0
    return 1 + (2 * owner if owner >= 0 else -2 * owner - 1)


def _owner_read(written: int) -> int | None:
    if written == 0:
        return None
    half, is_negative = divmod(written - 1, 2)
    return -half - 1 if is_negative else half
