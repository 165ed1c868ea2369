"""How far each figure may move before the gate calls it a change."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

_LAST_BITS = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerances:
    """Fractions of the baseline's figure; 0 is exact.

    Attributes:
        makespan: Of the structure tier.
        latency: Percentiles of it, of the times to first token and to first output and of the
            inter-token latency; and the spans of rounds of tools.
        model_calls: Calls of the model, and those that repeat one.
        tool_calls: Calls of tools.
        request_bytes: Bytes of the requests to the model, and of those to each service.
        tokens: Tokens of the prompts, and tokens of the answers.
        peak_in_flight: Model calls at one time.
        blocked_loop: Time for which a place in the code blocks an event loop.
        python_calls: Of the work tier: calls of Python functions.
        c_calls: Calls of C functions.
        loop_iterations: Iterations of event loops.
        tasks: Tasks created.
        http_requests: HTTP requests.
        own_calls: Calls that the user's own functions make, for each package of theirs, or by its
            name for some of them. ``None`` to note what changes, and to judge nothing by it.
        blocks_kept: Memory blocks kept at the end. They repeat to a few in a thousand.
        bytes_kept: Bytes likewise; a few kilobytes are never told.
        instructions: Instructions of the processor, if they are asked for.
        cpu: Of the time tier: the least growth of CPU time that counts as one.
    """

    makespan: float = 0.0
    latency: float = 0.0
    model_calls: float = 0.0
    tool_calls: float = 0.0
    peak_in_flight: float = 0.0
    blocked_loop: float = 0.0
    request_bytes: float = 0.03
    tokens: float = 0.03
    python_calls: float = 0.005
    c_calls: float = 0.005
    loop_iterations: float = 0.005
    tasks: float = 0.0
    http_requests: float = 0.0
    own_calls: float | Mapping[str, float] | None = None
    blocks_kept: float = 0.1
    bytes_kept: float = 0.1
    instructions: float = 0.01
    cpu: float = 0.03

    def of_own_calls(self, package: str) -> float | None:
        """Return how far the calls of a package may move; ``None`` where they decide nothing."""
        asked = self.own_calls
        return asked.get(package) if isinstance(asked, Mapping) else asked

    def named(self) -> dict[str, float]:
        """Return every fraction by the name that it is asked for: ``own-calls.my_agent``."""
        found: dict[str, float] = {}
        for part in fields(self):
            key, value = part.name.replace("_", "-"), getattr(self, part.name)
            if isinstance(value, Mapping):
                found |= {f"{key}.{package}": each for package, each in value.items()}
            elif value is not None:
                found[key] = value
        return found


def within(before: float, after: float, tolerance: float) -> bool:
    """Return whether a figure has stayed within a fraction of what it was."""
    # A figure that lies on the limit is within it, whatever the last bit of a float says.
    return abs(after - before) <= tolerance * abs(before) * (1 + _LAST_BITS)
