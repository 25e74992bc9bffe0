"""Connections that go to public addresses only and keep to a deadline.

A host's name is resolved once, each address is judged, and the connection is made to the very address that was
judged: a name that resolves differently a moment later (DNS rebinding) gains nothing. As every connection is made
here, redirects are held to the same.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpcore2

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason

_EMBEDS_IPV4 = ipaddress.ip_network("64:ff9b::/96")
"""Addresses that a NAT64 gateway turns into IPv4 (RFC 6052, section 2.1)."""
_NO_SUCH_NAME = {socket.EAI_NONAME, socket.EAI_NODATA}

_deadline = threading.local()


@contextmanager
def keep_deadline(at: float) -> Iterator[None]:
    """Let connecting, reading and writing in this thread fail with a time-out at a time of `time.monotonic()`.

    A limit on silence alone does not end an answer that comes byte by byte.
    """
    _deadline.at = at
    try:
        yield
    finally:
        _deadline.at = None


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, as does any IPv4 address that it stands for."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _EMBEDS_IPV4:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip.is_site_local:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def resolve(host: str, port: int, *, allow_private: bool) -> list[str]:
    """Find the addresses of a host that may be connected to, in the system's order.

    Raises RecordError PRIVATE_ADDRESS where none of them is public, UNREACHABLE where there is no such name, and
    httpcore2.ConnectError where it could not be found out.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label of more than 63 letters
        raise RecordError(Reason.UNREACHABLE, f"no usable name of a host: {host[:80]}") from error
    except socket.gaierror as error:
        if error.errno in _NO_SUCH_NAME:
            raise RecordError(Reason.UNREACHABLE, f"there is no host of the name {host}") from error
        raise httpcore2.ConnectError(f"the name {host} could not be resolved: {error.strerror}") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if allow_private:
        return addresses
    public = [address for address in addresses if is_public(address)]
    if not public:
        raise RecordError(
            Reason.PRIVATE_ADDRESS,
            f"{host} is {', '.join(addresses)}, inside a private network; allow_private lets it be asked",
        )
    return public


class GuardedBackend(httpcore2.NetworkBackend):
    """Makes the connections of a pool."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._plain = httpcore2.SyncBackend()
        self._wires = _Wires()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first public address of a host that answers."""
        try:
            addresses = resolve(host, port, allow_private=self._allow_private)
        except socket.gaierror as error:
            raise httpcore2.ConnectError(
                f"the name {host} could not be resolved: {error.strerror}"
            ) from error
        for address in addresses[:-1]:
            try:
                return self._connect(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self._connect(addresses[-1], port, timeout, local_address, socket_options)

    def _connect(
        self, address: str, port: int, timeout: float | None, local: str | None, options: Iterable[Any] | None
    ) -> httpcore2.NetworkStream:
        timeout = _limit(timeout, httpcore2.ConnectTimeout)
        return _TimedStream(self._plain.connect_tcp(address, port, timeout, local, options), self._wires)

    def hang_up(self) -> None:
        """Break off all connections for good, so that threads which wait at them get an error now."""
        self._wires.hang_up()


class _Wires:
    """The sockets of a pool that are open, for as long as it holds them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._is_down = False

    def add(self, wire: socket.socket | None) -> None:
        with self._lock:
            if wire is not None:
                self._sockets.add(wire)
            is_down = self._is_down
        if is_down and wire is not None:
            _shut(wire)

    def hang_up(self) -> None:
        with self._lock:
            self._is_down = True
            sockets = list(self._sockets)
        for wire in sockets:
            _shut(wire)


def _shut(wire: socket.socket) -> None:
    """Wake up who reads from or writes to a socket; closing it would not."""
    with suppress(OSError):
        socket.socket.shutdown(
            wire, socket.SHUT_RDWR
        )  # that of ssl.SSLSocket also forgets its state, under the reader


class _TimedStream(httpcore2.NetworkStream):
    """A connection whose every wait ends at the deadline of the thread that waits."""

    def __init__(self, stream: httpcore2.NetworkStream, wires: _Wires) -> None:
        self._stream = stream
        self._wires = wires
        wires.add(stream.get_extra_info("socket"))

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _limit(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _limit(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        timeout = _limit(timeout, httpcore2.ConnectTimeout)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._wires)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _limit(timeout: float | None, error: type[httpcore2.TimeoutException]) -> float | None:
    """The shorter of a limit on silence and what is left until the deadline."""
    at = getattr(_deadline, "at", None)
    if at is None:
        return timeout
    left = float(at - time.monotonic())
    if left <= 0:
        raise error("the time limit for the whole answer was reached")
    return left if timeout is None else min(timeout, left)
