"""Counters of what an agent has used, and what that cost."""

import threading
from dataclasses import dataclass, field

from ..errors import SettingsError
from ..messages import Usage

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What a model's tokens cost.

    Attributes:
        prompt_usd_per_million: US dollars for a million tokens of prompts.
        completion_usd_per_million: US dollars for a million tokens of answers.
        cached_prompt_usd_per_million: For those of a prompt that the model had cached; by
            default as for the others.

    Raises:
        SettingsError: A price is negative.
    """

    prompt_usd_per_million: float
    completion_usd_per_million: float
    cached_prompt_usd_per_million: float | None = None

    def __post_init__(self) -> None:
        prices = (
            self.prompt_usd_per_million,
            self.completion_usd_per_million,
            self.cached_prompt_usd_per_million or 0,
        )
        if min(prices) < 0:
            raise SettingsError(f"a price is negative in {self}; expected at least 0")

    def cost_usd(self, usage: Usage) -> float:
        """Return what this usage costs, in US dollars."""
        cached = usage.cached_prompt_tokens
        for_cached = self.cached_prompt_usd_per_million
        if for_cached is None:
            for_cached = self.prompt_usd_per_million
        return (
            (usage.prompt_tokens - cached) * self.prompt_usd_per_million
            + cached * for_cached
            + usage.completion_tokens * self.completion_usd_per_million
        ) / _MILLION


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What an agent has used until a moment.

    Attributes:
        sessions: Chats and tasks started.
        model_calls: Answers of the model.
        retries: Tries of the model that followed a failed one.
        tool_calls: Tools run.
        tool_failures: Calls of tools that failed or timed out.
        usage: Tokens of all answers.
        cost_usd: Cost of these tokens in US dollars; 0 if the agent knows no prices.
    """

    sessions: int = 0
    model_calls: int = 0
    retries: int = 0
    tool_calls: int = 0
    tool_failures: int = 0
    usage: Usage = field(default_factory=Usage)
    cost_usd: float = 0.0


class Meter:
    """Counts for one agent, from any thread."""

    def __init__(self, prices: Prices | None = None) -> None:
        self._prices = prices
        self._changing = threading.Lock()
        self._sessions = 0
        self._model_calls = 0
        self._retries = 0
        self._tool_calls = 0
        self._tool_failures = 0
        self._usage = Usage()

    @property
    def counters(self) -> Counters:
        """What was counted until now."""
        with self._changing:
            return Counters(
                sessions=self._sessions,
                model_calls=self._model_calls,
                retries=self._retries,
                tool_calls=self._tool_calls,
                tool_failures=self._tool_failures,
                usage=self._usage,
                cost_usd=0.0 if self._prices is None else self._prices.cost_usd(self._usage),
            )

    def session(self) -> None:
        """Count a session."""
        with self._changing:
            self._sessions += 1

    def model_call(self, usage: Usage) -> None:
        """Count an answer of the model."""
        with self._changing:
            self._model_calls += 1
            self._usage += usage

    def retry(self) -> None:
        """Count a retry."""
        with self._changing:
            self._retries += 1

    def tool_calls(self, number: int, failures: int) -> None:
        """Count the tools of one answer."""
        with self._changing:
            self._tool_calls += number
            self._tool_failures += failures
