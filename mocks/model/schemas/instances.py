"""Keeps what was made of each schema: the second instance of a schema is cheap."""

import zlib
from functools import lru_cache
from typing import TYPE_CHECKING

from .templates import FreeText

if TYPE_CHECKING:
    from .making import Templates

_SCHEMAS_KEPT = 256
_INSTANCES_KEPT = 4096


class Instances:
    """Makes instances of schemas; safe for threads.

    What makes them is imported when a schema is first asked for: jsonschema takes 0.1 s.
    """

    def __init__(self) -> None:
        self._templates = lru_cache(_SCHEMAS_KEPT)(_templates)
        self._admits = lru_cache(_INSTANCES_KEPT)(_admits)

    def instance(self, schema: bytes, seed: str, text: FreeText, *, is_lean: bool = False) -> str:
        """Return the JSON text of an instance, which is valid by the package jsonschema.

        Args:
            schema: JSON text of the schema.
            seed: Decides what is drawn; with the same texts the same instance.
            text: Makes the free strings: those that may hold any text of 40 characters.
            is_lean: Whether to leave out what is not required, and to take defaults as they are.

        Raises:
            NoInstanceError: None can be made; the error says where in the schema.
        """
        templates = self._templates(schema, is_lean=is_lean)
        return templates.filled(zlib.crc32(seed.encode()), text)

    def admits(self, schema: bytes, instance: str) -> bool:
        """Return whether the JSON text of an instance is valid by that of a schema.

        Raises:
            NoInstanceError: The schema is none.
        """
        return self._admits(schema, instance)


def _templates(schema: bytes, *, is_lean: bool) -> "Templates":
    from .making import templates_of  # noqa: PLC0415 - the first schema imports what makes them

    return templates_of(schema, is_lean=is_lean)


def _admits(schema: bytes, instance: str) -> bool:
    from .making import is_instance  # noqa: PLC0415 - as above

    return is_instance(instance, schema)
