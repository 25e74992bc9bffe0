"""Breaking off exchanges that another thread waits for."""

from __future__ import annotations

import threading
import time

import httpx2
import pytest
from loopback_server import Answer, Loopback, serve

from earthloom.net.transport import TRANSPORT_ERRORS, Transport


@pytest.mark.parametrize("slow", [Answer(header_delay_s=5), Answer(body=b"x" * 20_000_000, drip_s=0.2)])
def test_who_waits_gets_an_error_at_once_and_for_good(slow: Answer) -> None:
    transport = Transport(allow_private=True, use_proxy=False, timeout_s=30)
    errors: list[BaseException] = []

    def ask(web: Loopback) -> None:
        try:
            with transport.exchange(httpx2.Request("POST", f"{web.url}/a", content=b"{}")) as response:
                response.read()
        except TRANSPORT_ERRORS as error:
            errors.append(error)

    with serve() as web:
        web.answer("/a", slow)
        threads = [threading.Thread(target=ask, args=(web,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        while len(web.seen) < 3:
            time.sleep(0.01)
        began = time.monotonic()
        transport.hang_up()
        for thread in threads:
            thread.join(5)
        assert time.monotonic() - began < 1
        assert len(errors) == 3
        web.answer("/a", Answer(body=b"late"))
        ask(web)
        assert len(errors) == 4
        assert web.count("/a") == 3
    transport.close()
