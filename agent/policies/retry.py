"""When a failed call of the model is tried again, and after how long."""

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
    """Keeps retries a small share of all calls, so that they do not finish off a weak server.

    Each retry takes one token, each success gives a share of one back; without a whole token
    a failure is final. Agents may share a budget, and threads. The idea is that of gRPC's
    retry throttling (gRFC A6).

    Args:
        tokens: How many retries may be made out of turn; what it starts with, and its most.
        per_success: Tokens that a success gives back: 0.1 allows a retry for each ten.

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
        """What is left."""
        return self._tokens

    def take(self) -> bool:
        """Take a token for a retry, if there is one."""
        with self._changing:
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True

    def give_back(self) -> None:
        """Take note of a success."""
        with self._changing:
            self._tokens = min(self._most, self._tokens + self._per_success)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Decides about retries; knows no clock and sleeps nowhere.

    Tried again are lost connections, timeouts, and the statuses 408, 409, 429 and 5xx, unless
    the server's ``x-should-retry`` says otherwise. What the server asks for (``Retry-After``
    and ``Retry-After-Ms``) is waited for exactly; otherwise the wait doubles from try to try,
    less a random share, so that those who failed together do not come back together.

    Attributes:
        max_retries: Tries of one call besides the first; 0 turns retries off.
        first_delay_s: Wait before the first retry.
        max_delay_s: No wait is longer, unless the server asks for it.
        max_retry_after_s: If the server asks for more than this, the failure is final.
        jitter: The share of a wait, 0 to 1, of which a random part is left out.
        budget: Bounds the retries of all calls together.
        random: Draws the jitter; give a seeded one to repeat a run.

    Raises:
        SettingsError: A number is out of its range.
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
        """Say how long to wait before the next try; ``None`` if there shall be none.

        Args:
            error: How the last try failed.
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
        """Take note that a call has succeeded."""
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
    # RFC 9110, 10.2.3: it may also be a date.
    date = email.utils.parsedate_tz(headers.get("retry-after", ""))
    return None if date is None else max(0.0, email.utils.mktime_tz(date) - time.time())
