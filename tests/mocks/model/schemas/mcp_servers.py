"""Schemas of tools' arguments in the forms in which MCP servers declare them."""

from collections.abc import Mapping
from typing import Any

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"


def _object(required: list[str], closed: bool = True, **properties: Any) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": properties, "required": required}
    return {**schema, "additionalProperties": False, "$schema": DRAFT_7} if closed else schema


_TEXT = {"type": "string"}
_EDIT = {
    "type": "object",
    "properties": {
        "oldText": {"type": "string", "description": "Text to find."},
        "newText": {"type": "string", "description": "Text to put in its place."},
    },
    "required": ["oldText", "newText"],
    "additionalProperties": False,
}
_BLOCK: dict[str, Any] = {
    "oneOf": [
        {
            "type": "object",
            "properties": {
                "type": {"const": "paragraph"},
                "paragraph": {
                    "type": "object",
                    "properties": {"rich_text": {"$ref": "#/$defs/richText"}},
                    "required": ["rich_text"],
                },
            },
            "required": ["type", "paragraph"],
        },
        {
            "type": "object",
            "properties": {
                "type": {"const": "to_do"},
                "to_do": {
                    "type": "object",
                    "properties": {
                        "rich_text": {"$ref": "#/$defs/richText"},
                        "checked": {"type": "boolean"},
                    },
                    "required": ["rich_text", "checked"],
                },
            },
            "required": ["type", "to_do"],
        },
    ]
}

MCP: Mapping[str, dict[str, Any]] = {
    "filesystem: read": _object(
        ["path"],
        path=_TEXT,
        tail={"type": "number", "description": "Only the last lines."},
        head={"type": "number"},
    ),
    "filesystem: read many": _object(["paths"], paths={"type": "array", "items": _TEXT}),
    "filesystem: edit": _object(
        ["path", "edits"],
        path=_TEXT,
        edits={"type": "array", "items": _EDIT},
        dryRun={"type": "boolean", "default": False},
    ),
    "filesystem: list": _object(
        ["path"], path=_TEXT, sortBy={"type": "string", "enum": ["name", "size"], "default": "name"}
    ),
    "fetch": {
        "title": "Fetch",
        "description": "Parameters of a fetch.",
        **_object(
            ["url"],
            closed=False,
            url={"type": "string", "format": "uri", "minLength": 1, "title": "Url"},
            max_length={
                "type": "integer",
                "default": 5000,
                "exclusiveMinimum": 0,
                "exclusiveMaximum": 1000000,
            },
            start_index={"type": "integer", "default": 0, "minimum": 0},
            raw={"type": "boolean", "default": False},
        ),
    },
    "git: log": _object(
        ["repo_path"],
        closed=False,
        repo_path={"title": "Repo Path", "type": "string"},
        max_count={"default": 10, "title": "Max Count", "type": "integer"},
        start_timestamp={
            "anyOf": [{"type": "string"}, {"type": "null"}],
            "default": None,
            "description": "When to begin.",
        },
    ),
    "git: add": _object(
        ["repo_path", "files"],
        closed=False,
        repo_path=_TEXT,
        files={"type": "array", "items": _TEXT, "minItems": 1},
    ),
    "memory: create entities": _object(
        ["entities"],
        entities={
            "type": "array",
            "items": _object(
                ["name", "entityType", "observations"],
                closed=False,
                name=_TEXT,
                entityType=_TEXT,
                observations={"type": "array", "items": _TEXT},
            ),
        },
    ),
    "sequential thinking": _object(
        ["thought", "nextThoughtNeeded", "thoughtNumber", "totalThoughts"],
        thought=_TEXT,
        nextThoughtNeeded={"type": "boolean"},
        thoughtNumber={"type": "integer", "minimum": 1, "maximum": 9007199254740991},
        totalThoughts={"type": "integer", "minimum": 1, "maximum": 9007199254740991},
        branchId=_TEXT,
    ),
    "time: convert": _object(
        ["source_timezone", "time", "target_timezone"],
        closed=False,
        source_timezone={
            "type": "string",
            "description": "A name of the IANA, as in Europe/Vienna",
        },
        time={"type": "string", "pattern": "^([01]?[0-9]|2[0-3]):[0-5][0-9]$"},
        target_timezone=_TEXT,
    ),
    "everything: structured": _object(
        ["location"], location={"type": "string", "enum": ["New York", "Chicago", "Los Angeles"]}
    ),
    "everything: no arguments": {"type": "object", "properties": {}},
    "github: search": _object(
        ["query"],
        closed=False,
        query=_TEXT,
        order={"type": "string", "enum": ["asc", "desc"]},
        page={"type": "number", "minimum": 1},
        perPage={"type": "number", "minimum": 1, "maximum": 100},
        sort={"type": "string", "enum": ["comments", "reactions", "created", "updated"]},
    ),
    "github: push files": _object(
        ["owner", "repo", "branch", "files", "message"],
        closed=False,
        owner=_TEXT,
        repo=_TEXT,
        branch=_TEXT,
        files={
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"path": _TEXT, "content": _TEXT},
                "required": ["path", "content"],
            },
        },
        message=_TEXT,
    ),
    "browser: fill form": _object(
        ["fields"],
        fields={
            "type": "array",
            "minItems": 1,
            "items": _object(
                ["name", "type", "ref", "value"],
                name=_TEXT,
                type={"type": "string", "enum": ["textbox", "checkbox", "radio", "combobox"]},
                ref={"type": "string", "pattern": "^e\\d+$"},
                value=_TEXT,
            ),
        },
    ),
    "documents: append blocks": {
        "$schema": DRAFT_2020,
        "$defs": {
            "richText": {
                "type": "array",
                "minItems": 1,
                "maxItems": 100,
                "items": {
                    "type": "object",
                    "properties": {
                        "type": {"type": "string", "enum": ["text"]},
                        "text": {
                            "type": "object",
                            "properties": {"content": {"type": "string", "maxLength": 2000}},
                            "required": ["content"],
                        },
                    },
                    "required": ["text"],
                },
            },
            "block": _BLOCK,
        },
        "type": "object",
        "properties": {
            "block_id": {"type": "string", "format": "uuid"},
            "children": {"type": "array", "items": {"$ref": "#/$defs/block"}, "minItems": 1},
        },
        "required": ["block_id", "children"],
    },
    "database: query": _object(
        ["filter"],
        filter={
            "oneOf": [
                {
                    "type": "object",
                    "properties": {
                        "and": {"type": "array", "items": {"$ref": "#/definitions/test"}}
                    },
                    "required": ["and"],
                    "additionalProperties": False,
                },
                {"$ref": "#/definitions/test"},
            ]
        },
    )
    | {
        "definitions": {
            "test": _object(
                ["property", "equals"],
                property=_TEXT,
                equals={"type": ["string", "number", "boolean", "null"]},
            )
        }
    },
}
