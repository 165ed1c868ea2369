"""An array that satisfies several parts of a schema at once."""

from typing import TYPE_CHECKING, Any

from .bounds import greatest, least, place_of
from .document import Part
from .errors import ContradictionError

if TYPE_CHECKING:
    from .building import Builder

_REDRAWN = 60
_USUAL = 3


def array_of(builder: "Builder", parts: tuple[Part, ...], depth: int) -> list[Any]:
    """Return an array.

    Raises:
        ContradictionError: There is none.
    """
    at_least: int = greatest(parts, "minItems", 0)
    at_most: int | None = least(parts, "maxItems")
    for part in parts:
        if _rest(part) is not None and part.schema[_rest(part)] is False:
            count = len(_prefix(part))
            at_most = count if at_most is None else min(at_most, count)
    contained = [part for part in parts if "contains" in part.schema]
    asked = max((part.schema.get("minContains", 1) for part in contained), default=0)
    at_least = max(at_least, asked)
    if at_most is not None and at_least > at_most:
        place = place_of(parts, "minItems", "maxItems", "contains")
        raise ContradictionError(place, f"it has {at_least} items or more, and {at_most} at most")
    prefix = max(len(_prefix(part)) for part in parts) if parts else 0
    length = _length(builder, depth, max(at_least, prefix), at_most)
    is_unique = any(part.schema.get("uniqueItems") for part in parts)
    found: list[Any] = []
    for index in range(length):
        inner = tuple(item for part in parts for item in _item(builder, part, index))
        # What must be contained stands at the end, behind what has its place.
        if index >= length - asked:
            inner += tuple(builder.document.child(part, "contains") for part in contained)
        try:
            found.append(_item_of(builder, inner, depth, found if is_unique else []))
        except ContradictionError:
            if index < at_least:
                raise
            break
    return found


def _length(builder: "Builder", depth: int, at_least: int, at_most: int | None) -> int:
    """Return how many items to make."""
    usual = at_least
    if not at_least and not builder.is_spare(depth):
        usual = builder.random.randint(1, max(1, _USUAL - depth))
    elif not at_least and builder.is_lean and depth <= 1:
        usual = 1
    return usual if at_most is None else min(usual, at_most)


def _prefix(part: Part) -> list[Any]:
    """Return the schemas of the items that have their places."""
    items = part.schema.get("prefixItems", part.schema.get("items"))
    return items if isinstance(items, list) else []


def _rest(part: Part) -> str | None:
    """Return the keyword that is about the items behind those; ``None`` if there is none."""
    keyword = "additionalItems" if isinstance(part.schema.get("items"), list) else "items"
    return keyword if keyword in part.schema else None


def _item(builder: "Builder", part: Part, index: int) -> list[Part]:
    """Return what a part asks of an item."""
    if index < len(_prefix(part)):
        keyword = "prefixItems" if "prefixItems" in part.schema else "items"
        return [builder.document.child(part, keyword, index)]
    keyword_of_rest = _rest(part)
    return [] if keyword_of_rest is None else [builder.document.child(part, keyword_of_rest)]


def _item_of(builder: "Builder", parts: tuple[Part, ...], depth: int, others: list[Any]) -> Any:
    """Return an item that is none of the others."""
    for _ in range(_REDRAWN):
        item = builder.build(parts, depth + 1)
        if item not in others:
            return item
    place = parts[0].path if parts else "#"
    raise ContradictionError(place, f"no item is unlike the {len(others)} before it")
