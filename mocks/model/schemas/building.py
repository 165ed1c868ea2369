"""Builds a value that satisfies several parts of a schema at once.

``allOf``, references and a chosen alternative all ask the same: that a value satisfies some more
parts. So a value is always built for a *conjunction*, a tuple of parts. References and ``allOf``
are dissolved first, then alternatives are tried one after the other, then the value is made by its
type. A part that contradicts another raises, and the next alternative is tried. What cannot be
built for (``not``, exactly one of several) is checked, and drawn again.
"""

from collections.abc import Iterable, Iterator, Mapping
from random import Random
from typing import Any

from .arrays import array_of
from .bounds import place_of
from .document import Document, Part
from .errors import ContradictionError, IntricateError
from .numbers import number_of
from .objects import object_of
from .strings import string_of
from .templates import FreeString, lorem

_STEPS = 20_000
_REDRAWN = 12
_DEEP = 2
_DEEPEST = 12
_SMALL = 40
_DISSOLVED = 200
_CHOICES = ("anyOf", "oneOf", "if", "not")
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
_IMPLIED_BY: Mapping[str, tuple[str, ...]] = {
    "object": (
        *("properties", "required", "additionalProperties", "patternProperties", "minProperties"),
        *("propertyNames", "unevaluatedProperties"),
    ),
    "array": ("items", "prefixItems", "minItems", "contains", "uniqueItems"),
    "string": ("pattern", "format", "minLength", "maxLength"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}

Conjunction = tuple[Part, ...]


class Builder:
    """Builds one value; drawn anew, it takes a new builder.

    Args:
        document: The schema.
        random: Draws whatever the schema leaves open.
        is_lean: Whether to leave out what is not required, and to take defaults as they are.
    """

    def __init__(self, document: Document, random: Random, *, is_lean: bool) -> None:
        self.document = document
        self.random = random
        self.is_lean = is_lean
        self._steps = 0
        self._values = 0
        self._strings = 0

    def build(self, conjunction: Conjunction, depth: int) -> Any:
        """Return a value that satisfies all parts, as far as building can see to it.

        Args:
            conjunction: The parts.
            depth: In how many containers the value is.

        Raises:
            ContradictionError: There is none.
            IntricateError: Too many alternatives were tried.
        """
        self._steps += 1
        if self._steps > _STEPS:
            raise IntricateError("#", f"no instance was found in {_STEPS:,} steps")
        if depth > _DEEPEST:
            raise ContradictionError(place_of(conjunction), "the recursion does not end")
        parts = self._dissolved(conjunction)
        for index, part in enumerate(parts):
            for keyword in _CHOICES:
                if keyword in part.schema:
                    return self._chosen(parts, index, keyword, depth)
        return self._by_type(parts, depth)

    def is_spare(self, depth: int) -> bool:
        """Return whether what may be left out is left out: the instance is deep, or large."""
        return self.is_lean or depth > _DEEP or self._values > _SMALL

    def name(self, conjunction: Conjunction, depth: int) -> Any:
        """Return the name of a property, which is no free string."""
        name = self.build(conjunction, depth)
        return lorem(name).replace(" ", "_") if isinstance(name, FreeString) else name

    def free_string(self, min_length: int, max_length: int | None) -> FreeString:
        """Return a string that may hold any text."""
        self._strings += 1
        return FreeString(self._strings, min_length, max_length)

    def _dissolved(self, conjunction: Conjunction) -> Conjunction:
        """Return the parts with what they refer to, and with what `allOf` lists."""
        found: list[Part] = []
        waiting = list(reversed(conjunction))
        for _ in range(_DISSOLVED):
            if not waiting:
                return tuple(found)
            part = waiting.pop()
            if part.schema is True:
                continue
            if part.schema is False:
                raise ContradictionError(part.path, "nothing is allowed here")
            alone = self.document.stands_alone(part)
            if not alone and "allOf" in part.schema:
                waiting += reversed(self.document.children(part, "allOf"))
            for keyword in _REFERENCES:
                if keyword in part.schema:
                    waiting.append(self.document.referred(part, keyword))
            if not alone:
                found.append(part.without("allOf", *_REFERENCES))
        raise ContradictionError(place_of(conjunction), "it refers to itself, and to nothing else")

    def _chosen(self, parts: Conjunction, index: int, keyword: str, depth: int) -> Any:
        """Return a value for one of the alternatives that a part leaves."""
        part = parts[index]
        keywords = ("if", "then", "else") if keyword == "if" else (keyword,)
        rest = (*parts[:index], part.without(*keywords), *parts[index + 1 :])
        checked = {key: part.schema[key] for key in keywords if key in part.schema}
        failure = ContradictionError(f"{part.path}/{keyword}", "no value was found")
        for alternative in self._alternatives(part, keyword, depth):
            # By `anyOf` a value is valid that is valid by the alternative.
            for _ in range(1 if keyword == "anyOf" else _REDRAWN):
                try:
                    value = self.build((*rest, *alternative), depth)
                except ContradictionError as error:
                    failure = error
                    break
                if keyword == "anyOf" or self.document.admits(checked, with_texts(value)):
                    return value
        raise failure

    def _alternatives(self, part: Part, keyword: str, depth: int) -> Iterable[Conjunction]:
        if keyword == "not":
            return [()]
        if keyword == "if":
            then, otherwise = (
                (self.document.child(part, key),) if key in part.schema else ()
                for key in ("then", "else")
            )
            pair = [(self.document.child(part, "if"), *then), otherwise]
            return pair if self.is_lean else self.random.sample(pair, 2)
        return [(each,) for each in self._ordered(self.document.children(part, keyword), depth)]

    def _ordered(self, alternatives: list[Part], depth: int) -> list[Part]:
        """Return alternatives in the order in which to try them: deep ones end soon."""
        # So pydantic writes a decimal number; a text that is none would be valid, and of no use.
        is_decimal = [_type_of(each) for each in alternatives] == ["number", "string"]
        if not self.is_lean and not is_decimal:
            self.random.shuffle(alternatives)
        if depth >= _DEEP or self.is_spare(depth):
            return sorted(alternatives, key=self.document.least_depth)
        return alternatives

    def _by_type(self, parts: Conjunction, depth: int) -> Any:
        self._values += 1
        listed = next(_listed(parts), None)
        if listed is not None:
            return self._listed_value(parts, *listed)
        if self.is_lean:
            for part in parts:
                if "default" in part.schema and self._admitted(parts, part.schema["default"]):
                    return part.schema["default"]
        failure = ContradictionError(place_of(parts, "type"), "the types exclude each other")
        for kind in self._types(parts, depth):
            try:
                return self._of_type(kind, parts, depth)
            except ContradictionError as error:
                failure = error
        raise failure

    def _admitted(self, parts: Conjunction, value: object) -> bool:
        return all(self.document.admits(part.schema, value) for part in parts)

    def _listed_value(self, parts: Conjunction, path: str, members: list[Any]) -> Any:
        fitting = [value for value in members if self._admitted(parts, value)]
        if not fitting:
            raise ContradictionError(path, "none of its values is valid by the rest")
        return self.random.choice(fitting)

    def _types(self, parts: Conjunction, depth: int) -> list[str]:
        """Return the types that all parts allow, in the order in which to try them."""
        named = [
            [kind] if isinstance(kind, str) else kind
            for kind in (part.schema.get("type") for part in parts)
            if kind is not None
        ]
        if not named:
            return [_implied(parts)]
        allowed = [kind for kind in named[0] if kind in _TYPES]
        for others in named[1:]:
            allowed = [_narrower(kind, others) for kind in allowed]
        kinds = [kind for kind in allowed if kind]
        if not self.is_lean:
            self.random.shuffle(kinds)
        elif "null" in kinds:
            kinds.sort(key="null".__eq__)
        if depth >= _DEEP:
            kinds.sort(key=("object", "array").__contains__)
        return kinds

    def _of_type(self, kind: str, parts: Conjunction, depth: int) -> Any:
        match kind:
            case "object":
                return object_of(self, parts, depth)
            case "array":
                return array_of(self, parts, depth)
            case "string":
                return string_of(self, parts)
            case "number" | "integer":
                return number_of(self.random, parts, is_integer=kind == "integer")
            case "boolean":
                return self.random.random() < 0.5  # noqa: PLR2004 - a coin
            case _:
                return None


def _listed(parts: Conjunction) -> Iterator[tuple[str, list[Any]]]:
    """Yield the values that a part lists, and where."""
    for part in parts:
        if "const" in part.schema:
            yield f"{part.path}/const", [part.schema["const"]]
        if "enum" in part.schema:
            yield f"{part.path}/enum", part.schema["enum"]


def _type_of(part: Part) -> object:
    return part.schema.get("type") if isinstance(part.schema, dict) else None


def _implied(parts: Conjunction) -> str:
    """Return the type that the keywords are about, where none is named."""
    for kind, keywords in _IMPLIED_BY.items():
        if any(keyword in part.schema for part in parts for keyword in keywords):
            return kind
    return "string"


def _narrower(kind: str, others: list[str]) -> str:
    """Return the type that is of both; an empty string if none is."""
    if kind in others:
        return kind
    if kind == "integer" and "number" in others:
        return kind
    return "integer" if kind == "number" and "integer" in others else ""


def with_texts(value: Any) -> Any:
    """Return a value with texts in place of its free strings."""
    if isinstance(value, FreeString):
        return lorem(value)
    if isinstance(value, dict):
        return {name: with_texts(member) for name, member in value.items()}
    return [with_texts(item) for item in value] if isinstance(value, list) else value
