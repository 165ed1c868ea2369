"""Instances of the schemas that people use, and what is refused."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for
from pydantic import TypeAdapter
from warpbench.mocks.model.schemas import FreeString, Instances, NoInstanceError, lorem

from .corpus import CORPUS
from .pydantic_models import TYPES

pytestmark = pytest.mark.once

INSTANCES = Instances()
SEEDS = [f"{session}.0" for session in range(24)]


def text_of(schema: Any) -> bytes:
    return json.dumps(schema).encode()


def instance(schema: Any, seed: str = "0.0", **more: Any) -> Any:
    return json.loads(INSTANCES.instance(text_of(schema), seed, lorem, **more))


def violations(schema: Any, value: Any) -> list[str]:
    draft = validator_for(schema, default=Draft202012Validator)
    validator = draft(schema, format_checker=draft.FORMAT_CHECKER)
    return [error.message for error in validator.iter_errors(value)]


def test_the_corpus_has_sixty_schemas() -> None:
    assert len(CORPUS) == 60


@pytest.mark.parametrize("is_lean", [False, True], ids=["answers", "arguments"])
@pytest.mark.parametrize("name", CORPUS)
def test_each_has_instances_that_are_valid(name: str, is_lean: bool) -> None:
    schema = CORPUS[name]

    assert not any(violations(schema, instance(schema, seed, is_lean=is_lean)) for seed in SEEDS)


@pytest.mark.parametrize("name", TYPES)
def test_pydantic_reads_those_of_its_models(name: str) -> None:
    schema = text_of(CORPUS[f"pydantic: {name}"])

    for seed in SEEDS:
        TypeAdapter(TYPES[name]).validate_json(INSTANCES.instance(schema, seed, lorem))


def test_they_are_small() -> None:
    sizes = sorted(
        len(INSTANCES.instance(text_of(schema), seed, lorem))
        for schema in CORPUS.values()
        for seed in SEEDS
    )

    assert sizes[len(sizes) // 2] < 200
    assert sizes[-1] < 2000


def test_a_seed_decides_and_others_differ() -> None:
    schema = CORPUS["pydantic: invoice"]

    assert instance(schema, "3.1") == instance(schema, "3.1")
    assert len({json.dumps(instance(schema, seed)) for seed in SEEDS}) > 8
    assert Instances().instance(text_of(schema), "3.1", lorem) == INSTANCES.instance(
        text_of(schema), "3.1", lorem
    )


PRINTS_ALL = """
import json, sys
from warpbench.mocks.model.schemas import Instances, lorem
instances = Instances()
for line in sys.stdin:
    print(instances.instance(line.strip().encode(), "1.1", lorem))
"""


def test_no_hash_of_a_string_has_a_part_in_it() -> None:
    lines = "\n".join(json.dumps(schema) for schema in CORPUS.values())

    def printed(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", PRINTS_ALL]
        return subprocess.run(
            command, input=lines, env=environment, capture_output=True, text=True, check=True
        ).stdout

    assert printed("1") == printed("2")


def test_free_strings_are_made_by_a_function_and_no_others() -> None:
    schema = {
        "type": "object",
        "properties": {
            "free": {"type": "string"},
            "wide": {"type": "string", "minLength": 50, "maxLength": 60},
            "short": {"type": "string", "maxLength": 39},
            "day": {"type": "string", "format": "date"},
            "own": {"type": "string", "format": "no format that is known"},
            "code": {"type": "string", "pattern": "^[A-Z]+$"},
            "kind": {"enum": ["a", "b"]},
            "one": {"const": "one"},
        },
        "additionalProperties": {"type": "string"},
        "minProperties": 9,
    }
    schema["required"] = list(schema["properties"])  # type: ignore[call-overload]

    def marked(free: FreeString) -> str:
        return ("MARK" + lorem(free) + "!" * free.min_length)[: free.max_length]

    found = json.loads(INSTANCES.instance(text_of(schema), "0.0", marked))

    beginning = [name for name, value in found.items() if value.startswith("MARK")]
    assert beginning == ["free", "wide", "alpha1"]
    assert not any("MARK" in name for name in found)


def test_texts_that_make_an_instance_invalid_are_refused() -> None:
    schema = {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "minItems": 2}

    with pytest.raises(NoInstanceError, match="uniqueItems"):
        INSTANCES.instance(text_of(schema), "0.0", lambda _: "always the same")


CHAIN = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}
ENDLESS = {
    "type": "object",
    "properties": {"next": {"$ref": "#"}},
    "required": ["next"],
}

REFUSED: list[tuple[str, Any, str]] = [
    ("nothing is valid", False, "#"),
    ("no such type", {"properties": {"a": {"type": "strin"}}}, "#/properties/a/type"),
    (
        "a bound above another",
        {"properties": {"a": {"type": "integer", "minimum": 3, "maximum": 2}}, "required": ["a"]},
        "#/properties/a/maximum",
    ),
    (
        "no multiple within the bounds",
        {"type": "integer", "minimum": 8, "maximum": 9, "multipleOf": 7},
        "#/multipleOf",
    ),
    ("no value", {"type": "object", "required": ["a"], "properties": {"a": {"enum": []}}}, "#/pro"),
    ("types that exclude each other", {"allOf": [{"type": "string"}, {"type": "null"}]}, "#/all"),
    ("too few letters", {"type": "string", "minLength": 3, "maxLength": 2}, "#/maxLength"),
    ("a pattern too long", {"type": "string", "pattern": "^abc$", "maxLength": 2}, "#/pattern"),
    ("a pattern of another language", {"type": "string", "pattern": r"^\p{L}+$"}, "#/pattern"),
    ("a reference to nothing", {"$ref": "#/$defs/none"}, "#/$ref"),
    ("a reference to elsewhere", {"$ref": "https://example.com/schema"}, "#/$ref"),
    ("references in a circle", CHAIN, "#"),
    ("recursion without an end", ENDLESS, "#"),
    ("too few that differ", {"type": "array", "items": {"enum": [1]}, "minItems": 2,
                             "uniqueItems": True}, "#/items"),
    ("required, but not allowed", {"type": "object", "required": ["a"],
                                   "additionalProperties": False}, "#/additionalProperties"),
    ("too many required", {"type": "object", "required": ["a", "b"], "maxProperties": 1}, "#/max"),
    ("more than are allowed", {"type": "object", "minProperties": 1,
                               "additionalProperties": False}, "#/minProperties"),
    ("a text without an end", {"type": "string", "minLength": 10**9}, "#/minLength"),
    ("a rule that denies itself", {"type": "string", "not": {"$ref": "#"}}, "#"),
    ("not what it is", {"type": "integer", "not": {"type": "integer"}}, "#/not"),
    ("too few items", {"type": "array", "prefixItems": [{}], "items": False, "minItems": 2},
     "#/minItems"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "path"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_schema_without_an_instance_is_refused_with_the_path(schema: Any, path: str) -> None:
    with pytest.raises(NoInstanceError) as refused:
        instance(schema)

    assert refused.value.path.startswith(path)
    assert refused.value.reason


@pytest.mark.parametrize(
    "text",
    [
        b'{"allOf":[' * 5000 + b"{}" + b"]}" * 5000,
        b'{"type": "\xff"}',
        b'{"type": "number", "minimum": 1e308, "multipleOf": 1e-300}',
        b"[]",
        b"3",
    ],
)
def test_so_is_what_is_no_schema_or_more_than_python_can_take(text: bytes) -> None:
    with pytest.raises(NoInstanceError):
        INSTANCES.instance(text, "0.0", lorem)


def test_what_a_schema_admits() -> None:
    schema = text_of({"type": "object", "properties": {"a": {"type": "integer"}}})

    assert INSTANCES.admits(schema, '{"a": 1}')
    assert not INSTANCES.admits(schema, '{"a": "1"}')


NAMES = st.sampled_from(["a", "b", "c/d", "e~f", "ü", "kind"])
SCALARS = st.one_of(
    st.integers(-(10**6), 10**6).flatmap(
        lambda low: st.integers(0, 1000).map(
            lambda span: {"type": "integer", "minimum": low, "maximum": low + span}
        )
    ),
    st.floats(-1e6, 1e6).map(lambda low: {"type": "number", "exclusiveMinimum": low}),
    st.tuples(st.integers(0, 80), st.integers(0, 80)).map(
        lambda ends: {"type": "string", "minLength": min(ends), "maxLength": max(ends)}
    ),
    st.lists(
        st.sampled_from(["a", "[b-y]", r"\d{2}", "[^0-9]", r"\w+", "(x|yz)?", r"\.", "(?:é)"]),
        min_size=1,
    ).map(lambda parts: {"type": "string", "pattern": f"^{''.join(parts)}$"}),
    st.sampled_from(["date", "date-time", "email", "uuid", "ipv4", "uri", "hostname"]).map(
        lambda form: {"type": "string", "format": form}
    ),
    st.lists(st.one_of(st.none(), st.booleans(), st.text(max_size=4)), min_size=1).map(
        lambda members: {"enum": members}
    ),
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {}, {"type": ["string", "null"]}]),
)  # fmt: skip


def _object(properties: dict[str, Any], required: set[str], closed: bool) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": properties,
        "required": sorted(required & properties.keys()),
    }
    return {**schema, "additionalProperties": False} if closed else schema


def _containers(inner: Any) -> Any:
    return st.one_of(
        st.builds(
            _object, st.dictionaries(NAMES, inner, max_size=4), st.sets(NAMES), st.booleans()
        ),
        st.tuples(inner, st.integers(0, 3)).map(
            lambda pair: {"type": "array", "items": pair[0], "minItems": pair[1]}
        ),
        st.lists(inner, min_size=1, max_size=3).map(lambda inner: {"anyOf": inner}),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda inner: {"type": "array", "prefixItems": inner, "minItems": len(inner)}
        ),
        inner.map(lambda one: {"type": "object", "additionalProperties": one, "minProperties": 2}),
        inner.map(lambda one: {"$defs": {"one": one}, "allOf": [one]}),
        st.lists(inner, min_size=1, max_size=3).map(_tagged),
    )


def _tagged(alternatives: list[Any]) -> dict[str, Any]:
    """Return a union whose members have tags, as pydantic's discriminated ones."""
    members = [
        {
            "type": "object",
            "properties": {"tag": {"const": f"t{index}"}, "value": value},
            "required": ["tag", "value"],
        }
        for index, value in enumerate(alternatives)
    ]
    return {"oneOf": members}


SCHEMAS = st.recursive(SCALARS, _containers, max_leaves=12)


@settings(max_examples=30, deadline=None)
@given(schema=SCHEMAS, seed=st.sampled_from(SEEDS), is_lean=st.booleans())
def test_every_schema_that_has_instances_gets_a_valid_one(
    schema: Any, seed: str, is_lean: bool
) -> None:
    made = Instances().instance(text_of(schema), seed, lorem, is_lean=is_lean)

    assert violations(schema, json.loads(made)) == []


ANY_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)
KEYWORDS = st.sampled_from(
    [
        *(
            "type",
            "enum",
            "const",
            "minimum",
            "maxLength",
            "pattern",
            "format",
            "items",
            "not",
            "if",
        ),
        *("properties", "required", "anyOf", "oneOf", "allOf", "$ref", "$defs", "minItems", "then"),
        *("additionalProperties", "patternProperties", "prefixItems", "contains", "multipleOf"),
    ]
)


SENT = st.dictionaries(KEYWORDS, ANY_JSON, max_size=4)


@settings(max_examples=70, deadline=None)
@given(schema=SENT)
def test_whatever_is_sent_as_a_schema_is_answered_validly_or_refused(schema: Any) -> None:
    try:
        made = Instances().instance(text_of(schema), "0.0", lorem)
    except NoInstanceError:
        return
    assert violations(schema, json.loads(made)) == []
