"""What every test has: no network, repeatable property tests, and real imagery where it is at hand."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from loopback_server import Loopback, serve

ROOT = Path(__file__).resolve().parent.parent
OFFLINE = ROOT / "tests" / "offline"
REAL_DATA = "EARTHLOOM_REAL_DATA"

# Before anything that counts. Threads of one sum wait for each other: on busy cores two of them took ten times the time
# of one and ran into the limit of a test. And another number of threads rounds otherwise. Child processes inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["PROJ_NETWORK"] = "OFF"
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(
    prefix="earthloom-tests-"
)  # features that tests keep are theirs
atexit.register(shutil.rmtree, os.environ["XDG_CACHE_HOME"], ignore_errors=True)
os.environ["GDAL_HTTP_PROXY"] = "127.0.0.1:9"  # GDAL's own sockets are not Python's
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(OFFLINE), os.environ.get("PYTHONPATH")]))
sys.path.insert(0, str(OFFLINE))
import sitecustomize  # noqa: E402, F401  (the hook that the tests' child processes get at their start)

sys.path.remove(str(OFFLINE))

settings.register_profile("dev", deadline=None, print_blob=True)
settings.register_profile(
    "ci", deadline=None, print_blob=True, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


AsNobody = Callable[[], AbstractContextManager[None]]


@contextmanager
def _give_up_rights() -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def as_nobody() -> AsNobody:
    """A context without root's right to read everything; files in it must lie where others may look."""
    return _give_up_rights


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real imagery, or a skipped test."""
    given = os.environ.get(REAL_DATA)
    folder = Path(given) if given else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real imagery at {folder}: set {REAL_DATA} to its folder")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium that playwright can drive, or a skipped test."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium: install the package `chromium`")
    return path


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    """A web server of this test's own on 127.0.0.1: see `loopback_server`."""
    with serve() as web:
        yield web
