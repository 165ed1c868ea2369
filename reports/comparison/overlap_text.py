"""What of a session could overlap, in sentences."""

from collections import Counter
from collections.abc import Iterator, Sequence

from ...bench.results.data_flow import DataFlow, FlowKind, FlowNode, Overlap
from ...bench.results.formatting import code_place, listed, name, seconds, whole
from ...mocks.clock import seconds as in_seconds

_WORTH_REPORTING = 0.01
_MOST_NAMED = 3


def overlap_sentences(flow: DataFlow) -> Iterator[str]:
    """Yield which waits of a session could overlap, and what that saves, the most first.

    Args:
        flow: The data flow of the session.
    """
    worth = [each for each in flow.overlaps if each.saving_ns >= _WORTH_REPORTING * flow.latency_ns]
    for overlap in worth[:_MOST_NAMED]:
        yield _sentence(overlap, flow)
    if len(worth) > 1:
        yield (
            f"All of that at once: {_duration(flow.bound_ns)} a session instead of "
            f"{_duration(flow.latency_ns)}."
        )


def _waits_text(nodes: Sequence[FlowNode]) -> str:
    """Name waits in a sentence, those that are named alike together."""
    places = dict.fromkeys(node.place for node in nodes)
    if len(places) == len(nodes) and all(node.kind is FlowKind.MODEL for node in nodes):
        return f"the model calls in {listed([code_place(place) for place in places])}"
    alike = Counter((node.kind, _name_of(node)) for node in nodes)
    return listed([_text(*which, count) for which, count in alike.items()])


def _name_of(node: FlowNode) -> str:
    """Return what tells a wait from others of its kind: a place in the code, or a name."""
    if node.kind is FlowKind.MODEL:
        return code_place(node.place) if node.place else ""
    return name(node.name)


def _text(kind: FlowKind, called: str, count: int) -> str:
    one = count == 1
    match kind:
        case FlowKind.TOOL:
            return f"the tool {called}" if one else f"{whole(count)} calls of the tool {called}"
        case FlowKind.SERVICE:
            return f"the request to {called}" if one else f"{whole(count)} requests to {called}"
        case FlowKind.MODEL:
            where = f" in {called}" if called else ""
            return f"the model call{where}" if one else f"{whole(count)} model calls{where}"


def _sentence(overlap: Overlap, flow: DataFlow) -> str:
    which = _waits_text([flow.nodes[number] for number in overlap.waits])
    return (
        f"{which[0].upper()}{which[1:]} ran one after another, {_why(overlap, flow)}: at once, "
        f"they would save {_duration(overlap.saving_ns)} of {_duration(flow.latency_ns)} a session."
    )


def _why(overlap: Overlap, flow: DataFlow) -> str:
    if any(earlier in overlap.waits and later in overlap.waits for earlier, later in flow.needs):
        return "though some of them need nothing of those just before"
    is_pair = len(overlap.waits) == 2  # noqa: PLR2004
    return (
        f"and {'nothing of the first is in the second' if is_pair else 'none needs the one before'}"
    )


def _duration(value_ns: int) -> str:
    return seconds(in_seconds(value_ns))
