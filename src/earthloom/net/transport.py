"""One exchange with a server: a request out, a response in, no policy beyond where a connection may go.

This stands on the connection pool of httpx2 rather than on its client, which keeps cookies, reads the environment
and logs URLs whole, secrets included.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from urllib.request import getproxies_environment, proxy_bypass

import httpcore2
import httpx2

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.net.address import GuardedBackend, resolve

_KEEP_ALIVE_S = 15.0
_MAX_IDLE = 32

TRANSPORT_ERRORS = (
    httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.ProxyError,
    httpx2.DecodingError, ssl.SSLError,
)  # fmt: skip
"""What an exchange raises when the server, the wire or the proxy fails."""


class Transport:
    """Connections to servers, straight or through a proxy; safe to share between threads."""

    def __init__(self, *, allow_private: bool, use_proxy: bool, timeout_s: float) -> None:
        self._allow_private = allow_private
        self._use_proxy = use_proxy
        self._timeouts = dict.fromkeys(("connect", "read", "write", "pool"), timeout_s)
        self._proxies: dict[str, httpcore2.ConnectionPool] = {}
        self._backends = [GuardedBackend(allow_private=allow_private)]
        self._direct = httpcore2.ConnectionPool(
            ssl_context=_tls(),
            max_connections=None,
            max_keepalive_connections=_MAX_IDLE,
            keepalive_expiry=_KEEP_ALIVE_S,
            network_backend=self._backends[0],
        )

    @contextmanager
    def exchange(self, request: httpx2.Request) -> Iterator[httpx2.Response]:
        """Send a request and give its response, whose body is still to be read.

        Raises one of TRANSPORT_ERRORS, or RecordError PRIVATE_ADDRESS.
        """
        url = request.url
        wire_url = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        with self._choose(url).stream(
            request.method,
            wire_url,
            headers=request.headers.raw,
            content=request.read() or None,
            extensions={"timeout": self._timeouts},
        ) as response:
            yield httpx2.Response(
                response.status, headers=response.headers, stream=_Body(response), request=request
            )

    def close(self) -> None:
        """Close all connections."""
        for pool in (self._direct, *self._proxies.values()):
            pool.close()

    def hang_up(self) -> None:
        """Break off every exchange for good, from another thread; those who wait get one of TRANSPORT_ERRORS."""
        for backend in self._backends:
            backend.hang_up()

    def _choose(self, url: httpx2.URL) -> httpcore2.ConnectionPool:
        """The pool for a URL: the one of a proxy where the environment names one and the address is public."""
        proxy = find_proxy(url) if self._use_proxy else None
        if proxy is None:
            return self._direct
        try:
            resolve(url.host, url.port or 0, allow_private=False)
        except httpcore2.ConnectError:
            pass
        except RecordError as error:
            if error.reason is Reason.PRIVATE_ADDRESS:
                return self._direct  # which refuses it, unless private addresses are allowed
            # Behind many proxies only the proxy knows names.
        if proxy not in self._proxies:
            backend = GuardedBackend(allow_private=True)  # a proxy mostly lies in the user's own network
            self._backends.append(backend)
            self._proxies[proxy] = _open_proxy(proxy, backend)
        return self._proxies[proxy]


class _Body(httpx2.SyncByteStream):
    """The body of a response, piece by piece."""

    def __init__(self, response: httpcore2.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._response.iter_stream())


def find_proxy(url: httpx2.URL) -> str | None:
    """The proxy that HTTPS_PROXY, HTTP_PROXY or ALL_PROXY name for a URL, unless NO_PROXY excepts its host."""
    named = getproxies_environment()
    proxy = named.get(url.scheme) or named.get("all")
    if not proxy or proxy_bypass(url.host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _open_proxy(proxy: str, backend: GuardedBackend) -> httpcore2.HTTPProxy:
    address = httpx2.URL(proxy)
    return httpcore2.HTTPProxy(
        proxy_url=f"{address.scheme}://{address.netloc.decode().rpartition('@')[2]}",
        proxy_auth=(address.username, address.password) if address.username else None,
        ssl_context=_tls(),
        max_connections=None,
        max_keepalive_connections=_MAX_IDLE,
        keepalive_expiry=_KEEP_ALIVE_S,
        network_backend=backend,
    )


@cache
def _tls() -> ssl.SSLContext:
    """The trusted certificates of this machine; reading them takes some 20 ms, so once."""
    return httpcore2.default_ssl_context()
