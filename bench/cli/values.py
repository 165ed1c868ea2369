"""What the values of options mean: text in, values out, a ``ValueError`` of one line if not.

A converter of cyclopts is called with the type and with all words of its option: `--strategy a,b
--strategy c` is one call with two words. Its ``ValueError`` becomes a line that ``errors`` writes.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ..results.durations import parse_duration_s
from ..runner.choices import not_one_of

if TYPE_CHECKING:
    from cyclopts import Token
    from cyclopts.completion import CompletionContext

_MOST = 1_000_000
AUTO = "auto"
"""The load that is to be found."""

POOL_OF_LOAD = "load"
POOL_OF_PYTHON = "default"

Read = Callable[[str], Any]
Known = Callable[[], Iterable[str]]


def whole(least: int = 1, most: int = _MOST) -> Callable[[str], int]:
    """Return a reader of whole numbers in a range."""

    def read(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,12}", text) or not least <= int(text) <= most:
            raise ValueError(f"{text!r}: expected a whole number from {least} to {most:,}")
        return int(text)

    return read


def one_of(known: Known, of_others: Callable[[str], bool] | None = None) -> Callable[[str], str]:
    """Return a reader of names; which there are is asked for when a value is read.

    Args:
        known: Returns the names that there are.
        of_others: Says of a name whether it is checked where it is used: ``module:ATTRIBUTE``.
    """

    def read(text: str) -> str:
        if of_others is not None and of_others(text):
            return text
        names = list(known())
        if text not in names:
            more = "" if of_others is None else ", or module:ATTRIBUTE"
            raise ValueError(not_one_of(text, names) + more)
        return text

    return read


def load(text: str) -> int | str:
    """Read a load, or ``auto``."""
    return AUTO if text == AUTO else whole()(text)


def tool_workers(text: str) -> int | str:
    """Read the size of the pool for blocking tools."""
    return text if text in {POOL_OF_LOAD, POOL_OF_PYTHON} else whole()(text)


def pool_size(workers: int | str) -> int | None:
    """Return the size of the pool for blocking tools, as a plan has it."""
    sizes = {POOL_OF_LOAD: None, POOL_OF_PYTHON: 0}
    return workers if isinstance(workers, int) else sizes[workers]


def share(text: str) -> float:
    """Read a share: ``5%``."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)%", text)
    if found is None or float(found[1]) > 100:  # noqa: PLR2004 - per cent
        raise ValueError(f"{text!r}: expected a share from 0% to 100%, such as 5%")
    return float(found[1]) / 100


def objectives(text: str) -> str:
    """Read objectives such as ``ttft_p95=800ms,p99=2s``; return their text, as a run holds it."""
    from ..statistics.objectives import parse_objectives

    parse_objectives(text)
    return text


def serve_text(text: str) -> str:
    """Read a command that starts a service; return it as it was given."""
    from ..services.command import serve_command

    return serve_command(text).text


def arrivals(text: str) -> str:
    """Read a plan of arrivals; return its text."""
    from ...mocks.errors import UsageError
    from ...mocks.workload.arrivals import parse_arrivals

    try:
        parse_arrivals(text)
    except UsageError as error:
        raise ValueError(str(error).removeprefix("--arrivals ")) from None
    return text


def rate_per_s(text: str) -> float:
    """Read a rate: ``20``, ``20/s`` or ``1200/m``."""
    from ...mocks.workload.arrivals import parse_rate_per_s

    return parse_rate_per_s(text)


def single(read: Read, metavar: str, **more: Any) -> Parameter:
    """Return the parameter of an option that takes one value."""

    def convert(_type: Any, tokens: Sequence["Token"]) -> Any:
        return read(tokens[-1].value)

    # One word, whatever the annotation is: cyclopts would ask a tuple's for as many as it has, and
    # make an option of each field of a dataclass.
    return Parameter(converter=convert, metavar=metavar, n_tokens=1, accepts_keys=False, **more)


def several(read: Read, metavar: str, **more: Any) -> Parameter:
    """Return the parameter of an option that takes values: ``--x a,b`` or ``--x a --x b``."""

    def convert(_type: Any, tokens: Sequence["Token"]) -> Any:
        parts = [part.strip() for token in tokens for part in token.value.split(",")]
        if not any(parts):
            raise ValueError("expected at least one value")
        return tuple(dict.fromkeys(read(part) for part in parts if part))

    return Parameter(
        converter=convert,
        metavar=f"{metavar}[,{metavar}…]",
        n_tokens=1,
        negative=(),
        show_default=_joined,
        **more,
    )


def _joined(values: Iterable[object]) -> str:
    return ",".join(map(str, values))


def name(known: Known, metavar: str = "NAME") -> Parameter:
    """Return the parameter of an option that takes one of the names that there are."""

    def complete(_context: "CompletionContext") -> list[str]:
        return list(known())

    return single(one_of(known), metavar, completer=complete)


def names(
    known: Known, metavar: str = "NAME", of_others: Callable[[str], bool] | None = None
) -> Parameter:
    """Return the parameter of an option that takes some of the names that there are."""

    def complete(context: "CompletionContext") -> list[str]:
        done, comma, _ = context.incomplete.rpartition(",")
        return [f"{done}{comma}{each}" for each in known()]

    return several(one_of(known, of_others), metavar, completer=complete)


def any_name(text: str) -> str:
    """Read a name that is checked where it is used."""
    return text


Duration = Annotated[float, single(parse_duration_s, "TIME")]
Rate = Annotated[float, single(rate_per_s, "RATE")]
Count = Annotated[int, single(whole(), "N")]
