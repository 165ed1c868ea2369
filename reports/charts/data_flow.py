"""The chart of a session's data flow: its waits over time, with arrows to what needs them."""

from itertools import pairwise

from ...bench.results.data_flow import DataFlow, FlowKind, FlowNode
from ...bench.results.formatting import code_place, name, seconds, shortened
from ...mocks.clock import seconds as in_seconds
from ..comparison.ranking import ComparisonGroup
from .chart import Chart
from .description import Arrow, Axis, LegendEntry, Note, Panel, Quantity, Reference, Row, Span
from .palette import FLOW_COLOURS, IDEAL_COLOUR, IDEAL_DASHES, INK, MUTED, Palette

_MOST_ROWS = 40
_LONGEST_LABEL = 38
_OWN = "own"
_MEANINGS = {
    FlowKind.MODEL.value: "waiting for the model",
    FlowKind.TOOL.value: "waiting for a tool",
    FlowKind.SERVICE.value: "waiting for a service",
    _OWN: "waiting inside your own code",
}


def describe_data_flow(group: ComparisonGroup, _load: int, _palette: Palette) -> Panel | None:
    """Describe the data flow of the target of a group; ``None`` where none is known."""
    flow = next((cell.data_flow for cell in group.cells if cell.data_flow is not None), None)
    if flow is None or not flow.nodes:
        return None
    shown = flow.nodes[:_MOST_ROWS]
    spans = [span for row, node in enumerate(shown) for span in _spans(row, node)]
    meanings = {span.meaning for span in spans}
    legend = [
        LegendEntry(label=meaning, colour=FLOW_COLOURS[kind])
        for kind, meaning in _MEANINGS.items()
        if meaning in meanings
    ]
    arrows = tuple(_arrows(flow, len(shown)))
    bound = in_seconds(flow.bound_ns)
    if arrows:
        legend.append(LegendEntry(label="needs its output", colour=MUTED, dashes=(), is_thin=True))
    legend.append(LegendEntry(label="data-flow bound", colour=IDEAL_COLOUR, dashes=IDEAL_DASHES))
    could = {number for overlap in flow.overlaps for number in overlap.waits}
    return Panel(
        finding=_finding(flow),
        x=Axis(label="time since the session began", quantity=Quantity.TIME, room=0.22, low=0),
        rows=tuple(Row(_label(node), name=_label(node)) for node in shown),
        spans=tuple(spans),
        arrows=arrows,
        notes=tuple(
            Note(row, in_seconds(node.end_ns), "could overlap")
            for row, node in enumerate(shown)
            if row in could
        ),
        references=(Reference(bound, f"data-flow bound: {seconds(bound)}"),),
        legend=tuple(legend),
    )


def _spans(row: int, node: FlowNode) -> list[Span]:
    begin, end = in_seconds(node.begin_ns), in_seconds(node.end_ns)
    parts = [(begin, end, node.kind.value)]
    if node.lead_ns:
        parts.insert(0, (begin - in_seconds(node.lead_ns), begin, _OWN))
    return [
        Span(
            row=row,
            begin=low,
            end=high,
            colour=FLOW_COLOURS[kind],
            meaning=_MEANINGS[kind],
            text=f"{seconds(high - low)}, from {seconds(low)}",
        )
        for low, high, kind in parts
    ]


def _arrows(flow: DataFlow, rows: int) -> list[Arrow]:
    critical = set(pairwise(flow.critical))
    return [
        Arrow(
            row=earlier,
            x=in_seconds(flow.nodes[earlier].end_ns),
            to_row=later,
            to_x=in_seconds(flow.nodes[later].begin_ns),
            colour=INK if (earlier, later) in critical else MUTED,
        )
        for earlier, later in flow.needs
        if later < rows
    ]


def _label(node: FlowNode) -> str:
    if node.kind is FlowKind.MODEL:
        return shortened(code_place(node.place), _LONGEST_LABEL) if node.place else "model"
    return name(node.name)


def _finding(flow: DataFlow) -> str:
    latency, bound = seconds(in_seconds(flow.latency_ns)), seconds(in_seconds(flow.bound_ns))
    if flow.saving_ns > 0:
        return f"A session by itself takes {latency}; its data flow allows {bound}"
    return f"A session by itself takes {latency}, as its data flow demands"


CHART = Chart(
    name="flow",
    heading="Data flow of one session",
    describe=describe_data_flow,
    is_by_load=False,
    is_wide=True,
)
