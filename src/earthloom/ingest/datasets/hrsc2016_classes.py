"""What HRSC2016 numbers: 31 kinds of ships and six harbours.

The table of classes is that of mmrotate's `hrsc.py` (31 names for the numbers 1 to 33 without 21 and 23), read with
two public tables that spell the ships' types out. Level one is `ship`, level two the three generic kinds, and
level three the classes of ships.
"""

from __future__ import annotations

from dataclasses import dataclass

CLASSES = {
    1: "ship",
    2: "aircraft carrier",
    3: "warship",
    4: "merchant ship",
    5: "nimitz-class aircraft carrier",
    6: "enterprise-class aircraft carrier",
    7: "arleigh burke-class destroyer",
    8: "whidbey island-class dock landing ship",
    9: "perry-class frigate",
    10: "san antonio-class amphibious transport dock",
    11: "ticonderoga-class cruiser",
    12: "kitty hawk-class aircraft carrier",
    13: "kuznetsov-class aircraft carrier",
    14: "abukuma-class destroyer escort",
    15: "austin-class amphibious transport dock",
    16: "tarawa-class amphibious assault ship",
    17: "blue ridge-class command ship",
    18: "container ship",
    19: "command ship",
    20: "car carrier",
    22: "hovercraft",
    24: "yacht",
    25: "cargo ship",
    26: "cruise ship",
    27: "submarine",
    28: "lute-shaped warship",
    29: "hospital ship",
    30: "car carrier",
    31: "ford-class aircraft carrier",
    32: "midway-class aircraft carrier",
    33: "invincible-class aircraft carrier",
}
"""The last two digits of a Class_ID to plain words. Numbers 19, 20, 25 and 30 are told apart in the original by how
their decks look, drawn in ASCII: 20 and 30 are both car carriers."""

CLASS_BASE = 100_000_000
"""A Class_ID is this and the number of the class."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Harbour:
    """One of the six harbours that the images show."""

    name: str
    country: str
    lon: float
    lat: float


HARBOURS = (
    Harbour(name="Murmansk", country="RU", lon=33.1, lat=69.0),
    Harbour(name="Everett, Washington", country="US", lon=-122.2, lat=48.0),
    Harbour(name="Newport, Rhode Island", country="US", lon=-71.3, lat=41.5),
    Harbour(name="Mayport, Florida", country="US", lon=-81.4, lat=30.4),
    Harbour(name="Norfolk, Virginia", country="US", lon=-76.3, lat=36.9),
    Harbour(name="San Diego, California", country="US", lon=-117.1, lat=32.7),
)
"""In the order of their Place_ID."""
_REACH_LON, _REACH_LAT = 2.0, 1.0
"""The images of one harbour lie up to some fifty kilometres apart."""


def find_harbour(lon: float, lat: float) -> Harbour | None:
    """Find the harbour that a stated location means; None for a location near none of the six.

    The publisher states all longitudes without a sign: read as they stand, San Diego would lie in China.
    """
    for harbour in HARBOURS:
        if abs(abs(lon) - abs(harbour.lon)) <= _REACH_LON and abs(lat - harbour.lat) <= _REACH_LAT:
            return harbour
    return None
