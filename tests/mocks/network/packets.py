"""A network in a namespace of its own whose packets are counted, before any could leave.

Run as a script inside ``in_own_network``: it opens the network, runs a command there, and writes
the packets that the command sent to a file. A network has a way out by a tunnel that nobody reads:
whatever is sent to another machine goes there, and ends there.

    python packets.py FILE COMMAND…
"""

import fcntl
import functools
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

INTERFACE = "tun0"
OWN_NAMESPACES = ("unshare", "--map-root-user", "--net", "--mount")
_TUNSETIFF = 0x400454CA
_TUN_WITHOUT_HEADER = 0x1001
_ETH_P_ALL = 0x0003
_PROTOCOLS = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp"}
_ICMP6 = {0, 58}
_LONGEST_BYTES = 65_536
_CONFIGURATION = {
    # One query, and no long wait for an answer that does not come.
    "/etc/resolv.conf": "nameserver 203.0.113.53\noptions timeout:1 attempts:1\n",
    "/etc/nsswitch.conf": "hosts: files dns\n",
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
}


@dataclass(frozen=True)
class Packet:
    """A packet that was on its way to another machine."""

    protocol: str
    host: str


class OpenNetwork:
    """A network with a route to everywhere, inside a namespace that has none yet."""

    def __init__(self) -> None:
        self._tunnel = os.open("/dev/net/tun", os.O_RDWR)
        request = struct.pack("16sH22x", INTERFACE.encode(), _TUN_WITHOUT_HEADER)
        fcntl.ioctl(self._tunnel, _TUNSETIFF, request)
        for setting in ("router_solicitations", "accept_ra"):
            Path(f"/proc/sys/net/ipv6/conf/{INTERFACE}/{setting}").write_text("0")
        for command in (
            "link set lo up",
            f"address add 198.51.100.2/24 dev {INTERFACE}",
            f"link set {INTERFACE} up",
            f"route add default dev {INTERFACE}",
            f"-6 address add 2001:db8:1::2/64 dev {INTERFACE} nodad",
            f"-6 route add default dev {INTERFACE}",
        ):
            subprocess.run(["ip", *command.split()], check=True)
        for file, text in _CONFIGURATION.items():
            with tempfile.NamedTemporaryFile("w") as ours:
                ours.write(text)
                ours.flush()
                subprocess.run(["mount", "--bind", ours.name, file], check=True)
        self._tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
        self._tap.bind((INTERFACE, _ETH_P_ALL))
        self._tap.setblocking(False)

    def sent(self) -> list[Packet]:
        """Return the packets that were sent since this was last asked, but for IPv6's own."""
        return [packet for packet in self._taken() if packet is not None]

    def _taken(self) -> Iterator[Packet | None]:
        while True:
            try:
                yield _packet(self._tap.recv(_LONGEST_BYTES))
            except BlockingIOError:
                return


def _packet(content: bytes) -> Packet | None:
    if content[0] >> 4 == 4:
        number, host = content[9], socket.inet_ntop(socket.AF_INET, content[16:20])
    else:
        number, host = content[6], socket.inet_ntop(socket.AF_INET6, content[24:40])
        if number in _ICMP6:  # neighbours are looked for, and groups told of, without being asked
            return None
    return Packet(_PROTOCOLS.get(number, str(number)), host)


@functools.cache
def why_no_network() -> str | None:
    """Say why there can be no such network here; ``None`` if there can."""
    for program in ("unshare", "ip", "mount"):
        if shutil.which(program) is None:
            return f"no program {program} here"
    tried = in_own_network(os.devnull, "true")
    return None if tried.returncode == 0 else f"no network can be made here: {tried.stderr[-200:]}"


def in_own_network(
    packets_file: str | Path, *command: str, folder: Path | None = None, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Run a command in a network of its own; write the packets that it sent to a file."""
    return subprocess.run(
        [*OWN_NAMESPACES, sys.executable, __file__, str(packets_file), *command],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=folder,
        env={**os.environ, **variables},
    )


def main() -> None:
    """Run the command that is named, and write what it sent."""
    network = OpenNetwork()
    finished = subprocess.run(sys.argv[2:], check=False)
    packets = [[packet.protocol, packet.host] for packet in network.sent()]
    Path(sys.argv[1]).write_text(json.dumps(packets))
    sys.exit(finished.returncode)


if __name__ == "__main__":
    main()
