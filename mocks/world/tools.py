"""The lab's tools, which take their drawn latencies and record them."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

from ..clock import Clock
from ..model import TICKET
from ..observe.data_flow import UNCHANGED, Change, DataFlowNotes
from ..observe.meter import TOOL
from ..observe.traffic import Traffic
from ..scenario import Scenario, ToolSpec
from ..workload.script import SessionScript, ToolCallScript, ToolKind
from .results import tool_result

_TICKET_PARTS = 3


class Delegates:
    """Runs nested sessions by the target's own session, which is set once it is built.

    Attributes:
        session: The session for async tools; ``None`` if the target has no such form.
        sync_session: The session for plain code; ``None`` if the target has no such form.
        task_of: Returns the task of a session, by the session's number.
    """

    def __init__(self, task_of: Callable[[int], str]) -> None:
        self.task_of = task_of
        self.session: Callable[[str], Awaitable[str]] | None = None
        self.sync_session: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class LabTool:
    """A mocked tool as a target gets it.

    Attributes:
        name: Name of the tool, for the model.
        description: Description of the tool, for the model.
        parameters: JSON schema of the tool's arguments.
        kind: How the tool spends its time.
        function: The tool: a coroutine function for kind ``async``, else a plain function
            that blocks or computes, unless the scenario wraps that in a coroutine. Takes the
            arguments by keyword and returns text.
        sync_function: The tool for plain code: never a coroutine function.
    """

    name: str
    description: str
    parameters: Mapping[str, object]
    kind: ToolKind
    function: Callable[..., str] | Callable[..., Awaitable[str]]
    sync_function: Callable[..., str]


class ToolOutputs:
    """What the lab's tools return.

    Args:
        marks_texts: Whether texts begin with provenance marks.
        data_flow: Notes what one session asks of tools, and says which results are changed.
        shared: Names of the tools whose results sessions share.
    """

    def __init__(
        self,
        *,
        marks_texts: bool = True,
        data_flow: DataFlowNotes | None = None,
        shared: Collection[str] = (),
    ) -> None:
        self._marks_texts = marks_texts
        self._shared = shared
        self._data_flow = data_flow

    def change(
        self, name: str, at: tuple[int, int, int], arguments: Mapping[str, object], now_ns: int
    ) -> Change:
        """Return how the result of a call is changed on purpose."""
        if self._data_flow is None:
            return UNCHANGED
        return self._data_flow.tool_call(at, name, arguments, now_ns)

    def result(
        self, name: str, at: tuple[int, int, int], arguments: Mapping[str, object], change: Change
    ) -> str:
        """Return the result of a call."""
        return tool_result(
            name,
            at,
            arguments,
            change.draw,
            is_marked=self._marks_texts,
            is_shared=name in self._shared,
        )


USUAL_OUTPUTS = ToolOutputs()


def lab_tools(
    scenario: Scenario,
    sessions: Mapping[int, SessionScript],
    clock: Clock,
    traffic: Traffic,
    delegates: Delegates,
    *,
    outputs: ToolOutputs = USUAL_OUTPUTS,
) -> tuple[LabTool, ...]:
    """Return the tools of a scenario, which wait on ``clock`` for as long as ``sessions`` say.

    A tool that is a nested agent then runs that session by ``delegates``.
    """
    return tuple(
        _lab_tool(spec, sessions, clock, traffic, delegates, outputs=outputs)
        for spec in scenario.tools.values()
    )


def _lab_tool(
    spec: ToolSpec,
    sessions: Mapping[int, SessionScript],
    clock: Clock,
    traffic: Traffic,
    delegates: Delegates,
    *,
    outputs: ToolOutputs,
) -> LabTool:
    name = spec.name

    async def wait_async(ticket: str, **arguments: object) -> str:
        at, call = _redeem(ticket, name, sessions)
        start_ns = clock.now_ns()
        change = outputs.change(name, at, arguments, start_ns)
        due_ns = start_ns + call.latency_ns + change.later_ns
        with traffic.tool_call(*at, name, start_ns) as wait:
            wait.waits_until(due_ns)
            await clock.sleep_until_ns(due_ns)
            wait.taken_up()
            traffic.tool_ended(at, start_ns, due_ns)
            if call.session is not None and delegates.session is not None:
                await delegates.session(delegates.task_of(call.session.session))
        return outputs.result(name, at, arguments, change)

    def wait_blocking(ticket: str, **arguments: object) -> str:
        at, call = _redeem(ticket, name, sessions)
        start_ns = clock.now_ns()
        change = outputs.change(name, at, arguments, start_ns)
        due_ns = start_ns + call.latency_ns + change.later_ns
        with traffic.tool_call(*at, name, start_ns) as wait:
            wait.waits_until(due_ns)
            clock.wait_until_ns(due_ns)
            wait.taken_up()
            traffic.tool_ended(at, start_ns, due_ns)
            if call.session is not None and delegates.sync_session is not None:
                delegates.sync_session(delegates.task_of(call.session.session))
        return outputs.result(name, at, arguments, change)

    def compute(ticket: str, **arguments: object) -> str:
        at, call = _redeem(ticket, name, sessions)
        start_ns = clock.now_ns()
        change = outputs.change(name, at, arguments, start_ns)
        length_ns = call.latency_ns + change.later_ns
        with traffic.tool_call(*at, name, start_ns) as wait:
            wait.computes_until(start_ns + length_ns)
            clock.burn_ns(length_ns)
            traffic.tool_ended(at, start_ns, start_ns + length_ns)
        return outputs.result(name, at, arguments, change)

    plain = compute if spec.kind is ToolKind.CPU else wait_blocking

    def sync_function(ticket: str, **arguments: object) -> str:
        before = TOOL.set(name)
        try:
            return plain(ticket, **arguments)
        finally:
            TOOL.reset(before)

    async def block_the_loop(ticket: str, **arguments: object) -> str:
        return sync_function(ticket, **arguments)

    return LabTool(
        name=name,
        description=spec.description,
        parameters=_schema(spec),
        kind=spec.kind,
        function=_form(spec, wait_async, block_the_loop, sync_function),
        sync_function=sync_function,
    )


def _form(
    spec: ToolSpec,
    wait_async: Callable[..., Awaitable[str]],
    block_the_loop: Callable[..., Awaitable[str]],
    sync_function: Callable[..., str],
) -> Callable[..., str] | Callable[..., Awaitable[str]]:
    if spec.kind is ToolKind.ASYNC:
        return wait_async
    return block_the_loop if spec.in_coroutine else sync_function


def _schema(spec: ToolSpec) -> dict[str, object]:
    types = {**spec.parameters, TICKET: "string"}
    return {
        "type": "object",
        "properties": {name: {"type": str(type_)} for name, type_ in types.items()},
        "required": list(types),
        "additionalProperties": False,
    }


def _redeem(
    ticket: str, name: str, sessions: Mapping[int, SessionScript]
) -> tuple[tuple[int, int, int], ToolCallScript]:
    """Return where in the script a ticket belongs (session, step, index), and what is there."""
    parts = ticket.split(".")
    if len(parts) == _TICKET_PARTS:
        session, step, index = (int(part) for part in parts)
        call = sessions[session].model_calls[step].tool_calls[index]
        if call.name == name:
            return (session, step, index), call
    raise ValueError(
        f"tool {name!r}: expected the ticket of one of its calls, found {ticket!r}; pass the "
        "arguments on as the model wrote them"
    )
