"""How the gate says figures."""

_LONG_S = 100


def counted(count: int, noun: str, *, signed: bool = False, plural: str = "") -> str:
    """Return a count of things: ``1 tool call``, ``+3 tool calls``."""
    words = noun if abs(count) == 1 else plural or f"{noun}s"
    return f"{count:+,d} {words}" if signed else f"{count:,d} {words}"


def number(value: float) -> str:
    """Return a count, or a mean of counts, with as many decimals as it needs."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def seconds_in_words(value_s: float) -> str:
    """Return a time: ``1.200 s``, ``123.4 s``."""
    return f"{value_s:.3f} s" if value_s < _LONG_S else f"{value_s:.1f} s"
