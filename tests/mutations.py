"""Damages files as editors, disks, merges and other programs do: by byte, token and structure.

All is drawn from a seed, so that a file that broke something can be made again.
"""

import copy
import json
import math
import random
import re
from collections.abc import Callable, Iterator
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


def every_change(document: Any) -> Iterator[tuple[str, Any]]:
    """Yield each way to change one place of a document, by name: leaves, keys, and nesting.

    A list is changed at its first place, and at its last one.
    """
    for path in _paths(document):
        where = "/".join(map(str, path)) or "."
        for number, value in enumerate((*_ODD_VALUES, math.nan, math.inf, *_deep())):
            yield f"{where} = odd value {number}", _with(document, path, lambda _, new=value: new)
        if not path:
            continue
        yield f"{where} left out", _without(document, path)
        yield f"{where} twice as deep", _with(document, path, lambda old: [old])
        yield f"{where} a text", _with(document, path, str)
        if isinstance(path[-1], str):
            for name in ("\x1b[31m", "x" * 5000, "", "schema_version", "0", "-1"):
                yield f"{where} renamed to {name!r:.20}", _renamed(document, path, name)
                yield f"{where} beside {name!r:.20}", _beside(document, path, name)
        else:
            yield f"{where} twice", _repeated(document, path, 1)
            yield f"{where} 500 times", _repeated(document, path, 500)


def _deep() -> Iterator[Any]:
    for depth in (60, 400):
        array: Any = 1
        table: Any = 1
        for _ in range(depth):
            array, table = [array], {"a": table}
        yield array
        yield table


Path = tuple[str | int, ...]


def _paths(value: Any, above: Path = ()) -> Iterator[Path]:
    yield above
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _paths(child, (*above, key))
    elif isinstance(value, list):
        for index in sorted({0, len(value) - 1} if value else ()):
            yield from _paths(value[index], (*above, index))


def _changed_at(document: Any, path: Path, change: Callable[[Any, Any], None]) -> Any:
    """Return a document with its innermost parent changed; only what is above that is copied."""
    new = parent = copy.copy(document)
    for key in path[:-1]:
        parent[key] = copy.copy(parent[key])
        parent = parent[key]
    change(parent, path[-1])
    return new


def _with(document: Any, path: Path, value_of: Callable[[Any], Any]) -> Any:
    if not path:
        return value_of(document)

    def put(parent: Any, key: Any) -> None:
        parent[key] = value_of(parent[key])

    return _changed_at(document, path, put)


def _without(document: Any, path: Path) -> Any:
    return _changed_at(document, path, lambda parent, key: parent.__delitem__(key))


def _renamed(document: Any, path: Path, name: str) -> Any:
    return _changed_at(
        document, path, lambda parent, key: parent.__setitem__(name, parent.pop(key))
    )


def _beside(document: Any, path: Path, name: str) -> Any:
    return _changed_at(document, path, lambda parent, key: parent.setdefault(name, parent[key]))


def _repeated(document: Any, path: Path, times: int) -> Any:
    return _changed_at(document, path, lambda parent, index: parent.extend([parent[index]] * times))
