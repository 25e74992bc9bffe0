"""What a recipe may say about the network."""

from __future__ import annotations

import re
from importlib.metadata import metadata, version
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from earthloom.core.settings import Settings

TURNS = ".turns"
"""Name of the folder, below that for assets, in which the processes of a run take turns at a host."""

RobotsTag = Literal["noai", "noimageai", "noindex", "noimageindex"]


def _check_agent(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise ValueError("wants printable ASCII: a name, a version and where you can be reached.")
    if not re.fullmatch(r"[A-Za-z][A-Za-z_-]*(/.*)?", text):
        raise ValueError(
            f"wants a product name of letters, then `/` and a version, such as `earthloom/0.1`, got {text!r}."
        )
    return text


def _lower(text: str) -> str:
    return text.lower()


class Credential(Settings):
    """What one host wants to see before it gives something away."""

    host: Annotated[str, Field(pattern=r"^[^\s/:@]+$"), AfterValidator(_lower)]
    """Name of the host, without scheme and port."""
    env: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Name of the environment variable that holds it: a header (`Authorization: Bearer ...`) or the end of a query
    that signs URLs (`sig=...&se=...`)."""


class NetSettings(Settings):
    """How servers are asked."""

    per_host: int = Field(4, ge=1, le=64)
    """Requests that run at the same time to one host, over all workers."""
    interval_s: float = Field(0.1, ge=0, le=3600)
    """Shortest time between the starts of two requests to one host; a Crawl-delay in robots.txt can raise it."""
    tries: int = Field(5, ge=1, le=20)
    """How often one request is tried: after 429, 500, 502, 503, 504, silence and dropped connections."""
    backoff_s: float = Field(1.0, ge=0, le=60)
    """Pause before the second try; it doubles with each (at most 60 s), unless the server says with Retry-After
    when to come back."""
    timeout_s: float = Field(30.0, gt=0, le=3600)
    """Longest time to connect, and longest silence while an answer is read."""
    total_s: float = Field(600.0, gt=0, le=86_400)
    """Longest time for one request with all its tries and pauses; waiting for its turn at a host is not counted."""
    max_mb: float = Field(256.0, gt=0, le=100_000)
    """Largest download, MiB; what is larger is refused with `too_large`. Rasters that are read in windows are no
    download, unless their server does not serve windows."""
    allow_private: bool = False
    """True: addresses of this machine and of private networks may be asked too. Leave it off for lists of URLs that
    others wrote."""
    respect_robots: bool = True
    """Heed the robots.txt of servers when downloading; APIs and rasters that are read in windows are asked without."""
    refuse_tags: tuple[RobotsTag, ...] = ("noai", "noimageai", "noindex", "noimageindex")
    """What in an X-Robots-Tag header makes a download be refused with `disallowed`."""
    user_agent: Annotated[str, Field(min_length=3), AfterValidator(_check_agent)] | None = None
    """What servers are told about who asks; None: `earthloom/VERSION` and the project's page. Set it to name yourself
    when you ask for much: `earthloom/0.1 (+https://you.example/why)`. The name before the first `/` is the one that
    robots.txt is read for."""
    use_proxy: bool = True
    """Go through the proxy that HTTPS_PROXY or HTTP_PROXY name, hosts of NO_PROXY excepted. A proxy finds the
    addresses of hosts by itself, so that private ones are kept out only as far as this machine can see them."""

    credentials: tuple[Credential, ...] = ()
    """Which hosts want a key or a signed URL; the secret itself stays in the environment."""

    @property
    def agent(self) -> str:
        """The User-Agent header."""
        if self.user_agent is not None:
            return self.user_agent
        pages = metadata("earthloom").get_all("Project-URL") or []
        about = f" (+{pages[0].rpartition(', ')[2]})" if pages else ""
        return f"earthloom/{version('earthloom')}{about}"

    @property
    def product(self) -> str:
        """The name that robots.txt and X-Robots-Tag may address, in lower case."""
        return self.agent.split("/")[0].lower()

    @property
    def max_bytes(self) -> int:
        """`max_mb` in bytes."""
        return int(self.max_mb * 2**20)
