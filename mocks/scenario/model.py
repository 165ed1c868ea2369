"""The values of a scenario: what a session does, and how long each part may take."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from .distributions import Distribution
from .endpoints import EndpointKind, EndpointSpec
from .faults import FaultSpec
from .recording import Recording
from .request import USUAL_REQUEST, RequestSpec

RESERVED_ARGUMENT = "ticket"
"""Name of the argument that the lab adds to each call of a tool."""

MAX_REPEAT = 10_000
MAX_SESSIONS = 1_000_000
MAX_ROUNDS = 1_000
MAX_SERVICES = 100
MAX_FAULTS = 100
MAX_CONVERSATIONS = 100
USUAL_MAX_MODEL_CALLS = 200


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
    """A tool as declared to the model.

    Attributes:
        name: Name of the tool, unique in the scenario.
        description: Description of the tool, for the model.
        kind: How the tool spends its time.
        latency: Seconds of a call, unless the call has a latency of its own.
        parameters: Type of each parameter by name; all of them are required.
        in_coroutine: Whether the tool blocks or computes inside an ``async def``, and so on the
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
        arguments: One argument for each parameter of the tool.
        latency: Seconds of this call.
    """

    tool: ToolSpec
    arguments: Mapping[str, object]
    latency: Distribution


@dataclass(frozen=True, slots=True)
class Timing:
    """The timing of a model's answer, declared in one of two ways.

    Either ``latency`` is that of the whole answer, and the pieces of a streamed answer come
    evenly from the first token to the end. Or the first token and the gaps between pieces are
    declared, and the latency is their sum. A streamed answer takes as long as a whole one.

    Attributes:
        latency: Seconds from request to the end of the answer; ``None`` if gaps are declared.
        ttft: Seconds to the first token; ``None``: all the pieces come at the end.
        gap: Seconds between two pieces; ``None`` if the latency is declared.
        tokens_per_chunk: Tokens of a piece of a streamed answer.
    """

    latency: Distribution | None
    ttft: Distribution | None = None
    gap: Distribution | None = None
    tokens_per_chunk: int = 1


@dataclass(frozen=True, slots=True)
class RoundSpec:
    """A model call, and the tools that its answer asks for.

    Attributes:
        timing: Timing of the model's answer.
        prompt_tokens: Tokens of the prompt, as the model reports them; ``None``: as many as it is
            sent.
        completion_tokens: Tokens of the answer, as the model reports them.
        tool_calls: The calls that the answer asks for; none in the last round.
        repeat: Number of such rounds in a row.
        begins_turn: Whether a further message of the user comes before it.
    """

    timing: Timing
    prompt_tokens: Distribution | None
    completion_tokens: Distribution
    tool_calls: tuple[ToolCallSpec, ...]
    repeat: Distribution
    begins_turn: bool = False


@dataclass(frozen=True, slots=True)
class ConversationSpec:
    """A kind of conversation that a session holds: a planner's, a guardrail's, a cheap model's.

    A request that begins a conversation is of the first kind whose patterns all match; ``*`` stands
    for any text in them, and case makes no difference.

    Attributes:
        name: Name of the kind, unique in the scenario.
        rounds: As a scenario has them.
        model: Pattern of the model's name; ``None`` for any, as in the next two.
        system: Pattern of the system prompt.
        prompt: Pattern of the first message of the user.
        tools: Names of tools that the request declares, all of them.
        text: The text of its final answers; ``None``: filler of as many tokens as were drawn.
        faults: What goes wrong between client and model; ``None``: what the scenario says.
    """

    name: str
    rounds: tuple[RoundSpec, ...]
    model: str | None = None
    system: str | None = None
    prompt: str | None = None
    tools: tuple[str, ...] = ()
    text: str | None = None
    faults: tuple[FaultSpec, ...] | None = None


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """What the model's server lets through; ``None`` for no limit.

    Attributes:
        requests_per_minute: Requests beyond this rate are refused with status 429.
        tokens_per_minute: Likewise, of prompt and completion.
        concurrency: Requests served at one time; further ones queue, first come first served.
    """

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrency: int | None = None


NO_LIMITS = ModelLimits()


@dataclass(frozen=True, slots=True)
class PrefillSpec:
    """How the model reads a prompt, of whose tokens it takes count.

    Attributes:
        tokens_per_s: Tokens that it reads a second; ``None``: in no time, or in that which the
            latency has for it.
        caches_prefixes: Whether it keeps what it read, and need not read it again.
    """

    tokens_per_s: float | None = None
    caches_prefixes: bool = False


NO_PREFILL = PrefillSpec()


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """An HTTP service that tools call.

    Attributes:
        name: Name of the service, unique in the scenario.
        url: Pattern of the service's addresses, in which ``*`` stands for any text.
        method: HTTP method of the service; ``None`` for any.
        latency: Seconds of an answer.
        status: HTTP status of the answers.
        headers: Headers of the answers.
        body: Body of the answers.
        faults: Faults between the service and its client.
    """

    name: str
    url: str
    method: str | None
    latency: Distribution
    status: int
    headers: Mapping[str, str]
    body: str
    faults: tuple[FaultSpec, ...] = ()


class WaitName(NamedTuple):
    """A model call or tool call of a script.

    Attributes:
        number: Number of the session or conversation.
        step: Which of its model calls, counted from 0.
        tool: Which of the tools that this one asks for, from 1 on; 0 is the model call itself.
    """

    number: int
    step: int
    tool: int = 0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A declared workload: what a session does, and how long each part may take.

    Attributes:
        name: Name of the scenario; with the seed it determines every draw.
        description: The claim that the scenario shows, in a sentence.
        sessions: Sessions of a run, unless the run says otherwise.
        concurrency: Loads of a run, unless the run says otherwise; may be empty.
        tools: The tools by name.
        rounds: The rounds of a session, in order; empty if there is a recording.
        recording: Recorded sessions, to be replayed one by one.
        limits: What the model's server lets through.
        faults: What goes wrong between client and model.
        services: The HTTP services that tools call.
        optional_tools: Whether a session may leave out tools that the model asks it to call.
        conversations: The kinds of conversations beside those that ``rounds`` describe.
        max_model_calls: Model calls of one session at most; further ones are refused.
        provenance: Whether texts of the model begin with provenance marks.
        prefill: How the model reads a prompt.
        endpoints: The endpoints beside the model's answers that are declared.
        shared: Names of tools, services and kinds of conversations whose texts sessions share.
        drawn_waits: The model calls and tool calls whose latencies are not the median, and by how
            many nanoseconds they differ from it; ``None`` for those that are as drawn. Where the
            whole is ``None``, all are.
        request: What a session asks a service that is the target.
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
    optional_tools: bool = False
    conversations: tuple[ConversationSpec, ...] = ()
    max_model_calls: int = USUAL_MAX_MODEL_CALLS
    provenance: bool = True
    prefill: PrefillSpec = NO_PREFILL
    endpoints: Mapping[EndpointKind, EndpointSpec] = field(default_factory=dict)
    shared: tuple[str, ...] = ()
    drawn_waits: Mapping[WaitName, int | None] | None = None
    request: RequestSpec = USUAL_REQUEST

    @property
    def widest_round(self) -> int:
        """The most tool calls that one round asks for."""
        recorded = self.recording.widest_answer if self.recording else 0
        kinds = (part for kind in self.conversations for part in kind.rounds)
        return max((len(part.tool_calls) for part in (*self.rounds, *kinds)), default=recorded)
