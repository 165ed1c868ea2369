"""Each target over each transport: the same sessions, the same counts."""

import pytest

from ....mocks.transports.test_transports import (
    TARGETS,
    check_counts,
    collected_here,
    pytestmark,
    trial,
)

__all__ = ["collected_here", "pytestmark"]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("transport", "strategy"),
    [
        *(("respx", "gather"), ("loopback", "gather"), ("loopback", "threads")),
        ("loopback-aiohttp", "gather"),
    ],
)
def test_the_same_is_counted_whichever_way_the_model_is_reached(
    transport: str, strategy: str, target: str
) -> None:
    check_counts(trial(transport, strategy, target), transport)
