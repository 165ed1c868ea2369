"""Faults over real sockets raise what they shall, as late as they shall: on an idle machine."""

import pytest
from warpbench.mocks.transports.loopback import ServerProcess

from ....mocks.scenario.test_fault_matrix import (
    CASES,
    FORMS,
    expected,
    met_over_sockets,
    running,
    server,
)

LATE_BY_AT_MOST_S = 2.0

__all__ = ["running", "server"]


@pytest.mark.parametrize(
    ("form", "aiohttp"),
    [
        *((form, False) for form in FORMS),
        *((form, True) for form in FORMS if form.startswith("async")),
    ],
)
@pytest.mark.parametrize("name", CASES)
def test_over_sockets_it_is_raised_in_time(
    name: str, form: str, server: ServerProcess, *, aiohttp: bool
) -> None:
    error, after_s = met_over_sockets(server, name, form, aiohttp=aiohttp)

    raised, earliest_s = expected(name, form)
    assert error is raised or (aiohttp and error and raised and issubclass(error, raised))
    assert earliest_s - 0.002 <= after_s <= earliest_s + LATE_BY_AT_MOST_S
