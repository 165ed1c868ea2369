"""Which addresses are on this machine, however they are written."""

import contextlib
import ipaddress
import pickle
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.mocks.errors import (
    UnmockedRequestError,
    UnreachableHostError,
    UnresolvedHostError,
)
from warpbench.mocks.network.addresses import (
    require_known_name,
    require_loopback,
    require_no_resolver,
)
from warpbench.mocks.network.refusals import refusals

LOOPBACK = ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "localhost", b"localhost", ""]


@pytest.mark.parametrize("host", [*LOOPBACK, None, b"", b"127.0.0.1", "::1%lo"])
def test_loopback_passes(host: object) -> None:
    require_loopback(host)
    require_no_resolver(host)


@pytest.mark.parametrize(
    "host",
    [
        *("192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "0.0.0.0", "::", "fe80::1%lo"),
        *("example.com", b"example.com", "0x", "2130706433", 2130706433, 0, "127.1", "0177.0.0.1"),
        *("127.0.0.1%lo", "127.0.0.1.example.com", "localhost.example.com", "<broadcast>"),
        *("localhost.", " 127.0.0.1", ("127.0.0.1",), bytearray(b"127.0.0.1"), "bücher.example"),
    ],
)
def test_any_other_host_is_refused_by_name(host: object) -> None:
    name = host.decode() if isinstance(host, bytes) else str(host)
    with pytest.raises(UnmockedRequestError) as refused:
        require_loopback(host)
    assert f"a connection to {name} was not made" in str(refused.value)


@given(st.ip_addresses())
def test_an_address_passes_if_it_is_loopback_and_not_otherwise(
    address: "ipaddress.IPv4Address | ipaddress.IPv6Address",
) -> None:
    mapped = getattr(address, "ipv4_mapped", None)
    if address.is_loopback or (mapped is not None and mapped.is_loopback):
        require_loopback(str(address))
    else:
        with pytest.raises(UnmockedRequestError):
            require_loopback(str(address))
    require_no_resolver(str(address))


@given(st.ip_addresses(v=4, network="127.0.0.0/8"))
def test_every_address_of_loopback_passes_also_within_ipv6(address: ipaddress.IPv4Address) -> None:
    require_loopback(str(address))
    require_loopback(f"::ffff:{address}")


@given(st.text() | st.binary())
def test_what_is_no_address_is_looked_up_for_nobody(host: str | bytes) -> None:
    for require in (require_loopback, require_no_resolver, require_known_name):
        if host in {"", b"", "localhost", b"localhost"}:
            require(host)
            continue
        try:
            ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host)
        except ValueError:
            with pytest.raises(UnmockedRequestError):
                require(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", None, ""])
def test_the_name_of_this_machine_needs_no_resolver(host: object) -> None:
    require_known_name(host)


@pytest.mark.parametrize("host", ["127.0.0.53", "::ffff:127.0.0.1", "127.8.9.1", "192.0.2.1"])
def test_the_name_of_another_address_would_be_asked_for(host: str) -> None:
    with pytest.raises(UnmockedRequestError, match=host):
        require_known_name(host)


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_an_address_out_of_reach_is_to_its_caller_a_host_that_refuses(host: str) -> None:
    with pytest.raises(ConnectionRefusedError) as refused:
        require_loopback(host)
    assert type(refused.value) is UnreachableHostError
    assert isinstance(refused.value, UnmockedRequestError)


@pytest.mark.parametrize("require", [require_loopback, require_no_resolver, require_known_name])
def test_a_name_is_to_its_caller_one_that_nobody_knows(require: object) -> None:
    with pytest.raises(socket.gaierror) as refused:
        require("prices.example")  # type: ignore[operator]
    assert refused.value.errno == socket.EAI_NONAME
    assert type(refused.value) is UnresolvedHostError
    assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)


def test_a_refusal_is_told_to_whoever_counts_them() -> None:
    told: list[str] = []

    with refusals().told_to(told.append):
        for host in ("192.0.2.1", b"prices.example", "127.0.0.1"):
            with contextlib.suppress(UnmockedRequestError):
                require_loopback(host)
    with pytest.raises(UnmockedRequestError):
        require_loopback("192.0.2.2")

    assert told == ["192.0.2.1", "prices.example"]
