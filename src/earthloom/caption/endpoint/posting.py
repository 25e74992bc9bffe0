"""One try of one request: sent to an endpoint, and its answer, or why there is none and whether to try again.

Redirects are not followed: a key must not leave for another server. The key is sent as `Authorization: Bearer` and
stands nowhere else; where a server repeats it, it is taken out of what the server said.
"""

from __future__ import annotations

import math
import time
from functools import cache

import httpcore2
import httpx2

from earthloom.caption.asking import Answer
from earthloom.caption.config import ChatSettings
from earthloom.caption.endpoint.completion import read_completion, read_error, read_json, url_of
from earthloom.caption.endpoint.pacing import LONGEST_PAUSE_S
from earthloom.core.errors import RecordError, RunError, UsageError
from earthloom.core.text import to_line
from earthloom.net.address import keep_deadline
from earthloom.net.config import NetSettings
from earthloom.net.retry import read_retry_after
from earthloom.net.transport import TRANSPORT_ERRORS, Transport, find_proxy
from earthloom.net.urls import show_url

MAX_ANSWER_BYTES = 2**20
"""Longest answer that is read; five captions take some 3 KB."""
_PUSHED_BACK = frozenset({429, 503, 529})
_PASSING = frozenset({408, 409, 425, 429})
"""With all of 5xx: the same request may well succeed later (RFC 9110, section 15; OpenAI's guide to error codes)."""
_ENDPOINT_FAULTS = frozenset({401, 402, 403, 404, 405, 407, 410})
"""Not this request but every request is refused."""
_NO_MONEY = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_NEVER_SENT = (httpcore2.ConnectError, httpcore2.ConnectTimeout, httpcore2.PoolTimeout, httpcore2.ProxyError)


class NoAnswerError(Exception):
    """One try brought no answer."""

    def __init__(
        self,
        said: str,
        *,
        again: bool,
        may_cost: bool = False,
        is_pushed_back: bool = False,
        wait_s: float | None = None,
    ) -> None:
        super().__init__(said)
        self.said = said
        self.again = again
        """True where the same request may well succeed later."""
        self.may_cost = may_cost
        """True where the server may have done the work, and charge for it, although its answer did not come."""
        self.is_pushed_back = is_pushed_back
        """True where the server has too much to do."""
        self.wait_s = wait_s
        """Seconds after which the server wants to be asked again, at most 600; None where it does not say."""


class Poster:
    """Sends requests to one endpoint, one at a time; each thread has its own."""

    def __init__(self, settings: ChatSettings, key: str | None) -> None:
        """Raises UsageError where the key is one that no header can hold."""
        self._settings = settings
        self._key = key
        self._url = httpx2.URL(url_of(settings.base_url))
        self._shown = show_url(str(self._url))
        self._headers = _make_headers(settings, key)
        self._transport = Transport(
            allow_private=True,  # the user named the endpoint; many run on this machine
            use_proxy=find_proxy(self._url) is not None,  # looked up once: that reads the whole environment
            timeout_s=settings.limits.timeout_s,
        )

    def post(self, content: bytes) -> Answer:
        """Send the JSON of a request and wait for its answer, `limits.timeout_s` at most.

        Raises NoAnswerError for this try, RunError where every request would be refused.
        """
        request = httpx2.Request("POST", self._url, headers=self._headers, content=content)
        timeout_s = self._settings.limits.timeout_s
        try:
            with keep_deadline(time.monotonic() + timeout_s), self._transport.exchange(request) as response:
                body = self._hide_in(_read(response))
        except httpcore2.TimeoutException as error:
            may_cost = not isinstance(error, _NEVER_SENT)
            raise NoAnswerError(f"no answer within {timeout_s:g} s", again=True, may_cost=may_cost) from None
        except TRANSPORT_ERRORS as error:
            said = self.hide(f"the connection failed ({error or type(error).__name__})")
            raise NoAnswerError(said, again=True, may_cost=not isinstance(error, _NEVER_SENT)) from None
        except RecordError as error:  # there is no such host
            raise RunError(f"{self._shown}: {error.detail}. {self._point_at_url()}") from None
        return self._read_answer(response, body)

    def hide(self, text: str) -> str:
        """Take the key out of a text."""
        return text if self._key is None else text.replace(self._key, "***")

    def _hide_in(self, body: bytes | None) -> bytes | None:
        """Take the key out of a body before texts are cut from it: half a key would not be found."""
        return body if body is None or self._key is None else body.replace(self._key.encode(), b"***")

    def hang_up(self) -> None:
        """Break off what is under way, from another thread."""
        self._transport.hang_up()

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def _read_answer(self, response: httpx2.Response, body: bytes | None) -> Answer:
        status = response.status_code
        if not 200 <= status < 300:
            raise self._explain(response, body or b"")
        if body is None:
            said = f"an answer of more than {MAX_ANSWER_BYTES / 2**20:g} MiB, of which no more was read"
            raise NoAnswerError(said, again=False, may_cost=True)
        try:
            document = read_json(body)
        except ValueError:
            raise NoAnswerError(
                f"{status} with {self._show_start(body)} instead of JSON", again=True, may_cost=True
            ) from None
        code, message = read_error(document)
        if code.isdecimal() and (int(code) in _PASSING or int(code) >= 500):  # as gateways pass on errors
            raise NoAnswerError(self.hide(f"{code} ({message})"), again=True)
        try:
            return self._clean(read_completion(document))
        except RecordError as error:
            raise NoAnswerError(self.hide(error.detail), again=False, may_cost=True) from None

    def _clean(self, answer: Answer) -> Answer:
        if self._key is None or not any(self._key in text for text in (answer.text, answer.served)):
            return answer
        return Answer(
            text=self.hide(answer.text),
            finish=answer.finish,
            tokens_in=answer.tokens_in,
            tokens_out=answer.tokens_out,
            served=self.hide(answer.served),
        )

    def _explain(self, response: httpx2.Response, body: bytes) -> Exception:
        """What an answer that is no success means."""
        status = response.status_code
        try:
            code, message = read_error(read_json(body))
        except ValueError:
            code, message = "", ""
        said = self.hide(f"{status} ({message or code or response.reason_phrase or 'no reason given'})")
        if code in _NO_MONEY or status == 402:
            return RunError(
                f"{self._shown} answered {said}: the account has no credit left, or its limit is reached. Add to it, "
                "then run the same command again: nothing that was answered is asked twice."
            )
        if 300 <= status < 400 or status in _ENDPOINT_FAULTS:
            return RunError(f"{self._shown} answered {said}. {self._advise(status)}")
        again = status in _PASSING or status >= 500
        return NoAnswerError(
            said,
            again=again,
            is_pushed_back=status in _PUSHED_BACK,
            wait_s=find_wait(response.headers) if again else None,
        )

    def _advise(self, status: int) -> str:
        if 300 <= status < 400:
            return (
                "Redirects are not followed, so that the key goes nowhere else: "
                f"{self._point_at_url('write the address that is meant')}"
            )
        if status in {401, 403}:
            name = self._settings.key_env
            if name is None:
                return "The endpoint wants a key: name the environment variable that holds it in `key_env`."
            if self._key is None:
                return f"The endpoint wants a key: set the environment variable {name} to it."
            return (
                f"The key in the environment variable {name} is not accepted, or may not use the model "
                f"{self._settings.model}: set {name} to one that may."
            )
        if status == 407:
            return "The proxy wants a user and a password: put them into HTTPS_PROXY."
        return (
            f"There is no model {self._settings.model}, or no chat completions at this address: see to `model`, and "
            f"{self._point_at_url()}"
        )

    def _point_at_url(self, what: str = "check it") -> str:
        return f"`base_url` is {show_url(self._settings.base_url)}; {what}."

    def _show_start(self, body: bytes) -> str:
        if not body:
            return "nothing"
        start = body[:40].decode("utf-8", "replace")
        return self.hide(to_line(start)) or "blanks"


def find_wait(headers: httpx2.Headers) -> float | None:
    """Seconds after which a server wants to be asked again, 0 to 600; None where it does not say.

    Read are `retry-after-ms` (OpenAI, Azure) and Retry-After with seconds, whole or not, or a date.
    """
    milliseconds = _read_number(headers.get("retry-after-ms", ""))
    seconds = _read_number(headers.get("retry-after", "")) if milliseconds is None else milliseconds / 1000
    if seconds is None:
        seconds = read_retry_after(headers)
    return None if seconds is None else min(max(seconds, 0.0), LONGEST_PAUSE_S)


def _read_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number


@cache
def _name_agent() -> str:
    return NetSettings().agent


def _make_headers(settings: ChatSettings, key: str | None) -> dict[str, str]:
    headers = {
        "user-agent": _name_agent(),
        "accept": "application/json",
        "accept-encoding": "identity",
        "content-type": "application/json",
    }
    if key is None:
        return headers
    if not (key.isascii() and key.isprintable() and " " not in key and key):
        name = settings.key_env or "the key"
        raise UsageError(
            f"{name} holds characters that no key has (spaces, line ends, letters with accents). "
            f"Set the environment variable {name} to the key alone."
        )
    return {**headers, "authorization": f"Bearer {key}"}


def _read(response: httpx2.Response) -> bytes | None:
    """The body; None where it is longer than an answer may be, in which case the rest is left unread."""
    announced = response.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > MAX_ANSWER_BYTES:
        return None
    pieces, size = [], 0
    for piece in response.iter_bytes():
        size += len(piece)
        if size > MAX_ANSWER_BYTES:
            return None
        pieces.append(piece)
    return b"".join(pieces)
