"""Each measure of radar moves the right way when chips are made worse: the rows of docs/evaluation-sanity.md."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))
from sanity.radar import list_rows, read_chips  # noqa: E402
from sanity.rows import render_rows  # noqa: E402

sys.path.remove(str(DOCS))


def make_chips() -> list[np.ndarray]:
    """Two grounds with speckle of 4.4 looks that neighbours share a little, as those of Sentinel-1 do."""
    chips = []
    for seed in (0, 1):
        rng = np.random.default_rng(seed)
        fields = cv2.resize(rng.normal(-11, 3, (3, 3)), (160, 160), interpolation=cv2.INTER_CUBIC)
        speckle = cv2.GaussianBlur(rng.gamma(2.0, 0.5, (160, 160)), (3, 3), 0.4)
        chips.append(fields + 10 * np.log10(speckle))
    return chips


@pytest.mark.parametrize("kind", ["made", "real"])
def test_every_row_is_right(kind: str, request: pytest.FixtureRequest) -> None:
    chips = make_chips() if kind == "made" else read_chips(request.getfixturevalue("real_data"))
    rows = list(list_rows(chips))
    wrong = [row for row in rows if not row.is_right]
    assert not wrong, "\n".join(render_rows(wrong))
    assert len(rows) >= 25
