"""When a request is tried again, how long is waited before it, and when it is given up."""

from __future__ import annotations

import hashlib
import time
from email.utils import parsedate_to_datetime

import httpx2

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.net.config import NetSettings
from earthloom.net.urls import show_url

RETRIED = frozenset({429, 500, 502, 503, 504})
"""Answers after which the same request may well succeed (RFC 9110, section 15.6; RFC 6585, section 4)."""
LONGEST_PAUSE_S = 60.0


class AnswerError(RecordError):
    """A server's answer, or the lack of one, that lets a record be refused."""

    def __init__(self, reason: Reason, detail: str, status: int | None = None) -> None:
        super().__init__(reason, detail)
        self.status = status
        """What the server answered; None where it gave no answer."""


class TryAgain(Exception):  # noqa: N818  (it is caught within the room and says what to do)
    """One try failed in a way that may pass."""

    def __init__(self, said: str, *, status: int | None = None, wait_s: float | None = None) -> None:
        super().__init__(said)
        self.said = said
        self.status = status
        self.wait_s = wait_s
        """What the server asked for with Retry-After, seconds."""


class Budget:
    """What one request may still spend: tries and seconds."""

    def __init__(self, settings: NetSettings, url: str) -> None:
        self._settings = settings
        self._url = url
        self._n_tries = 0
        self._left_s = settings.total_s

    @property
    def left_s(self) -> float:
        """Seconds that are left for answers and pauses."""
        return self._left_s

    def spend(self, seconds: float) -> None:
        """Take the time that an answer took."""
        self._left_s -= seconds

    def pause(self, fault: TryAgain) -> None:
        """Sleep until the next try; raises AnswerError UNREACHABLE where there is to be none."""
        self._n_tries += 1
        if self._n_tries >= self._settings.tries:
            raise self._give_up(fault, "")
        pause_s = find_pause(self._url, self._n_tries, self._settings.backoff_s)
        pause_s = max(pause_s, fault.wait_s or 0.0)
        if pause_s >= self._left_s:
            why = f"; a pause of {pause_s:.0f} s would exceed the limit of {self._settings.total_s:g} s"
            raise self._give_up(fault, why)
        self._left_s -= pause_s
        time.sleep(pause_s)

    def _give_up(self, fault: TryAgain, why: str) -> AnswerError:
        tries = "1 try" if self._n_tries == 1 else f"{self._n_tries} tries"
        said = f"{show_url(self._url)}: {fault.said}, after {tries}{why}"
        return AnswerError(Reason.UNREACHABLE, said, fault.status)


def find_pause(url: str, n_tries: int, backoff_s: float) -> float:
    """Seconds before the next try: doubling, and spread over 0.5 to 1.5 times that by a hash of the URL.

    The spread keeps many clients from coming back at one moment; a hash gives it without a random state.
    """
    digest = hashlib.blake2b(f"{n_tries}:{url}".encode("utf-8", "surrogateescape"), digest_size=4).digest()
    spread = 0.5 + int.from_bytes(digest) / 2**32
    return min(backoff_s * 2.0 ** (n_tries - 1) * spread, LONGEST_PAUSE_S)


def read_retry_after(headers: httpx2.Headers) -> float | None:
    """What Retry-After asks for, seconds from now (RFC 9110, section 10.2.3); None where it says nothing usable.

    A date is held against the server's own clock where its answer has one.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    at = _read_date(text)
    now = _read_date(headers.get("Date", ""))
    return None if at is None else max(0.0, at - (time.time() if now is None else now))


def _read_date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError, TypeError):
        return None
