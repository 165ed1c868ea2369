"""How a scenario declares a distribution.

In TOML a distribution is a number, which is a constant, or a table with the one key that
names it in ``DISTRIBUTIONS``:

    latency_s = 0.5
    latency_s = { lognormal = { median = 0.5, p99 = 2.0 } }
    latency_s = { empirical = { p5 = 3.04, p50 = 6.13, "p99.9" = 135.68 } }
    latency_s = { mixture = [
        { weight = 9, constant = 0.1 },
        { weight = 1, uniform = { low = 1, high = 2 } },
    ] }
"""

import re
from collections.abc import Callable, Mapping
from inspect import signature

from .diagnostics import DeclarationError, invalid, listed, number, require, unknown
from .distributions import (
    Constant,
    Distribution,
    Empirical,
    Gamma,
    Lognormal,
    Mixture,
    Normal,
    Uniform,
)

_MOST_COMPONENTS = 16


def parse_distribution(value: object) -> Distribution:
    """Read a distribution as a scenario declares it (see the top of this module).

    Raises:
        DeclarationError: Neither a number nor a table that names one known distribution, or
            its parameters do not fit; the path leads from ``value`` to the culprit.
    """
    if isinstance(value, Mapping):
        if len(value) == 1:
            [(name, parameters)] = value.items()
            if name in DISTRIBUTIONS:
                try:
                    return DISTRIBUTIONS[name](parameters)
                except DeclarationError as error:
                    raise error.below(name) from None
            found = unknown(name, DISTRIBUTIONS)
        else:
            found = f"{len(value)} keys"
        raise DeclarationError(f"expected one key of {listed(DISTRIBUTIONS)}, found {found}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid("a number or a distribution such as { lognormal = { … } }", value)
    return _constant(value)


Parser = Callable[[object], Distribution]


def _constant(value: object) -> Distribution:
    return Constant(number(value))


def _from_table(*makers: Callable[..., Distribution]) -> Parser:
    """Return a parser of a table of numbers, whose keys are the parameters of a maker."""
    choices = {tuple(signature(maker).parameters): maker for maker in makers}
    expected = ", or ".join(listed(names, "and") for names in choices)

    def parse(table: object) -> Distribution:
        if not isinstance(table, Mapping):
            raise invalid(f"a table with {expected}", table)
        known = {name for names in choices for name in names}
        for key in table:
            if key not in known:
                raise DeclarationError(f"expected {expected}, found {unknown(key, known)}")
        for names, maker in choices.items():
            if table.keys() == set(names):
                return maker(**{key: number(value, key) for key, value in table.items()})
        found = listed(table, "and") if table else "an empty table"
        raise DeclarationError(f"expected {expected}, found {found}")

    return parse


def _empirical(table: object) -> Empirical:
    """From percentiles, ``{ p50 = 6.13, "p99.9" = 135.68 }``, in any order."""
    if not isinstance(table, Mapping):
        raise invalid("a table of percentiles such as { p50 = 1.0, p99 = 4.0 }", table)
    quantiles = {}
    for key, value in table.items():
        written = re.fullmatch(r"p(\d{1,3}(?:\.\d{1,10})?)", key, re.ASCII)
        if not written or float(written[1]) > 100:  # noqa: PLR2004 - per cent
            raise invalid("a percentile from p0 to p100, such as p50 or 'p99.9'", key)
        probability = float(written[1]) / 100
        if probability in quantiles:
            raise invalid("each percentile once", key)
        quantiles[probability] = number(value, key)
    rising = sorted(quantiles.items())
    return Empirical(tuple(p for p, _ in rising), tuple(v for _, v in rising))


def _mixture(array: object) -> Mixture:
    """From ``[{ weight = 0.9, constant = 0.1 }, …]``."""
    if not isinstance(array, list) or not array:
        raise invalid("an array such as [{ weight = 0.9, constant = 0.1 }]", array)
    if len(array) > _MOST_COMPONENTS:
        raise invalid(f"at most {_MOST_COMPONENTS} components", len(array))
    weights, components = [], []
    for index, part in enumerate(array):
        try:
            weight, component = _component(part)
        except DeclarationError as error:
            raise error.below(index) from None
        weights.append(weight)
        components.append(component)
    return Mixture(tuple(weights), tuple(components))


def _component(part: object) -> tuple[float, Distribution]:
    if not isinstance(part, Mapping):
        raise invalid("a table such as { weight = 0.9, constant = 0.1 }", part)
    if "weight" not in part:
        raise DeclarationError("expected a number above 0, found nothing", ("weight",))
    if "mixture" in part:
        raise DeclarationError("expected the parts of the inner mixture, found a mixture")
    weight = number(part["weight"], "weight")
    require(0 < weight <= 1e9, "a number above 0, up to 1e9", weight, "weight")  # noqa: PLR2004
    return weight, parse_distribution({key: part[key] for key in part if key != "weight"})


DISTRIBUTIONS: Mapping[str, Parser] = {
    "constant": _constant,
    "uniform": _from_table(Uniform),
    "normal": _from_table(Normal.of_moments),
    "lognormal": _from_table(Lognormal.of_percentiles, Lognormal),
    "gamma": _from_table(Gamma, Gamma.of_mean),
    "empirical": _empirical,
    "mixture": _mixture,
}
