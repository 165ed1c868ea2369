"""When a failed call of the model is retried, and after how long."""

import email.utils
import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

import openai

from ..errors import SettingsError

_WORTH_A_RETRY = frozenset({408, 409, 429})


class RetryBudget:
    """Limits retries to a small share of all calls, so that they do not overload a weak server.

    Each retry takes one token, and each success returns a part of one. Without a whole token a
    failure is final. Agents and threads may share a budget. The idea is that of gRPC's retry
    throttling (gRFC A6).

    Args:
        tokens: Initial and greatest number of tokens: retries that need no earlier success.
        per_success: Tokens that a success returns: 0.1 allows one retry per ten successes.

    Raises:
        SettingsError: ``tokens`` is below 1, or ``per_success`` below 0.
    """

    def __init__(self, tokens: float = 10, per_success: float = 0.1) -> None:
        if tokens < 1 or per_success < 0:
            raise SettingsError(
                f"a retry budget of {tokens} tokens, {per_success} per success, allows nothing; "
                "expected at least 1 token and no less than 0 per success"
            )
        self._most = tokens
        self._per_success = per_success
        self._tokens = tokens
        self._changing = threading.Lock()

    @property
    def tokens(self) -> float:
        """The tokens that are left."""
        return self._tokens

    def take(self) -> bool:
        """Take a token for a retry, if there is one."""
        with self._changing:
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True

    def give_back(self) -> None:
        """Return the tokens of one success to the budget."""
        with self._changing:
            self._tokens = min(self._most, self._tokens + self._per_success)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Decides about retries; reads no clock and does not sleep.

    Lost connections, timeouts, and the statuses 408, 409, 429 and 5xx are retried, unless the
    server's ``x-should-retry`` says otherwise. A wait that the server asks for (``Retry-After``
    and ``Retry-After-Ms``) is kept exactly. Otherwise the wait doubles with each attempt, less a
    random share, so that calls that failed together are not retried together.

    Attributes:
        max_retries: Attempts at one call besides the first; 0 turns retries off.
        first_delay_s: Wait before the first retry.
        max_delay_s: Longest wait, unless the server asks for a longer one.
        max_retry_after_s: If the server asks for more than this, the failure is final.
        jitter: Share of a wait, 0 to 1, of which a random part is left out.
        budget: Limits the retries of all calls together.
        random: Draws the jitter; pass a seeded generator to repeat a run.

    Raises:
        SettingsError: A number is out of range.
    """

    max_retries: int = 2
    first_delay_s: float = 0.5
    max_delay_s: float = 8.0
    max_retry_after_s: float = 120.0
    jitter: float = 0.25
    budget: RetryBudget | None = None
    random: Random = field(default_factory=Random, repr=False, compare=False)

    def __post_init__(self) -> None:
        numbers = ("max_retries", "first_delay_s", "max_delay_s", "max_retry_after_s", "jitter")
        for name in numbers:
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise SettingsError(f"{name} is {value}; expected a number of at least 0")
        if self.jitter > 1:
            raise SettingsError(f"jitter is {self.jitter}; expected a share between 0 and 1")

    def delay_s(self, error: openai.APIError, retries: int) -> float | None:
        """Return how long to wait before the next attempt; ``None`` for no further attempt.

        Args:
            error: The error of the last attempt.
            retries: Retries of this call so far.
        """
        if retries >= self.max_retries or not _is_worth_a_retry(error):
            return None
        asked_s = _retry_after_s(error)
        if asked_s is not None and asked_s > self.max_retry_after_s:
            return None
        if self.budget is not None and not self.budget.take():
            return None
        if asked_s is not None:
            return asked_s
        # Doubling overflows a float after a thousand retries.
        longest_s = min(self.max_delay_s, self.first_delay_s * 2.0 ** min(retries, 60))
        return longest_s * (1 - self.jitter * self.random.random())

    def succeeded(self) -> None:
        """Record that a call has succeeded."""
        if self.budget is not None:
            self.budget.give_back()


def _is_worth_a_retry(error: openai.APIError) -> bool:
    if isinstance(error, openai.APIConnectionError):  # timeouts are of this class, too
        return True
    if not isinstance(error, openai.APIStatusError):
        return False
    verdict = error.response.headers.get("x-should-retry")
    if verdict in ("true", "false"):
        return bool(verdict == "true")
    return error.status_code in _WORTH_A_RETRY or error.status_code >= 500  # noqa: PLR2004


def _retry_after_s(error: openai.APIError) -> float | None:
    if not isinstance(error, openai.APIStatusError):
        return None
    headers: Mapping[str, str] = error.response.headers
    for name, per_second in (("retry-after-ms", 1000), ("retry-after", 1)):
        asked = headers.get(name)
        if asked is None:
            continue
        try:
            seconds = float(asked) / per_second
        except ValueError:
            continue
        if seconds >= 0:
            return seconds
    # RFC 9110, 10.2.3: the value may also be a date.
    date = email.utils.parsedate_tz(headers.get("retry-after", ""))
    return None if date is None else max(0.0, email.utils.mktime_tz(date) - time.time())
