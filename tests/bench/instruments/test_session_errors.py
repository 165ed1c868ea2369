"""What a session that failed is said to have failed of."""

import asyncio
import inspect
import json
import socket
from collections.abc import Callable

import pytest
from warpbench.bench.instruments.probe import Probe
from warpbench.mocks.clock import VirtualClock
from warpbench.mocks.network.guard import staying_on_this_machine

FILE = "test_session_errors.py"


def error_of(session: Callable[[str], str]) -> str | None:
    probe = Probe(VirtualClock(), {"task": 0})
    probe.watch_sync(session)("task")
    (sample,) = probe.samples()
    return sample.error


def line_of(function: Callable[..., object], offset: int) -> int:
    return inspect.getsourcelines(function)[1] + offset


def misses_a_key(_task: str) -> str:
    return {"found": "it"}["sought"]


def misuses_the_standard_library(_task: str) -> str:
    return str(json.loads(5))  # type: ignore[arg-type]


def hides_a_mistake(task: str) -> str:
    try:
        return misses_a_key(task)
    except KeyError as error:
        raise RuntimeError("no answer") from error


def gives_up(_task: str) -> str:
    raise ValueError("not today")


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        (misses_a_key, f"KeyError: 'sought' ({FILE}:{line_of(misses_a_key, 1)})"),
        (
            hides_a_mistake,
            f"RuntimeError: no answer <- KeyError: 'sought' ({FILE}:{line_of(misses_a_key, 1)})",
        ),
        (gives_up, "ValueError: not today"),
    ],
)
def test_a_mistake_in_the_code_comes_with_its_place(
    session: Callable[[str], str], expected: str
) -> None:
    assert (error_of(session) or "").replace("tests/bench/instruments/", "") == expected


def test_the_place_is_the_caller_of_what_is_not_its_own() -> None:
    error = error_of(misuses_the_standard_library) or ""

    assert error.startswith("TypeError: the JSON object must be str")
    assert error.endswith(f"{FILE}:{line_of(misuses_the_standard_library, 1)})")


def sends_text(_task: str) -> str:
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.sendto("text", ("127.0.0.1", 9))  # type: ignore[call-overload]
    return ""


def test_the_place_is_the_caller_of_a_socket_that_checks_addresses() -> None:
    with staying_on_this_machine():
        error = error_of(sends_text) or ""

    assert error.startswith("TypeError: a bytes-like object is required")
    assert error.endswith(f"{FILE}:{line_of(sends_text, 2)})")


def test_an_awaited_mistake_has_a_place_too() -> None:
    async def session(task: str) -> str:
        await asyncio.sleep(0)
        return misses_a_key(task)

    probe = Probe(VirtualClock(), {"task": 0})
    asyncio.run(probe.watch_async(session)("task"))  # type: ignore[arg-type]

    assert f"{FILE}:{line_of(misses_a_key, 1)})" in (probe.samples()[0].error or "")
