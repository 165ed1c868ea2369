"""Schemas as people write them by hand, for structured output and by the specification."""

from collections.abc import Mapping
from typing import Any

TEXT = {"type": "string"}

BY_HAND: Mapping[str, dict[str, Any]] = {
    "steps of a solution": {
        "type": "object",
        "properties": {
            "steps": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"explanation": TEXT, "output": TEXT},
                    "required": ["explanation", "output"],
                    "additionalProperties": False,
                },
            },
            "final_answer": TEXT,
        },
        "required": ["steps", "final_answer"],
        "additionalProperties": False,
    },
    "interface that holds itself": {
        "type": "object",
        "properties": {
            "type": {"type": "string", "enum": ["div", "button", "header", "section", "field"]},
            "label": TEXT,
            "children": {"type": "array", "items": {"$ref": "#"}},
            "attributes": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"name": TEXT, "value": TEXT},
                    "additionalProperties": False,
                    "required": ["name", "value"],
                },
            },
        },
        "required": ["type", "label", "children", "attributes"],
        "additionalProperties": False,
    },
    "nullable by a list of types": {
        "type": "object",
        "properties": {
            "location": TEXT,
            "unit": {"type": ["string", "null"], "enum": ["celsius", "fahrenheit", None]},
            "days": {"type": ["integer", "null"], "minimum": 1, "maximum": 14},
        },
        "required": ["location", "unit", "days"],
        "additionalProperties": False,
    },
    "contact": {
        "type": "object",
        "properties": {
            "name": TEXT,
            "email": {"type": "string", "format": "email"},
            "host": {"type": "string", "format": "hostname"},
            "demo_requested": {"type": "boolean"},
            "when": {"type": "string", "format": "date-time"},
        },
        "required": ["name", "email", "host", "demo_requested", "when"],
        "additionalProperties": False,
    },
    "zod: record and integers": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "scores": {
                "type": "object",
                "propertyNames": {"type": "string"},
                "additionalProperties": {
                    "type": "integer",
                    "minimum": -9007199254740991,
                    "maximum": 9007199254740991,
                },
            },
            "identifier": {
                "type": "string",
                "format": "uuid",
                "pattern": "^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB]"
                "[0-9a-fA-F]{3}-[0-9a-fA-F]{12}|00000000-0000-0000-0000-000000000000)$",
            },
            "level": {"anyOf": [{"type": "string", "const": "a"}, {"type": "number", "const": 2}]},
            "mail": {
                "type": "string",
                "format": "email",
                "pattern": r"^(?!\.)(?!.*\.\.)([A-Za-z0-9_'+\-\.]*)[A-Za-z0-9_+-]@"
                r"([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$",
            },
        },
        "required": ["scores", "identifier", "level", "mail"],
        "additionalProperties": False,
    },
    "allOf, as in inheritance": {
        "allOf": [
            {"$ref": "#/$defs/base"},
            {
                "type": "object",
                "properties": {
                    "age": {"type": "integer", "minimum": 18},
                    "name": {"maxLength": 60},
                },
                "required": ["age"],
            },
        ],
        "properties": {"age": {"maximum": 20}},
        "$defs": {
            "base": {"type": "object", "properties": {"name": TEXT}, "required": ["name"]},
        },
        "unevaluatedProperties": False,
    },
    "if, then, else": {
        "type": "object",
        "properties": {"country": {"enum": ["US", "NL"]}, "postcode": TEXT},
        "required": ["country", "postcode"],
        "if": {"properties": {"country": {"const": "US"}}},
        "then": {"properties": {"postcode": {"pattern": "^[0-9]{5}$"}}},
        "else": {"properties": {"postcode": {"pattern": "^[0-9]{4} [A-Z]{2}$"}}},
    },
    "one depends on another": {
        "type": "object",
        "properties": {"card": {"type": "string", "pattern": "^\\d{16}$"}},
        "required": ["card"],
        "dependentRequired": {"card": ["billing"]},
        "dependentSchemas": {
            "card": {"properties": {"billing": {"type": "string", "minLength": 9}}}
        },
    },
    "names by pattern": {
        "type": "object",
        "patternProperties": {
            "^x-[a-z]+$": {"type": "string"},
            "^n_": {"type": "integer", "minimum": 3, "maximum": 5},
        },
        "additionalProperties": False,
        "minProperties": 2,
    },
    "tuple with a rest": {
        "type": "array",
        "prefixItems": [{"type": "integer"}, {"enum": ["Street", "Avenue"]}, {"type": "boolean"}],
        "items": {"type": "string", "maxLength": 4},
        "minItems": 5,
        "maxItems": 6,
    },
    "tuple of draft 7": {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "array",
        "items": [{"type": "number"}, {"type": "string"}],
        "additionalItems": False,
        "minItems": 2,
    },
    "contains": {
        "type": "array",
        "items": {"type": "integer", "minimum": 0, "maximum": 99},
        "contains": {"minimum": 50},
        "minContains": 2,
        "uniqueItems": True,
    },
    "not": {
        "type": "object",
        "properties": {
            "role": {"enum": ["admin", "user", "guest"], "not": {"const": "admin"}},
            "count": {"type": "integer", "minimum": 0, "maximum": 1, "not": {"const": 0}},
        },
        "required": ["role", "count"],
        "not": {"required": ["password"]},
    },
    "oneOf that must not overlap": {
        "type": "object",
        "properties": {
            "amount": {
                "oneOf": [
                    {"type": "integer", "minimum": 0, "maximum": 60},
                    {"type": "integer", "minimum": 40, "maximum": 100},
                ]
            }
        },
        "required": ["amount"],
    },
    "oneOf by what is required": {
        "type": "object",
        "properties": {"url": {"type": "string", "format": "uri"}, "base64": TEXT, "alt": TEXT},
        "required": ["alt"],
        "oneOf": [{"required": ["url"]}, {"required": ["base64"]}],
    },
    "anchors and identifiers": {
        "$id": "https://example.com/schemas/order",
        "type": "object",
        "properties": {
            "item": {"$ref": "#item"},
            "customer": {"$ref": "/schemas/customer"},
        },
        "required": ["item", "customer"],
        "$defs": {
            "item": {"$anchor": "item", "type": "object", "required": ["sku"]},
            "customer": {
                "$id": "/schemas/customer",
                "type": "object",
                "properties": {"id": {"$ref": "#/$defs/key"}},
                "required": ["id"],
                "$defs": {"key": {"type": "integer", "exclusiveMinimum": 7}},
            },
        },
    },
    "no type named": {
        "properties": {"a": {"minimum": 3}, "b": {"minLength": 2}, "c": {}, "d": True},
        "required": ["a", "b", "c", "d"],
    },
}
