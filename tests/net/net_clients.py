"""Clients for tests: quick to give up, allowed to ask this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.net.client import Client
from earthloom.net.config import NetSettings

QUICK: dict[str, Any] = {
    "allow_private": True,
    "interval_s": 0.0,
    "backoff_s": 0.001,
    "tries": 3,
    "timeout_s": 2.0,
    "total_s": 20.0,
    "use_proxy": False,
}


def quick(**changes: Any) -> NetSettings:
    return NetSettings(**{**QUICK, **changes})


def quick_client(**changes: Any) -> Client:
    return Client(quick(**changes))


def refusal(call: Callable[..., object], *args: Any, **more: Any) -> tuple[Reason, str]:
    """Why a call refuses."""
    with pytest.raises(RecordError) as caught:
        call(*args, **more)
    return caught.value.reason, caught.value.detail
