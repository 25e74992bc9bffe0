"""What GID's labels mean: the classes of its coarse (5) and fine (15) sets, their colours and their index orders.

Colours agree wherever they are written down (the mmsegmentation project `gid_dataset` and a fork's
`GID15Dataset`, NUDEM's `color_map_GID.py`, SOLC's `palette.py`); index orders do not, so colours go before indices.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from earthloom.core.records import Legend

IndexOrder = Literal["torchgeo", "solc"]
"""Who says what the numbers in a label of one band mean."""

UNLABELLED = "unlabelled"
"""Black: clouds, and whatever the publisher left out."""

_COARSE = (
    (UNLABELLED, (0, 0, 0)),
    ("built-up", (255, 0, 0)),
    ("farmland", (0, 255, 0)),
    ("forest", (0, 255, 255)),
    ("meadow", (255, 255, 0)),
    ("water", (0, 0, 255)),
)
_FINE = (
    (UNLABELLED, (0, 0, 0)),
    ("industrial land", (200, 0, 0)),
    ("urban residential", (250, 0, 150)),
    ("rural residential", (200, 150, 150)),
    ("traffic land", (250, 150, 150)),
    ("paddy field", (0, 200, 0)),
    ("irrigated land", (150, 250, 0)),
    ("dry cropland", (150, 200, 150)),
    ("garden plot", (200, 0, 200)),
    ("arbor woodland", (150, 0, 250)),
    ("shrub land", (150, 150, 250)),
    ("natural grassland", (250, 200, 0)),
    ("artificial grassland", (200, 200, 0)),
    ("river", (0, 0, 200)),
    ("lake", (0, 150, 200)),
    ("pond", (0, 200, 250)),
)
_SOLC_ORDER = (5, 6, 7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 13, 14, 15, 0)
"""SOLC's `palette.py` as places in `_FINE`: vegetation first, 15 for what is not labelled."""

PATCH_CLASSES = tuple(name for name, _ in _FINE[1:])
"""Of the patches in class folders."""


def _number(classes: Iterable[tuple[str, tuple[int, int, int]]]) -> tuple[Legend, ...]:
    return tuple(Legend(value=n, name=name, colour=colour) for n, (name, colour) in enumerate(classes))


COARSE = _number(_COARSE)
"""The five classes; the numbers are those of the mmsegmentation project, the publisher gives none."""
FINE = _number(_FINE)
"""The fifteen classes, numbered as in torchgeo."""
FINE_BY_ORDER: dict[IndexOrder, tuple[Legend, ...]] = {
    "torchgeo": FINE,
    "solc": _number(_FINE[place] for place in _SOLC_ORDER),
}
"""The fifteen classes by the numbers of a label of one band."""
