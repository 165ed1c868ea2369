"""What Anthropic's SDK leaves in descriptions is read back."""

import json
from typing import Any

import pytest
from anthropic import transform_schema
from pydantic import TypeAdapter
from warpbench.mocks.model.described_bounds import with_described_bounds
from warpbench.mocks.model.schemas import Instances, lorem

from .schemas.pydantic_models import TYPES

pytestmark = pytest.mark.once

INSTANCES = Instances()
# Models that the SDK itself refuses, or of whose schemas it keeps too little: names by pattern,
# places in tuples, what any object may hold.
NOT_TAKEN = {"anything", "tables", "tuples", "typed extras"}


def read(schema: Any) -> Any:
    return json.loads(with_described_bounds(json.dumps(schema).encode()))


def test_bounds_are_read_back() -> None:
    schema = {
        "type": "object",
        "properties": {
            "age": {"type": "integer", "minimum": 0, "maximum": 130, "description": "The age."},
            "code": {"type": "string", "pattern": r"^\d{2}, \d$", "minLength": 3},
            "share": {"type": "number", "multipleOf": 0.25, "default": 0.5},
            "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
        },
        "required": ["age"],
    }

    properties = read(transform_schema(schema))["properties"]

    bounds = {name: each.keys() - {"description"} for name, each in properties.items()}
    assert bounds == {
        "age": {"type", "minimum", "maximum"},
        "code": {"type", "pattern", "minLength"},
        "share": {"type", "multipleOf"},
        "tags": {"type", "items", "maxItems"},
    }
    assert properties["age"]["maximum"] == 130
    assert properties["code"]["minLength"] == 3
    assert properties["share"]["multipleOf"] == 0.25


@pytest.mark.parametrize(
    "description",
    [
        "a text",
        "{}",
        "a set {minimum: 1} in a sentence",
        "{minimum: the least}",
        "{pattern: ([}",
        "{whatever: 1}",
        "minimum: the least.",
        "The age; minimum: 3.",
        "minimum: 3",
    ],
)
def test_other_words_in_braces_are_left_alone(description: str) -> None:
    schema = {"type": "integer", "description": description}

    assert read(schema) == schema


@pytest.mark.parametrize(
    ("description", "bounds"),
    [
        ("The age.\nminimum: 0; maximum: 130.", {"minimum": 0, "maximum": 130}),
        ("min length: 2; max length: 12.", {"minLength": 2, "maxLength": 12}),
        (
            "multiple of: 0.5; unique items: true; format: cuid.",
            {"multipleOf": 0.5, "uniqueItems": True, "format": "cuid"},
        ),
        (r"pattern: ^\d{3}\.$; not: {\"const\":1}.", {"pattern": r"^\d{3}\.$"}),
    ],
)
def test_so_are_those_that_the_ai_package_writes(
    description: str, bounds: dict[str, object]
) -> None:
    found = read({"type": "integer", "description": description})

    assert found == {"type": "integer", "description": description, **bounds}


@pytest.mark.parametrize("name", sorted(TYPES.keys() - NOT_TAKEN))
def test_what_is_made_of_a_transformed_schema_is_read_by_the_model(name: str) -> None:
    schema = json.dumps(transform_schema(TypeAdapter(TYPES[name]).json_schema())).encode()

    for seed in range(12):
        instance = INSTANCES.instance(with_described_bounds(schema), str(seed), lorem)
        TypeAdapter(TYPES[name]).validate_json(instance)
