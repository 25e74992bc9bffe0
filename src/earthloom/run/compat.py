"""The rules by which MMM-RS standardised its nine datasets to 512 pixels, so that counts can be compared.

Source: the scripts of `Standardized_processing` in the MMM-RS repository and the counts of arXiv 2410.22362. Where
MMM-RS super-resolved small images (Real-ESRGAN), these rules enlarge by `tile.enlarge`, a cubic unless a network is
given, and the effective ground sample distance stays that of the source. Its JPEG quality and resize filters are not
imitated.
"""

from __future__ import annotations

from collections.abc import Mapping

from earthloom.tile.config import FixedCrop, TileOverrides

COMPAT_SIZE = 512
"""Side of every image of MMM-RS, pixels."""

_WHOLE = TileOverrides(gsd_m=("native",), fit="whole", small="enlarge", min_side=1, min_valid=0.0)
"""The largest centred square: averaged down to 512 where it is larger, enlarged where it is smaller."""

_INRIA = (
    FixedCrop(side=4096),
    FixedCrop(side=2048),
    FixedCrop(side=1024),
    *(FixedCrop(side=512, shift_x=x, shift_y=y) for y in (-256, 256) for x in (-256, 256)),
    FixedCrop(side=512),
)
"""Inria.py: 2.4, 1.2 and 0.6 m about one centre; at 0.3 m the quadrants of the innermost 1024 and its centre."""

_FMOW = (
    FixedCrop(side=512),
    FixedCrop(side=512, across="left", down="bottom"),
    FixedCrop(side=512, across="right", down="top"),
)
"""fMoW.py: `_center`, `_left_bottom` and `_right_top` where both sides are longer than 512, else the centre."""

RULES: Mapping[str, TileOverrides] = {
    "mrssc2": _WHOLE,
    "inria": TileOverrides(gsd_m=("native",), fit="fixed", crops=_INRIA, min_side=4096, min_valid=0.0),
    "nasc_tg2": _WHOLE,
    "gid": TileOverrides(gsd_m=("native",), fit="windows", edges="shift", min_valid=0.0),
    "whu_opt_sar": TileOverrides(gsd_m=("native",), fit="windows", edges="drop", min_valid=0.0),
    "hrsc2016": _WHOLE,
    "hrrsd": _WHOLE,
    "fmow": TileOverrides(
        gsd_m=("native",),
        fit="fixed",
        crops=_FMOW,
        crops_above=512,
        small="enlarge",
        min_side=1,
        min_valid=0.0,
    ),
    "sen1_2": _WHOLE,
}
"""By kind of source. GID: 31,500 published tiles are 150 images times 15 x 14, so the remainder is covered by windows
shifted inwards. WHU: complete windows alone."""


def rules_of(kind: str) -> TileOverrides | None:
    """Give MMM-RS's rules for a kind of source; None for one that is not among its nine."""
    return RULES.get(kind)
