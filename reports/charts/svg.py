"""SVG as matplotlib writes it, made fit for a file on its own and for a page of many."""

import re
from xml.etree import ElementTree

_SVG = "http://www.w3.org/2000/svg"
_HREF = "{http://www.w3.org/1999/xlink}href"
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
# A hundredth of a point is seen by nobody, and matplotlib writes millionths.
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_PLACES = frozenset(
    {"d", "points", "transform", "x", "y", "x1", "x2", "y1", "y2", "width", "height"}
)
# Matplotlib says this once for all elements, by a rule that would reach into a page.
_STROKES = "stroke-linejoin: round; stroke-linecap: butt"


def inline_svg(document: str, prefix: str, *, title: str, description: str) -> str:
    """Make an SVG document an element of an HTML page.

    Identifiers get a prefix, so that two pictures in one page do not take each other's
    marks; rules of style that would hold for the whole page become the picture's own;
    the size is left to the page; what nothing refers to or nobody sees (identifiers of groups,
    indentation, digits beyond a hundredth of a point) is left out; and a title and a description
    are put in for readers who do not see it. What leads to an address (document type, namespaces)
    is left out: inside HTML an ``svg`` element needs none.

    Args:
        document: The document, as matplotlib writes it.
        prefix: Distinguishes this picture from the others of the page.
        title: What it shows, in a few words.
        description: What it says.
    """
    # The document was drawn by us a moment ago; no entity comes from outside.
    root = ElementTree.fromstring(document)  # noqa: S314
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in {f"{{{_SVG}}}style", f"{{{_SVG}}}metadata"}:
                parent.remove(child)
    used = _referred_to(root)
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{_SVG}}}")
        element.attrib = {
            key.replace(_HREF, "href"): _prefixed(key, value, prefix)
            for key, value in element.attrib.items()
            if key != "id" or value in used
        }
        element.text = element.text if (element.text or "").strip() else None
        element.tail = element.tail if (element.tail or "").strip() else None
    box = root.get("viewBox", "")
    root.attrib = {
        "viewBox": box,
        "role": "img",
        "aria-labelledby": f"{prefix}-title {prefix}-description",
        "style": _STROKES,
    }
    for position, (tag, text) in enumerate((("title", title), ("desc", description))):
        identifier = f"{prefix}-{'title' if tag == 'title' else 'description'}"
        element = ElementTree.Element(tag, {"id": identifier})
        element.text = text
        root.insert(position, element)
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)


def _prefixed(key: str, value: str, prefix: str) -> str:
    """Put the prefix before an identifier, or before the reference to one."""
    if key == "id":
        return f"{prefix}-{value}"
    if key == _HREF:
        return f"#{prefix}-{value.removeprefix('#')}"
    if key in _PLACES:
        return " ".join(_LONG_NUMBER.sub(_to_hundredths, value).split())
    return _REFERENCE.sub(rf"url(#{prefix}-\1)", value)


def _to_hundredths(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _referred_to(root: ElementTree.Element) -> frozenset[str]:
    """Return the identifiers that something in a document refers to."""
    values = [value for element in root.iter() for value in element.attrib.values()]
    linked = (element.get(_HREF) for element in root.iter())
    return frozenset(
        [*(each.removeprefix("#") for each in linked if each)]
        + [name for value in values for name in _REFERENCE.findall(value)]
    )
