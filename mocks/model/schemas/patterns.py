"""A string that a regular expression finds something in.

The expression is read by the parser of Python's own ``re``, and each of its parts is drawn. What a
part asks of the text around it (a boundary, a look behind) is left to a check of the whole string.
"""

import string
from collections.abc import Callable, Mapping
from importlib import import_module
from random import Random
from typing import Any

_parser: Any = import_module("re._parser")

_LETTERS = string.ascii_lowercase
_PRINTABLE = string.ascii_letters + string.digits + " -_.,:;!?@#$%&*+=/()"
_CATEGORIES: Mapping[str, str] = {
    "CATEGORY_DIGIT": string.digits,
    "CATEGORY_NOT_DIGIT": _LETTERS,
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_SPACE": _LETTERS + string.digits,
    "CATEGORY_WORD": _LETTERS + string.digits,
    "CATEGORY_NOT_WORD": " -.",
}
_MOST_OF_A_RANGE = 256


def text_of_pattern(random: Random, pattern: str, repeated: int = 3) -> str:
    """Return a string in which the pattern is likely to find something.

    Args:
        random: Draws the string.
        pattern: The regular expression.
        repeated: How often more than the least a part without an upper bound is repeated at most.

    Raises:
        re.error: The pattern cannot be read.
    """
    return _Drawn(random, repeated).text(_parser.parse(pattern))


class _Drawn:
    """Draws the parts of one string."""

    def __init__(self, random: Random, repeated: int) -> None:
        self._random = random
        self._repeated = repeated
        self._groups: dict[int, str] = {}
        self._makers: Mapping[str, Callable[[Any], str]] = {
            "LITERAL": chr,
            "NOT_LITERAL": lambda code: self._other_than({chr(code)}),
            "ANY": lambda _: self._random.choice(_LETTERS),
            "IN": self._one_in,
            "BRANCH": lambda branch: self.text(self._random.choice(branch[1])),
            "SUBPATTERN": self._group,
            "ATOMIC_GROUP": self.text,
            "GROUPREF": lambda group: self._groups.get(group, ""),
            "GROUPREF_EXISTS": lambda _: "",
            "MAX_REPEAT": self._repeat,
            "MIN_REPEAT": self._repeat,
            "POSSESSIVE_REPEAT": self._repeat,
            "AT": lambda _: "",
            # What must come ahead is put there: what follows is mostly a repeat of anything.
            "ASSERT": lambda part: self.text(part[1]) if part[0] > 0 else "",
            "ASSERT_NOT": lambda _: "",
        }

    def text(self, parts: Any) -> str:
        return "".join(self._makers[str(kind)](value) for kind, value in parts)

    def _group(self, value: Any) -> str:
        text = self.text(value[-1])
        if value[0] is not None:
            self._groups[value[0]] = text
        return text

    def _repeat(self, value: Any) -> str:
        low, high, parts = value
        most = min(int(high), low + self._repeated)
        return "".join(self.text(parts) for _ in range(self._random.randint(low, most)))

    def _one_in(self, members: Any) -> str:
        is_negated = str(members[0][0]) == "NEGATE"
        characters = "".join(_characters(str(kind), value) for kind, value in members)
        if is_negated:
            return self._other_than(set(characters))
        return self._random.choice(characters)

    def _other_than(self, excluded: set[str]) -> str:
        rest = [each for each in _PRINTABLE if each not in excluded]
        return self._random.choice(rest or ["ä"])


def _characters(kind: str, value: Any) -> str:
    match kind:
        case "LITERAL":
            return chr(value)
        case "RANGE":
            return "".join(
                map(chr, range(value[0], min(value[1], value[0] + _MOST_OF_A_RANGE) + 1))
            )
        case "CATEGORY":
            return _CATEGORIES[str(value)]
        case _:
            return ""
