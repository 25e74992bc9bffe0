"""The records: the type says how far a piece of data has come.

    Item -> Scene -> Tile -> Captioned -> Verdict       and, from any stage, Refused or Failed

All are frozen. Unknown is None, never 0 and never a guess. Fields that hold a measure carry the unit in their
name. `earthloom.store.tables` derives the Parquet schema of each record from these definitions: a field added
here is a column there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Bytes = bytes
"""The built-in, for a record whose field must itself be called `bytes`."""


class Modality(StrEnum):
    """What kind of measurement the pixels are."""

    RGB = "rgb"
    NIR = "nir"
    SAR = "sar"


class Quantity(StrEnum):
    """What a pixel's number means before it is made an 8-bit picture."""

    DISPLAY = "display"
    """Already a picture: 8-bit sRGB-like values, 0 to 255."""
    COUNTS = "counts"
    """Digital numbers or reflectance: linear in radiance, any range."""
    DB = "db"
    """Backscatter in decibels, 10 log10(sigma0 or gamma0)."""
    INTENSITY = "intensity"
    """Backscatter, linear power; dB = 10 log10(x)."""
    AMPLITUDE = "amplitude"
    """Backscatter, square root of power; dB = 20 log10(x). Uncalibrated amplitude has an unknown offset."""


class Origin(StrEnum):
    """Where a fact comes from."""

    HEADER = "raster header"
    NAME = "file name"
    SIDECAR = "sidecar file"
    RECIPE = "recipe"
    DOCUMENTATION = "dataset documentation"
    GAZETTEER = "gazetteer"
    STAC = "STAC item"
    COMPUTED = "computed"
    SYNTHETIC = "synthetic"


class Reason(StrEnum):
    """Why a record was refused. Closed: a new reason is added here, with its meaning."""

    EMPTY = "empty"
    """The file has no bytes."""
    UNREADABLE = "unreadable"
    """Truncated or corrupt: the decoder gave up."""
    NOT_AN_IMAGE = "not_an_image"
    """The bytes are no image format that is read here, whatever the name says."""
    MISSING = "missing"
    """The file, or a band of it, is not there."""
    NO_PERMISSION = "no_permission"
    """The system does not let us read it."""
    UNSAFE_PATH = "unsafe_path"
    """An archive member that points outside its archive, or a link that loops."""
    DUPLICATE = "duplicate"
    """A second member of the same name in an archive: which one is meant is unknown."""
    TOO_SMALL = "too_small"
    """Fewer pixels than a tile can honestly be made of."""
    TOO_LARGE = "too_large"
    """More pixels than can be decoded within the memory bound."""
    ANIMATED = "animated"
    """Several frames: which one is meant is unknown."""
    UNSUPPORTED_PIXELS = "unsupported_pixels"
    """A pixel type or band count that has no defined meaning here."""
    MISALIGNED = "misaligned"
    """The files of one product differ in size or grid."""
    BAD_GRID = "bad_grid"
    """The geo-reference is unusable."""
    BAD_FACTS = "bad_facts"
    """A sidecar row that contradicts itself or cannot be parsed."""
    NO_GSD = "no_gsd"
    """A ground sample distance was requested, but that of the source is unknown."""
    FINER_THAN_NATIVE = "finer_than_native"
    """The requested ground sample distance is finer than what was measured."""
    NO_VALID_PIXELS = "no_valid_pixels"
    """Every pixel is nodata, masked, transparent or NaN."""
    TOO_LITTLE_VALID = "too_little_valid"
    """The share of valid pixels is under `min_valid`."""
    NOT_FINITE = "not_finite"
    """What was computed from it is not a number or infinite."""
    FLAT = "flat"
    """All pixels have one value: nothing to see."""
    UNKNOWN_CLASS = "unknown_class"
    """A class, a mask's value or a mask's colour that the source's table of classes lacks."""
    NO_EFFECT = "no_effect"
    """A synthetic effect that cannot be seen in the picture, or that finds nothing there to act on."""
    NO_CAPTION = "no_caption"
    """No caption passed its checks."""
    BAD_ANSWER = "bad_answer"
    """What a language model answered cannot be used, however often it was asked: no JSON, the wrong fields, nothing
    at all, far too much, or a refusal to answer."""
    UNREACHABLE = "unreachable"
    """The server gave no usable answer, however often it was asked: 429, 5xx, time-outs, dropped connections."""
    DISALLOWED = "disallowed"
    """The server's robots.txt or its X-Robots-Tag header asks for the image to be left alone."""
    PRIVATE_ADDRESS = "private_address"
    """The address leads into a private network, which the recipe does not allow."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    """Where one fact of a record comes from."""

    fact: str
    """Name of the field."""
    origin: str
    """A value of `Origin`, or `model:NAME@REVISION`, `person:NAME`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ByteRange:
    """A member of an archive that can be read without unpacking."""

    offset: int
    """First byte of the member's data in the file."""
    size: int
    """Stored length, bytes."""
    deflated: bool = False
    """True for a zip member compressed with raw deflate; False for plain bytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Band:
    """One band of pixels and where it lies."""

    uri: str
    """Absolute path of the file."""
    index: int
    """Band of that file, from 1. For an encoded picture (JPEG, PNG, ...): channel from 1 in R, G, B[, A] order."""
    within: ByteRange | None = None
    """Where in the file the image lies when the file is an archive."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """An axis-aligned box, pixels of the image that carries it, x right, y down, `x0 <= x < x1`."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """Something known to be in the image."""

    name: str
    """Class name in plain words, lower case, such as `annual crop`."""
    kind: str
    """`class` (the whole image), `object` (with `box`), `cover` (with `share`), or `weather` (of the whole image,
    natural or painted in by others)."""
    origin: str
    """As in `Provenance.origin`."""
    box: Box | None = None
    corners: tuple[float, ...] | None = None
    """Of an oriented box: x, y of its four corners in order around it, eight numbers, pixels as in `box`."""
    truncated: bool | None = None
    """True where the publisher says that part of the object lies outside of the image."""
    difficult: bool | None = None
    """True where the publisher says that the object is hard to recognise."""
    share: float | None = None
    """Share of the valid pixels, 0 to 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Legend:
    """One value of a class mask."""

    value: int
    name: str
    colour: tuple[int, ...] | None = None
    """R, G, B, 0 to 255: how the publisher shows the class; None where it does not say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassMask:
    """A raster of classes on the grid of its scene."""

    band: Band
    """Of values; the first of three bands R, G, B where classes are stored as colours."""
    legend: tuple[Legend, ...]
    """Every value that the mask may hold, the background included; any other is UNKNOWN_CLASS."""
    origin: str
    by_colour: bool = False
    """True where the mask is a picture in the legend's colours instead of values."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """A text that the source brings with an image."""

    text: str
    role: str
    """`caption`, `title`, `alt` or `article`."""
    author: str | None = None
    """Who wrote it, as in `Caption.author`; None where the source does not say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """How measured values became 8-bit ones: out = round(255 * clip((v - low) / (high - low), 0, 1))."""

    method: str
    """`none` (the values were 8-bit already), `range`, `percentile` or `db`."""
    low: tuple[float, ...]
    """Per output channel, in the unit of the scene's quantity (dB for SAR)."""
    high: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One file, or one member of an archive, that belongs to an item."""

    uri: str
    size: int
    """Bytes, as listed; what a restarted run compares to see whether the source has changed."""
    mtime_ns: int = 0
    """Modification time of the file (of the archive for a member); 0 where there is none."""
    within: ByteRange | None = None
    role: str = ""
    """What the part is within its item, such as a band name; empty for a single file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One thing that a source lists: a file, an archive member, or a product of several files."""

    key: str
    """Where in the source: relative posix path (and member), the same on any machine."""
    parts: tuple[Part, ...]
    refused: Reason | None = None
    """Set when listing alone shows that the item cannot be used."""
    detail: str = ""
    document: str = ""
    """What listing already knows of the item and reading needs: a STAC item or a row of a table as JSON, a word."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """One image as its source describes it; no pixels have been read."""

    id: str
    item_id: str
    """Shared by what one source item yields, such as the RGB and the NIR of one file."""
    source: str
    """Name of the source in the recipe."""
    source_key: str
    dataset: str
    """Title of the collection in plain words."""
    modality: Modality
    quantity: Quantity
    bands: tuple[Band, ...]
    """In display order: three for RGB, one otherwise."""
    alpha: Band | None = None
    """A validity band: 0 is invalid."""
    nodata: float | None = None
    scale: float = 1.0
    offset: float = 0.0
    """Physical value = scale * stored + offset, applied exactly once, when pixels are read."""
    mask: ClassMask | None = None
    width: int
    height: int
    """Pixels of the grid; of the decoded picture for encoded images."""
    dtype: str
    """NumPy name of the stored type."""
    crs: str | None = None
    """`EPSG:n` or WKT; None without geo-reference."""
    transform: tuple[float, float, float, float, float, float] | None = None
    """(a, b, c, d, e, f): x = a*col + b*row + c, y = d*col + e*row + f, pixel corners, in the unit of `crs`."""
    gsd_x_m: float | None = None
    gsd_y_m: float | None = None
    """True ground distance between neighbouring pixel centres at the scene's centre, along rows and columns."""
    acquired: str | None = None
    """ISO 8601, as precise as known: `2019`, `2019-09`, `2019-09-04`, `2019-09-04T17:01:02Z`."""
    lon: float | None = None
    lat: float | None = None
    """Centre, degrees, WGS 84."""
    footprint: bytes | None = None
    """WKB polygon, longitude and latitude in degrees, WGS 84."""
    place: str | None = None
    country: str | None = None
    """ISO 3166-1 alpha-2 code where the source's word is a known country, else the word as it stands."""
    season: str | None = None
    """`spring`, `summer`, `autumn` or `winter`, where the source states it and no date."""
    platform: str | None = None
    sensor: str | None = None
    sun_azimuth_deg: float | None = None
    """Direction to the sun, degrees clockwise from north, 0 to 360."""
    sun_elevation_deg: float | None = None
    """Degrees above the horizon, -90 to 90."""
    view_azimuth_deg: float | None = None
    """Direction from the target to the sensor, degrees clockwise from north, 0 to 360."""
    off_nadir_deg: float | None = None
    """Angle at the sensor between nadir and the target, degrees, 0 to 90."""
    cloud_share: float | None = None
    """Share of the whole source image that is under cloud, 0 to 1."""
    orbit: str | None = None
    """`ascending` or `descending`."""
    polarisation: str | None = None
    """`VV`, `VH`, `HH` or `HV`."""
    looks: float | None = None
    """Equivalent number of looks, where the source states it."""
    synthetic: bool = False
    """True for a landscape that exists nowhere."""
    labels: tuple[Label, ...] = ()
    texts: tuple[Text, ...] = ()
    licence: str | None = None
    terms: str | None = None
    """What the licence, or the lack of one, means for those who publish or train, in a sentence."""
    credit: str | None = None
    published_split: str | None = None
    """The split that the publisher gave the image, in the publisher's word; a fact, not this release's split."""
    group: str
    """What must never be split: scenes of one group go to one split."""
    pair_key: str
    """Equal for co-registered scenes of several modalities (one grid, one place, one time)."""
    provenance: tuple[Provenance, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Crop:
    """The part of a scene that a tile shows, in pixels of the scene's grid; may reach beyond it when padded."""

    col: float
    row: float
    width: float
    height: float


Severity = Literal["light", "moderate", "heavy"]
SEVERITIES: tuple[Severity, ...] = ("light", "moderate", "heavy")
"""How strong an effect is, in the order of strength."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """A synthetic change to a tile's scene (weather, light)."""

    name: str
    """Such as `fog`, `low_light`."""
    severity: str
    """`light`, `moderate` or `heavy`, from what was measured in the pixels."""
    is_visible: bool
    """False where the sensor looks through the effect, as radar does through fog: the pixels are the base tile's."""
    params: str
    """JSON: the parameters that were drawn and, under `measured`, what they came to."""
    seed: int
    """Of all that was drawn."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Border:
    """Two land covers that touch each other in a tile."""

    names: tuple[str, ...]
    """Two class names, in alphabetical order."""
    share: float
    """Share of all borders between covers in the tile that runs between these two, over 0 to 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Appearance:
    """How bright the picture of a tile is, over its valid pixels: measured, for words about it."""

    low: float
    median: float
    high: float
    """5th, 50th and 95th percentile, in `unit`."""
    unit: str
    """`dB` for radar shown in decibels, else `level`: stored grey level over 255, luminance for RGB, 0 to 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    """Pixels cut from a scene, encoded once."""

    id: str
    scene_id: str
    base_id: str
    """Id of the tile that this one is a variant of; its own id when it is none."""
    pair_id: str
    """Equal for tiles of several modalities that show the same ground at the same time."""
    crop: Crop
    width: int
    height: int
    """Pixels of the tile."""
    native_gsd_m: float | None
    """Geometric mean of both axes of the source's true ground sample distance at this tile's centre."""
    gsd_m: float | None
    """Effective: what detail is there. Never finer than native, however many pixels were drawn."""
    pixel_m: float | None
    """Ground distance between neighbouring pixels of the tile; finer than `gsd_m` only where enlarged."""
    valid_share: float
    """Share of the tile's pixels that hold data, 0 to 1."""
    lon: float | None
    lat: float | None
    footprint: bytes | None
    """WKB polygon of the tile's corners, WGS 84."""
    stretch: Stretch
    resampling: str = "none"
    """How source pixels became tile pixels: `none`, `mtf`, `area`, `cubic` (enlarged, no detail added), or
    `model:NAME@DIGEST` for a super-resolution network, whose detail is invented."""
    labels: tuple[Label, ...]
    """The scene's labels as this tile shows them: boxes in tile pixels, cover shares of this tile."""
    image: bytes
    media: str
    """`jpg` or `png`."""
    valid_mask: bytes | None
    """PNG, 255 valid and 0 not; None where every pixel is valid."""
    class_mask: bytes | None
    """PNG of the scene's class values, 8-bit; None where the scene has no mask."""
    effect: Effect | None = None
    borders: tuple[Border, ...] = ()
    """Which land covers touch, longest border first; empty without a class mask."""
    appearance: Appearance | None = None
    """None where fewer than a hundred pixels are valid."""
    sha256: str
    """Of `image`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Caption:
    """One text about one tile."""

    text: str
    style: str
    """`mmm_rs`, `enriched`, `gaia`, `plain`, or `source`."""
    role: str
    """What the caption is about, such as `overview`; `prompt` for generation prompts; `caption` from a source."""
    author: str
    """`rules@VERSION`, `source`, or `MODEL@REVISION/PROMPT` of a model with its revision and the version of the
    prompt that it was given."""
    checks: tuple[str, ...] = ()
    """Names of the checks that found something in the text to hold against the facts and found it right; empty for
    captions of a source, which are not checked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dropped:
    """A caption that was written and failed a check."""

    text: str
    """Cut after 500 letters."""
    style: str
    role: str
    author: str
    check: str
    """The first check that it failed."""
    evidence: str
    """The words that failed it, and what is known instead."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """What a model says about an image beside its captions: never a fact, and never where it contradicts one."""

    fact: str
    """`tag`, `location`, `modality`, `platform`, `sensor` or `resolution`."""
    value: str
    author: str
    """As in `Caption.author`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Captioned:
    """The captions of one tile."""

    id: str
    """Of the tile."""
    captions: tuple[Caption, ...]
    dropped: tuple[Dropped, ...] = ()
    """What was written and failed; it stays in the work folder."""
    proposals: tuple[Proposal, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What curation decided on one tile."""

    id: str
    """Of the tile."""
    split: str
    """`train`, `val` or `test`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """Something that was not good enough, kept with its reason."""

    id: str
    """Of the record, or of what it would have been made from."""
    key: str
    """Source name and key, for a person."""
    reason: Reason
    detail: str
    """What was measured or what the decoder said."""
    n: int = 1
    """How many planned units this stands for: all windows of a scene that cannot be read, say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """Something on which earthloom itself failed, kept with the traceback."""

    id: str
    key: str
    traceback: str
    n: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """An encoded image as Hugging Face's Parquet layout stores it."""

    bytes: Bytes
    path: str
    """File name, for its extension."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """One row of a release: an image, what is known of it and its captions. Documented in docs/data-format.md."""

    id: str
    image: Picture
    modality: Modality
    platform: str | None
    sensor: str | None
    gsd_m: float | None
    native_gsd_m: float | None
    pixel_m: float | None
    acquired: str | None
    lon: float | None
    lat: float | None
    footprint: bytes | None
    place: str | None
    country: str | None
    season: str | None
    sun_azimuth_deg: float | None
    sun_elevation_deg: float | None
    view_azimuth_deg: float | None
    off_nadir_deg: float | None
    cloud_share: float | None
    orbit: str | None
    licence: str | None
    terms: str | None
    credit: str | None
    published_split: str | None
    dataset: str
    source: str
    source_key: str
    scene_id: str
    base_id: str
    pair_id: str
    group: str
    effect: Effect | None
    labels: tuple[Label, ...]
    captions: tuple[Caption, ...]
    proposals: tuple[Proposal, ...]
    """What models say about the image beside their captions."""
    split: str
    width: int
    height: int
    valid_share: float
    crop: Crop
    stretch: Stretch
    resampling: str
    quantity: Quantity
    polarisation: str | None
    looks: float | None
    synthetic: bool
    valid_mask: bytes | None
    class_mask: bytes | None
    class_legend: tuple[Legend, ...]
    """What the values of `class_mask` mean; empty where there is no mask."""
    provenance: tuple[Provenance, ...]
    sha256: str
