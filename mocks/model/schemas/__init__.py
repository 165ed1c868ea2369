"""Instances of JSON schemas: what an answer holds whose request says which form it is to have.

    JSON text of a schema ──templates_of──▶ Template, … ──filled──▶ JSON text of an instance

``instances`` keeps what was made of each schema, and imports the rest when a schema is first asked
for: ``document`` reads a schema, ``building`` makes a value that satisfies it, ``templates`` leaves
out the texts that may be any, so that every answer can have its own. Each instance is checked by
the package jsonschema.
"""

from .errors import NoInstanceError
from .instances import Instances
from .templates import FreeString, FreeText, lorem

__all__ = ["FreeString", "FreeText", "Instances", "NoInstanceError", "lorem"]
