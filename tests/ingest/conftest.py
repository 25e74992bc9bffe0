"""What tests of sources share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from earthloom.geo.raster import close_rasters
from earthloom.net.client import configure
from earthloom.net.config import NetSettings


@pytest.fixture(autouse=True)
def forget_servers() -> Iterator[None]:
    """Let no test read through the settings, or from the open files, of another's server."""
    yield
    close_rasters()
    configure(NetSettings())
