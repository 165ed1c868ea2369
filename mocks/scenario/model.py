"""The values that a scenario is made of: what a session does, and how long each part may take."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .distributions import Distribution
from .faults import FaultSpec
from .recording import Recording

RESERVED_ARGUMENT = "ticket"
"""Name of the argument that the lab adds to each call of a tool."""

MAX_REPEAT = 10_000
MAX_SESSIONS = 1_000_000
MAX_ROUNDS = 1_000
MAX_SERVICES = 100
MAX_FAULTS = 100


class ToolKind(StrEnum):
    """How a tool spends its time."""

    ASYNC = "async"
    BLOCKING = "blocking"
    CPU = "cpu"


class JsonType(StrEnum):
    """Type of a tool's parameter."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model is told of it.

    Attributes:
        name: Its name, unique in the scenario.
        description: What the model reads about it.
        kind: How it spends its time.
        latency: Seconds that a call takes, unless the call says otherwise.
        parameters: Type of each parameter by name; all of them are required.
        in_coroutine: Whether it blocks or computes inside an ``async def``, and so on the
            event loop: the blunder.
    """

    name: str
    description: str
    kind: ToolKind
    latency: Distribution
    parameters: Mapping[str, JsonType]
    in_coroutine: bool = False


@dataclass(frozen=True, slots=True)
class ToolCallSpec:
    """A call that a round asks for.

    Attributes:
        tool: The tool.
        arguments: One argument for each of its parameters.
        latency: Seconds that this call takes.
    """

    tool: ToolSpec
    arguments: Mapping[str, object]
    latency: Distribution


@dataclass(frozen=True, slots=True)
class Timing:
    """How long an answer of the model takes, in one of two ways.

    Either ``distributions`` says it as a whole, and the pieces of a streamed answer come evenly
    from the first token to the end; or the first token and the gaps between pieces say it,
    and the whole is their sum. A model takes as long whether it is asked to stream or not.

    Attributes:
        latency: Seconds from request to the end of the answer; ``None`` if the gaps say it.
        ttft: Seconds to the first token; ``None``: all the pieces come at the end.
        gap: Seconds between two pieces; ``None`` if the latency says it.
        tokens_per_chunk: Tokens that a piece of a streamed answer carries.
    """

    latency: Distribution | None
    ttft: Distribution | None = None
    gap: Distribution | None = None
    tokens_per_chunk: int = 1


@dataclass(frozen=True, slots=True)
class RoundSpec:
    """A model call, and the tools that its answer asks for.

    Attributes:
        timing: How long the model takes.
        prompt_tokens: Tokens that the model is said to have read.
        completion_tokens: Tokens that the model is said to have written.
        tool_calls: What the answer asks for, all at once; nothing in the last round.
        repeat: How many such rounds follow each other.
    """

    timing: Timing
    prompt_tokens: Distribution
    completion_tokens: Distribution
    tool_calls: tuple[ToolCallSpec, ...]
    repeat: Distribution


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """What the model's server lets through; ``None`` for no limit.

    Attributes:
        requests_per_minute: Requests beyond it are refused with status 429.
        tokens_per_minute: Likewise, of prompt and completion.
        concurrency: Requests served at one time; further ones queue, first come first served.
    """

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrency: int | None = None


NO_LIMITS = ModelLimits()


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """An HTTP service that tools call.

    Attributes:
        name: Its name, unique in the scenario.
        url: Pattern of its addresses, in which ``*`` stands for any text.
        method: The method that it answers; ``None`` for each.
        latency: Seconds that an answer takes.
        status: HTTP status of its answers.
        headers: Headers of its answers.
        body: What it answers.
        faults: What goes wrong between it and its client.
    """

    name: str
    url: str
    method: str | None
    latency: Distribution
    status: int
    headers: Mapping[str, str]
    body: str
    faults: tuple[FaultSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """A declared workload: what a session does, and how long each part may take.

    Attributes:
        name: Its name; with the seed it fixes every draw.
        description: The claim that it makes visible, in a sentence.
        sessions: How many sessions a run has, unless it is told otherwise.
        concurrency: The loads of a run, unless it is told otherwise; may be empty.
        tools: The tools by name.
        rounds: What a session does, in order; empty if a recording says it.
        recording: Sessions as they were recorded, to be replayed one by one.
        limits: What the model's server lets through.
        faults: What goes wrong between client and model.
        services: The HTTP services that tools call.
    """

    name: str
    description: str
    sessions: int
    concurrency: tuple[int, ...]
    tools: Mapping[str, ToolSpec]
    rounds: tuple[RoundSpec, ...]
    recording: Recording | None = None
    limits: ModelLimits = NO_LIMITS
    faults: tuple[FaultSpec, ...] = ()
    services: tuple[ServiceSpec, ...] = ()

    @property
    def widest_round(self) -> int:
        """The most tool calls that one round asks for."""
        recorded = self.recording.widest_answer if self.recording else 0
        return max((len(part.tool_calls) for part in self.rounds), default=recorded)
