"""Gives a process a network of its own: loopback, and no way out for anybody (Linux).

The process gets a network namespace: an empty network with its own loopback, whose ports are its
own, too. What the process starts inherits it. So it holds for what no hook in Python sees: other
processes, and C code with sockets of its own.

Root just takes one. Everybody else may do so in a user namespace, where the system has those: a
process is then the same user of the same group, and may do what it could do before. What belongs
to others is shown as nobody's there.

Sockets that are files are no part of a network. So a server on this machine is still reached by
the path of its socket, and whatever it passes on is its own doing.
"""

import ctypes
import errno
import fcntl
import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import IsolationError

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1
_INTERFACE_REQUEST = "16sH22x"
_CAPABILITY_VERSION = 0x20080522
_AT_A_LIMIT = frozenset({errno.ENOSPC, errno.EUSERS})
_LIMIT = "no more namespaces are allowed"
_THREADS = Path("/proc/self/task")


def isolate_network() -> None:
    """Take this process from the machine's network into one of its own, for good.

    Raises:
        IsolationError: The system does not allow it, or threads of the process would stay behind.
    """
    if sys.platform != "linux":
        raise IsolationError("only Linux has network namespaces")
    with _in_words("the threads of the process are not known"):
        if len(list(_THREADS.iterdir())) > 1:
            raise IsolationError("the process has threads, which would stay behind")
    libc = ctypes.CDLL(None, use_errno=True)
    capabilities = _Capabilities.of_this_process(libc)
    with _in_words("unshare"):
        try:
            _call(libc, "unshare", ctypes.c_int(_CLONE_NEWNET))
            has_user_namespace = False
        except PermissionError:
            user, group = os.geteuid(), os.getegid()
            _call(libc, "unshare", ctypes.c_int(_CLONE_NEWUSER | _CLONE_NEWNET))
            has_user_namespace = True
    if has_user_namespace:
        with _in_words("the user cannot be kept"):
            _keep_user(user, group)
    with _in_words("loopback cannot be brought up"):
        _bring_loopback_up()
    if has_user_namespace:
        with _in_words("the new capabilities cannot be given up"):
            capabilities.restore(libc)


@contextmanager
def _in_words(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = _LIMIT if error.errno in _AT_A_LIMIT else error.strerror
        raise IsolationError(f"{what}: {reason}") from error


def _call(libc: ctypes.CDLL, name: str, *arguments: object) -> None:
    """Call a function of the C library.

    Raises:
        OSError: It failed.
    """
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno() or errno.EINVAL
        raise OSError(number, os.strerror(number))


def _keep_user(user: int, group: int) -> None:
    """Be the same user, of the same group, in a new user namespace."""
    own = Path("/proc/self")
    # Or a group could be mapped only by who may do so outside.
    (own / "setgroups").write_text("deny")
    (own / "uid_map").write_text(f"{user} {user} 1")
    (own / "gid_map").write_text(f"{group} {group} 1")


def _bring_loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack(_INTERFACE_REQUEST, b"lo", 0)
        found = fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request)
        name, flags = struct.unpack(_INTERFACE_REQUEST, found)
        request = struct.pack(_INTERFACE_REQUEST, name, flags | _IFF_UP)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)


class _Capabilities:
    """What this process may do beyond its user's rights, as ``capget`` tells it.

    In a new user namespace it may do anything with what is its own: read a file, say, that its user
    has made unreadable. A target would meet another machine.
    """

    def __init__(self, sets: "ctypes.Array[ctypes.c_uint32]") -> None:
        self._sets = sets

    @classmethod
    def of_this_process(cls, libc: ctypes.CDLL) -> "_Capabilities":
        """Return those of this process."""
        sets = (ctypes.c_uint32 * 6)()
        with _in_words("the capabilities cannot be read"):
            _call(libc, "capget", cls._header(), sets)
        return cls(sets)

    def restore(self, libc: ctypes.CDLL) -> None:
        """Give up those that have been added since.

        Raises:
            OSError: That failed.
        """
        _call(libc, "capset", self._header(), self._sets)

    @staticmethod
    def _header() -> "ctypes.Array[ctypes.c_uint32]":
        return (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
