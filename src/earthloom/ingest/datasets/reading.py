"""What adapters read files with: pictures and rasters as layers, annotations as values, all errors as refusals."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from earthloom.core.blobs import read_blob
from earthloom.core.errors import RecordError
from earthloom.core.ids import fingerprint_bytes, fingerprint_file
from earthloom.core.images import probe_image
from earthloom.core.records import (
    Band,
    ClassMask,
    Item,
    Label,
    Modality,
    Origin,
    Part,
    Quantity,
    Reason,
    Scene,
    Text,
)
from earthloom.ingest.about import About
from earthloom.ingest.config import FileSettings
from earthloom.ingest.layers import facts_of_grid
from earthloom.ingest.rasters import Raster, read_raster
from earthloom.ingest.scenes import Facts, Layer, facts_of_name, facts_of_recipe, make_scene


@dataclass(frozen=True, kw_only=True, slots=True)
class Pixels:
    """The pixels of a scene and the hash of the file that holds them."""

    layer: Layer
    fingerprint: str
    facts: Facts | None = None
    """What the file's own header says of place and ground sample distance."""


def read_picture(part: Part, modality: Modality, quantity: Quantity = Quantity.DISPLAY) -> Pixels:
    """Read the header of an encoded picture (JPEG, PNG, BMP, WebP, TIFF without geo-reference).

    RGB takes the first three channels, or a gray picture's one three times; NIR and SAR the first. Sixteen-bit
    display values are counts. Raises RecordError as `read_blob` and `probe_image` do.
    """
    data = read_blob(part.uri, part.within)
    header = probe_image(data)
    band = partial(Band, uri=part.uri, within=part.within)
    n_colours = header.channels - header.has_alpha
    channels = ((1, 1, 1) if n_colours == 1 else (1, 2, 3)) if modality is Modality.RGB else (1,)
    is_counts = header.dtype == "uint16" and quantity is Quantity.DISPLAY
    layer = Layer(
        modality=modality,
        quantity=Quantity.COUNTS if is_counts else quantity,
        bands=tuple(band(index=channel) for channel in channels),
        alpha=band(index=header.channels) if header.has_alpha else None,
        width=header.width,
        height=header.height,
        dtype=header.dtype,
    )
    return Pixels(layer=layer, fingerprint=fingerprint_bytes(data))


def open_part(part: Part) -> Raster:
    """Read the header of a raster on disk. Raises RecordError; a member of an archive is refused as UNREADABLE."""
    if part.within is not None:
        raise RecordError(Reason.UNREADABLE, "a raster within an archive; unpack it first")
    return read_raster(part.uri)


def take_bands(
    raster: Raster,
    modality: Modality,
    bands: Sequence[int],
    quantity: Quantity,
    *,
    nodata: float | None = None,
    scale: float = 1.0,
    offset: float = 0.0,
) -> Pixels:
    """Take bands (from 1, in display order) of a raster as a layer; the header's nodata where none is given.

    Raises RecordError MISSING for a band that is not there, UNSUPPORTED_PIXELS where types differ.
    """
    if max(bands) > raster.n_bands:
        raise RecordError(Reason.MISSING, f"band {max(bands)} is not there; the file has {raster.n_bands}")
    dtypes = {raster.dtypes[index - 1] for index in bands}
    if len(dtypes) > 1:
        raise RecordError(Reason.UNSUPPORTED_PIXELS, f"bands of several types: {', '.join(sorted(dtypes))}")
    layer = Layer(
        modality=modality,
        quantity=quantity,
        bands=tuple(Band(uri=raster.uri, index=index) for index in bands),
        nodata=raster.nodata[bands[0] - 1] if nodata is None else nodata,
        scale=scale,
        offset=offset,
        width=raster.width,
        height=raster.height,
        dtype=dtypes.pop(),
        crs=raster.crs,
        transform=raster.transform,
    )
    return Pixels(layer=layer, fingerprint=fingerprint_file(Path(raster.uri)), facts=facts_of_grid(raster))


def check_size(what: str, size: tuple[int, int], pixels: Pixels) -> None:
    """Refuse what is not of one size (width, height) with the image it belongs to: RecordError MISALIGNED."""
    wanted = (pixels.layer.width, pixels.layer.height)
    if size != wanted:
        raise RecordError(
            Reason.MISALIGNED, f"{what} is {size[0]} x {size[1]}, its image {wanted[0]} x {wanted[1]}"
        )


def declare_gsd(settings: FileSettings) -> Facts:
    """Give the ground sample distance of a dataset whose settings have a default for it.

    What the recipe says is the recipe's; the default is what documentation says, with its reason in the setting.
    """
    origin = Origin.RECIPE if "gsd_m" in settings.model_fields_set else Origin.DOCUMENTATION
    return Facts(origin=origin, gsd_x_m=settings.gsd_m, gsd_y_m=settings.gsd_m)


def make_dataset_scene(
    settings: FileSettings,
    item: Item,
    about: About,
    pixels: Pixels,
    facts: Sequence[Facts] = (),
    *,
    documented: Sequence[Facts] = (),
    labels: tuple[Label, ...] = (),
    texts: tuple[Text, ...] = (),
    mask: ClassMask | None = None,
    group: str | None = None,
    pair: str | None = None,
) -> Scene:
    """Build a scene from its pixels and what is known of it.

    Authority falls from the file's header over `facts` (names, annotations) and the recipe to what is `documented`
    of this modality or of all images.
    """
    header = () if pixels.facts is None else (pixels.facts,)
    recipe = (facts_of_name(settings, item.key), facts_of_recipe(settings))
    sources = (*header, *facts, *recipe, *documented, about.facts())
    return make_scene(
        settings,
        item,
        pixels.fingerprint,
        pixels.layer,
        sources,
        labels=labels,
        texts=texts,
        mask=mask,
        group=group,
        pair=pair,
        family=about.title,
    )


def read_xml(part: Part) -> ET.Element:
    """Parse an annotation. Raises RecordError BAD_FACTS for what is no XML."""
    try:
        return ET.fromstring(read_blob(part.uri, part.within))  # noqa: S314  expat bounds entity expansion
    except ET.ParseError as error:
        raise RecordError(Reason.BAD_FACTS, f"{Path(part.uri).name}: no XML: {error}") from error


def read_json(part: Part) -> dict[str, object]:
    """Parse an annotation that is one JSON object. Raises RecordError BAD_FACTS for anything else."""
    try:
        value = json.loads(read_blob(part.uri, part.within))
    except ValueError as error:
        raise RecordError(Reason.BAD_FACTS, f"{Path(part.uri).name}: no JSON: {error}") from error
    if not isinstance(value, dict):
        raise RecordError(Reason.BAD_FACTS, f"{Path(part.uri).name}: {type(value).__name__}, no JSON object")
    return value


def to_number(value: object, what: str, low: float = -math.inf, high: float = math.inf) -> float | None:
    """Give a number within [low, high]; None for nothing (None, empty text). Raises RecordError BAD_FACTS."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        number = float(value) if isinstance(value, str | int | float) else math.nan
    except ValueError:
        number = math.nan
    if not low <= number <= high or math.isinf(number):
        raise RecordError(Reason.BAD_FACTS, f"{what} is {value!r}; wanted a number from {low:g} to {high:g}")
    return number
