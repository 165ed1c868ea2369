"""An object that satisfies several parts of a schema at once."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .bounds import greatest, least, place_of
from .document import Part
from .errors import ContradictionError
from .patterns import text_of_pattern

if TYPE_CHECKING:
    from .building import Builder

_REDRAWN = 20
_SHARE = 0.5
_MOST_OF_A_MAPPING = 2
_NAMES = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta")
_DEPENDENT = ("dependentSchemas", "dependencies")


def object_of(builder: "Builder", parts: tuple[Part, ...], depth: int) -> dict[str, Any]:
    """Return an object.

    Raises:
        ContradictionError: There is none.
    """
    required = _required(parts)
    for index, part in enumerate(parts):
        for keyword in _DEPENDENT:
            more = [
                builder.document.child(part, keyword, name)
                for name, schema in part.schema.get(keyword, {}).items()
                if name in required and not isinstance(schema, list)
            ]
            if more:
                rest = (*parts[:index], part.without(keyword), *parts[index + 1 :])
                value: dict[str, Any] = builder.build((*rest, *more), depth)
                return value
    return _Properties(builder, parts, depth).filled(required)


class _Properties:
    """The properties of one object, as its parts declare them."""

    def __init__(self, builder: "Builder", parts: tuple[Part, ...], depth: int) -> None:
        self._builder = builder
        self._parts = parts
        self._depth = depth
        self._at_least: int = greatest(parts, "minProperties", 0)
        self._at_most: int | None = least(parts, "maxProperties")
        self._declared = list(
            dict.fromkeys(name for part in parts for name in part.schema.get("properties", ()))
        )

    def filled(self, required: list[str]) -> dict[str, Any]:
        if self._at_most is not None and len(required) > self._at_most:
            place = place_of(self._parts, "maxProperties")
            raise ContradictionError(place, f"{len(required)} properties are required")
        found = {name: self._value(name) for name in required}
        for name in self._optional(required):
            if self._is_full(found):
                break
            if len(found) < self._at_least or self._is_drawn():
                with suppress(ContradictionError):
                    found[name] = self._value(name)
        self._fill_up(found)
        order = {name: index for index, name in enumerate(self._declared)}
        return dict(sorted(found.items(), key=lambda item: order.get(item[0], len(order))))

    def _is_drawn(self) -> bool:
        """Draw whether to take a property that may be left out."""
        return not self._builder.is_spare(self._depth) and self._builder.random.random() < _SHARE

    def _is_full(self, found: dict[str, Any]) -> bool:
        return self._at_most is not None and len(found) >= self._at_most

    def _optional(self, required: list[str]) -> Iterator[str]:
        """Yield the properties that may be left out, but for those on which others depend."""
        triggers = {
            name
            for part in self._parts
            for keyword in ("dependentRequired", *_DEPENDENT)
            for name in part.schema.get(keyword, ())
        }
        for name in self._declared:
            if name not in required and name not in triggers:
                yield name

    def _parts_of(self, name: str) -> tuple[Part, ...]:
        """Return what the value of a property must satisfy."""
        document = self._builder.document
        found: list[Part] = []
        for part in self._parts:
            before = len(found)
            if name in part.schema.get("properties", ()):
                found.append(document.child(part, "properties", name))
            found += [
                document.child(part, "patternProperties", pattern)
                for pattern in part.schema.get("patternProperties", ())
                if _matches(pattern, name)
            ]
            if len(found) == before and "additionalProperties" in part.schema:
                found.append(document.child(part, "additionalProperties"))
        return tuple(found)

    def _value(self, name: str) -> Any:
        return self._builder.build(self._parts_of(name), self._depth + 1)

    def _fill_up(self, found: dict[str, Any]) -> None:
        """Add properties that are not declared: as many as are asked for, and some of a mapping."""
        wanted = self._at_least
        if not found and self._is_mapping() and not self._builder.is_spare(self._depth):
            wanted = max(wanted, self._builder.random.randint(1, _MOST_OF_A_MAPPING))
        if self._at_most is not None:
            wanted = min(wanted, self._at_most)
        for _ in range(_REDRAWN + wanted):
            if len(found) >= wanted:
                return
            name = self._new_name(len(found))
            if name is None:
                break
            if name not in found:
                try:
                    found[name] = self._value(name)
                except ContradictionError:
                    if self._at_least > len(found):
                        raise
                    return
        if len(found) < self._at_least:
            place = place_of(self._parts, "minProperties")
            raise ContradictionError(place, "no more properties are allowed")

    def _is_mapping(self) -> bool:
        """Return whether any names are allowed, and none is declared."""
        return not self._declared and any(
            isinstance(part.schema.get("additionalProperties"), dict)
            or part.schema.get("patternProperties")
            for part in self._parts
        )

    def _new_name(self, index: int) -> str | None:
        """Return the name of a property that is not declared; ``None`` if there can be none."""
        patterns = [
            pattern
            for part in self._parts
            for pattern in part.schema.get("patternProperties", ())
            if part.schema["patternProperties"][pattern] is not False
        ]
        if patterns:
            return text_of_pattern(self._builder.random, patterns[index % len(patterns)])
        if any(part.schema.get("additionalProperties") is False for part in self._parts):
            return None
        rules = tuple(
            self._builder.document.child(part, "propertyNames")
            for part in self._parts
            if "propertyNames" in part.schema
        )
        if rules:
            name: str = self._builder.name(rules, self._depth + 1)
            return name
        return f"{_NAMES[index % len(_NAMES)]}{index // len(_NAMES) or ''}"


def _required(parts: tuple[Part, ...]) -> list[str]:
    """Return the names of the properties that are required, and of those that these require."""
    found = dict.fromkeys(name for part in parts for name in _names(part.schema.get("required")))
    waiting = list(found)
    while waiting:
        trigger = waiting.pop()
        for part in parts:
            for keyword in ("dependentRequired", "dependencies"):
                for name in _names(part.schema.get(keyword, {}).get(trigger)):
                    if name not in found:
                        found[name] = None
                        waiting.append(name)
    return list(found)


def _names(names: object) -> list[str]:
    return names if isinstance(names, list) else []


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return False  # the check of the whole says so
