"""A JSON schema as it is read: its draft, its references, and what its validator says."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jsonschema import (
    Draft3Validator,
    Draft4Validator,
    Draft6Validator,
    Draft7Validator,
    Draft201909Validator,
    Draft202012Validator,
)
from jsonschema.exceptions import SchemaError
from jsonschema_specifications import REGISTRY
from msgspec.json import decode as from_json
from referencing.exceptions import Unresolvable
from referencing.jsonschema import specification_with

from .errors import ContradictionError, NoInstanceError

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_OF_DRAFT: Mapping[str, Any] = {
    draft.META_SCHEMA.get("$id", draft.META_SCHEMA.get("id", "")).rstrip("#"): draft
    for draft in (
        *(Draft3Validator, Draft4Validator, Draft6Validator, Draft7Validator),
        *(Draft201909Validator, Draft202012Validator),
    )
}
# There a `$ref` stands alone: what is beside it counts for nothing.
_LONE_REFERENCES = (Draft3Validator, Draft4Validator, Draft6Validator, Draft7Validator)
# Under these a text may decide whether a value is valid, though every text of its length was.
_COMPARING = re.compile(rb'"(?:not|oneOf|if|uniqueItems|contains|dependentSchemas)"')
_LEAST_DEPTHS = 12


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a schema.

    Attributes:
        schema: The part itself.
        resolver: Finds what it refers to.
        path: Where it stands, as a JSON pointer.
    """

    schema: Any
    resolver: Any
    path: str

    def without(self, *keywords: str) -> "Part":
        """Return the part less some of its keywords."""
        if not any(keyword in self.schema for keyword in keywords):
            return self
        kept = {key: value for key, value in self.schema.items() if key not in keywords}
        return replace(self, schema=kept)


class Document:
    """A JSON schema, checked by the meta-schema of its draft (2020-12 if it names none).

    Attributes:
        root: The whole schema.
        compares_texts: Whether a text that may be any can make an instance invalid.
    """

    def __init__(self, schema: Any, *, compares_texts: bool) -> None:
        dialect = schema.get("$schema") if isinstance(schema, dict) else None
        draft = _OF_DRAFT.get(str(dialect).rstrip("#"), Draft202012Validator)
        try:
            draft.check_schema(schema)
        except SchemaError as error:
            raise NoInstanceError(_pointer(error.path), _short(error.message)) from None
        self._has_lone_references = draft in _LONE_REFERENCES
        self._specification = specification_with(
            draft.META_SCHEMA.get("$id") or draft.META_SCHEMA["id"]
        )
        resource = self._specification.create_resource(schema)
        # The registry is given, so that no reference is ever looked up in the network.
        self._validator: Validator = draft(
            schema, registry=REGISTRY, format_checker=draft.FORMAT_CHECKER
        )
        self.root = Part(schema, REGISTRY.resolver_with_root(resource), "#")
        self.compares_texts = compares_texts
        self._ends: dict[tuple[int, int], bool] = {}

    @classmethod
    def read(cls, text: bytes) -> "Document":
        """Return the schema of a JSON text.

        Raises:
            NoInstanceError: It is not valid by the meta-schema of its draft.
        """
        return cls(from_json(text), compares_texts=_COMPARING.search(text) is not None)

    def child(self, part: Part, *keys: str | int) -> Part:
        """Return the part of a schema at some keys below another."""
        schema = part.schema
        for key in keys:
            schema = schema[key]
        resolver = part.resolver
        if isinstance(schema, dict) and ("$id" in schema or "id" in schema):
            resolver = resolver.in_subresource(self._specification.create_resource(schema))
        return Part(schema, resolver, "/".join((part.path, *map(_escaped, keys))))

    def children(self, part: Part, keyword: str) -> list[Part]:
        """Return the parts that a keyword lists."""
        return [self.child(part, keyword, index) for index in range(len(part.schema[keyword]))]

    def referred(self, part: Part, keyword: str) -> Part:
        """Return what a part refers to.

        Raises:
            ContradictionError: Nothing in the schema has that name.
        """
        reference = part.schema[keyword]
        try:
            found = part.resolver.lookup(reference)
        except Unresolvable:
            raise ContradictionError(
                f"{part.path}/{keyword}", f"nothing in the schema has the name {reference!r}"
            ) from None
        at = reference if reference.startswith("#") else f"{part.path}/{keyword}"
        return Part(found.contents, found.resolver, at)

    def stands_alone(self, part: Part) -> bool:
        """Return whether a reference is all that counts of a part."""
        return self._has_lone_references and "$ref" in part.schema

    def admits(self, schema: Any, value: object) -> bool:
        """Return whether a value is valid by a part of the schema; yes if that cannot be said."""
        try:
            return bool(self._validator.evolve(schema=schema).is_valid(value))
        except (Unresolvable, re.error):
            return True  # by the whole schema it is held in the end

    def violation(self, value: object) -> NoInstanceError | None:
        """Return why a value is not valid; ``None`` if it is."""
        try:
            error = next(iter(self._validator.iter_errors(value)), None)
        except Unresolvable as missing:
            return NoInstanceError("#", f"nothing in the schema has the name {missing.ref!r}")
        except re.error as broken:
            return NoInstanceError("#", f"the pattern {broken.pattern!r} cannot be read: {broken}")
        if error is None:
            return None
        return NoInstanceError(_pointer(error.absolute_schema_path), _short(error.message))

    def least_depth(self, part: Part) -> int:
        """Return how many containers an instance has one in the other at least; 12 for endless."""
        for limit in range(_LEAST_DEPTHS):
            if self._can_end(part, limit):
                return limit
        return _LEAST_DEPTHS

    def _can_end(self, part: Part, limit: int) -> bool:
        schema = part.schema
        if not isinstance(schema, dict):
            return schema is not False
        key = (id(schema), limit)
        if key not in self._ends:
            self._ends[key] = False  # what refers to itself, and to nothing else, never ends
            self._ends[key] = self._ends_within(part, schema, limit)
        return self._ends[key]

    def _ends_within(self, part: Part, schema: Mapping[str, Any], limit: int) -> bool:
        if "$ref" in schema:
            if not self._can_end(self.referred(part, "$ref"), limit):
                return False
            if self._has_lone_references:
                return True
        if any(not self._can_end(each, limit) for each in self._listed(part, "allOf")):
            return False
        for keyword in ("anyOf", "oneOf"):
            alternatives = self._listed(part, keyword)
            if alternatives and not any(self._can_end(each, limit) for each in alternatives):
                return False
        types = schema.get("type", ())
        if isinstance(types, list) and not {"object", "array"}.issuperset(types):
            return True
        inner = [
            self.child(part, "properties", name)
            for name in schema.get("required", ())
            if types != "array" and name in schema.get("properties", ())
        ]
        if schema.get("minItems", 0) and isinstance(schema.get("items"), dict):
            inner.append(self.child(part, "items"))
        if schema.get("minItems", 0) and "prefixItems" in schema:
            inner += self.children(part, "prefixItems")
        return not inner or (limit > 0 and all(self._can_end(each, limit - 1) for each in inner))

    def _listed(self, part: Part, keyword: str) -> list[Part]:
        return self.children(part, keyword) if keyword in part.schema else []


def _pointer(keys: Iterable[str | int]) -> str:
    return "/".join(("#", *map(_escaped, keys)))


def _escaped(key: str | int) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")


_SHORT = 200


def _short(message: str) -> str:
    return message if len(message) <= _SHORT else f"{message[:_SHORT]}…"
