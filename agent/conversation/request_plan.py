"""The parts of a request that all turns of one kind share, encoded once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..errors import SettingsError
from ..tools.toolbox import Toolbox
from .conversation import Block, CountTokens
from .wire import encode_head, encode_text


@dataclass(slots=True)
class Plan:
    """The parts of a request besides the conversation.

    Attributes:
        model: Name of the model.
        parameters: Further fields of each request, such as ``temperature``.
        instructions: The system message, if any.
        toolbox: Returns the current tools; called at each request.
        context_tokens: Tokens that a request may take, instructions and tools included.
        count_tokens: Counts the tokens of a text; by default an estimate (see ``Block``).

    Raises:
        SettingsError: ``context_tokens`` is below 1, or the agent itself sets a parameter.
    """

    model: str
    parameters: Mapping[str, object]
    instructions: str | None
    toolbox: Callable[[], Toolbox]
    context_tokens: int | None = None
    count_tokens: CountTokens | None = None
    _opening: tuple[bytes, ...] = field(init=False)
    _head: tuple[Toolbox, bytes] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.context_tokens is not None and self.context_tokens < 1:
            raise SettingsError(f"context_tokens is {self.context_tokens}; expected at least 1")
        taken = {"model", "messages", "tools", "stream", "stream_options"} & set(self.parameters)
        if taken:
            raise SettingsError(f"parameters has {sorted(taken)}, which the agent itself sets")
        self._opening = (
            () if self.instructions is None else (encode_text("system", self.instructions),)
        )

    def opening(self, toolbox: Toolbox) -> tuple[bytes, tuple[bytes, ...]]:
        """Encode the part before the conversation: the request's head, and its first messages."""
        head = self._head
        # Tools seldom change, so the last head is reused. It is replaced in one step, so that
        # threads see all of it or none.
        if head is None or head[0] is not toolbox:
            schemas = [tool.schema for tool in toolbox.tools.values()]
            head = self._head = (toolbox, encode_head(self.model, self.parameters, schemas))
        return head[1], self._opening

    def tokens_left(self, toolbox: Toolbox) -> int | None:
        """Return how many tokens the conversation may take; ``None`` means any number."""
        if self.context_tokens is None:
            return None
        head, opening = self.opening(toolbox)
        return self.context_tokens - Block.of((head, *opening), self.count_tokens).tokens
