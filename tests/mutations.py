"""Damages files as editors, disks, merges and other programs do: by byte, token and structure.

All is drawn from a seed, so that a file that broke something can be made again.
"""

import copy
import json
import random
import re
from collections.abc import Callable
from typing import Any

_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[A-Za-z_][\w.-]*|-?\d[\d.eE+-]*|[\[\]{}:,=]|\n')
_ODD_TOKENS = (
    *(b"-1", b"0", b"1e308", b"1e999", b"-0.0", b"1e-320", b"NaN", b"inf", b"true", b"null"),
    *(b"9" * 309, b"9" * 5000, b"-" + b"9" * 309, b"0x10", b"2026-11-29T00:00:00Z"),
    *(b"[]", b"{}", b"[" * 60 + b"]" * 60, b"[" * 1200 + b"]" * 1200, b"[" * 3000),
    *(b"a.a" + b".a" * 400, b'{"a":' * 900 + b"1" + b"}" * 900),
    *(b'"' + b"x" * 5000 + b'"', b'"\\u001b[31m"', b'"\\u0000"', b'"\\u202e"', b'"\\ud800"'),
    *(b"\x1b[2J", b"\0", "\u202e".encode(), b"\xff\xfe", b"\xef\xbb\xbf", b"=1+1", b""),
    *(b"\n<<<<<<< HEAD\n", b"\n=======\n", b"\n>>>>>>> branch\n", b"\r\n", b"\r", b"\n\n"),
)
_ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**63), 10**308, 10**309, -(10**309)),
    *(0.0, -0.5, 1e308, -1e308, 5e-324, 1e18, "", "x" * 5000, "\x1b[31mred\x1b[0m", "\0", "\u202e"),
    *(
        "=1+1",
        "-1",
        "1",
        "nan",
        "../..",
        "a/b@1",
        "poisson:-1",
        "warp",
        [],
        {},
        [[]],
        [{}],
        {"": 0},
    ),
)


def mutated(content: bytes, draw: random.Random) -> bytes:
    """Return a file with one to three damages."""
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        content = draw.choice((_bytes, _tokens, _structure, _structure))(content, draw)
    return content


def _bytes(content: bytes, draw: random.Random) -> bytes:
    begin, end = sorted(draw.randrange(len(content) + 1) for _ in range(2))
    end = min(end, begin + draw.choice((1, 4, 64, 4096)))
    part = content[begin:end]
    change: Callable[[], bytes] = draw.choice(
        (
            lambda: content[:begin],
            lambda: content[:begin] + content[end:],
            lambda: content[:begin] + part + part + content[end:],
            lambda: content[:begin] + draw.randbytes(min(len(part), 8)) + content[end:],
            lambda: (
                content[:begin]
                + bytes(b ^ (1 << draw.randrange(8)) for b in part[:1])
                + content[begin + 1 :]
            ),
        )
    )
    return change()


def _tokens(content: bytes, draw: random.Random) -> bytes:
    found = list(_TOKENS.finditer(content))
    if not found:
        return content + draw.choice(_ODD_TOKENS)
    one, other = draw.choice(found), draw.choice(found)
    put = draw.choice((draw.choice(_ODD_TOKENS), draw.choice(_ODD_TOKENS), other.group()))
    begin = one.start() if draw.random() < 0.8 else one.end()
    return content[:begin] + put + content[one.end() :]


def _structure(content: bytes, draw: random.Random) -> bytes:
    """Change one value of a JSON document, or of one of the lines that are documents."""
    try:
        return json.dumps(_changed(json.loads(content), draw)).encode()
    except (ValueError, RecursionError):
        pass
    lines = content.split(b"\n")
    at = draw.randrange(len(lines))
    try:
        lines[at] = json.dumps(_changed(json.loads(lines[at]), draw)).encode()
    except (ValueError, RecursionError):
        other = draw.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    return b"\n".join(lines)


def _changed(document: Any, draw: random.Random) -> Any:
    document = copy.deepcopy(document)
    places = list(_places(document))
    if not places:
        return draw.choice(_ODD_VALUES)
    parent, key = draw.choice(places)
    action = draw.randrange(6)
    if action == 0:
        del parent[key]
    elif action == 1 and isinstance(parent, dict):
        parent[draw.choice(("\x1b[31m", "x" * 5000, "\u202e", "", "schema_version"))] = parent.pop(
            key
        )
    elif action == 2 and isinstance(parent, list):
        parent += [copy.deepcopy(parent[key])] * draw.choice((1, 1, 100))
    elif action == 3:
        parent[key] = copy.deepcopy(draw.choice(places)[0])
    elif action == 4:
        value = parent[key]
        for _ in range(draw.choice((1, 90, 200))):
            value = [value]
        parent[key] = value
    else:
        parent[key] = draw.choice(_ODD_VALUES)
    return document


def _places(value: Any) -> Any:
    items = (
        list(value.items())
        if isinstance(value, dict)
        else list(enumerate(value))
        if isinstance(value, list)
        else []
    )
    for key, child in items:
        yield value, key
        yield from _places(child)
