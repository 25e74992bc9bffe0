"""Lets a Python process of the tests reach nothing but this machine.

Python imports a module of this name when it starts; `tests/conftest.py` puts this folder on PYTHONPATH, so that
worker processes and command lines that a test starts are held to it as well.
"""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

HOST_ARGUMENT = {"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0, "socket.gethostbyname": 0}
"""Audit events that reach out, with the place of the address in their arguments."""


def is_local(address: Any) -> bool:
    """Whether an address, or the host of a (host, port, ...) tuple, is a local socket or the loopback."""
    host = address[0] if isinstance(address, tuple) else address
    if isinstance(address, str | bytes) and address[:1] in ("/", b"/", "\0", b"\0"):
        return True
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return True
    try:
        ip = ipaddress.ip_address(name)
    except ValueError:
        return False
    return ip.is_loopback or ip.is_unspecified


def refuse_outside(event: str, args: tuple[Any, ...]) -> None:
    """Audit hook: raise where something beyond this machine is addressed."""
    place = HOST_ARGUMENT.get(event)
    if place is not None and not is_local(args[place]):
        raise RuntimeError(f"tests do not use the network: {event} {args[place]!r}")


sys.addaudithook(refuse_outside)
