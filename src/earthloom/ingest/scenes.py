"""From what a file holds and what is known of it to a `Scene`, with the origin of every fact."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from earthloom.core.errors import RecordError
from earthloom.core.ids import make_id
from earthloom.core.records import (
    Band,
    ClassMask,
    Item,
    Label,
    Modality,
    Origin,
    Provenance,
    Quantity,
    Reason,
    Scene,
    Text,
)
from earthloom.core.text import is_whole
from earthloom.geo.platforms import find_sensor, name_platform
from earthloom.geo.sensors import name_sensor
from earthloom.ingest.config import FileSettings, SourceSettings
from earthloom.ingest.names import capture, find_date, is_constant_date, parse_date

NEAR_M = 20_000.0
"""A town no further away than this gives a scene its name: our choice of what "the surroundings of" may mean."""
_NAMES_CREDIT = "place names: GeoNames (CC BY 4.0)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """The pixels of one scene: where they lie and what they mean. Fields as in `Scene`."""

    modality: Modality
    quantity: Quantity
    bands: tuple[Band, ...]
    alpha: Band | None = None
    nodata: float | None = None
    scale: float = 1.0
    offset: float = 0.0
    width: int
    height: int
    dtype: str
    crs: str | None = None
    transform: tuple[float, float, float, float, float, float] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What one origin knows of an item; None for what it does not. Fields as in `Scene`."""

    origin: Origin | str
    """A text where a model or a person said it: as in `Provenance.origin`."""
    acquired: str | None = None
    lon: float | None = None
    lat: float | None = None
    gsd_x_m: float | None = None
    gsd_y_m: float | None = None
    footprint: bytes | None = None
    place: str | None = None
    country: str | None = None
    season: str | None = None
    platform: str | None = None
    sensor: str | None = None
    sun_azimuth_deg: float | None = None
    sun_elevation_deg: float | None = None
    view_azimuth_deg: float | None = None
    off_nadir_deg: float | None = None
    cloud_share: float | None = None
    orbit: str | None = None
    polarisation: str | None = None
    looks: float | None = None
    licence: str | None = None
    terms: str | None = None
    credit: str | None = None
    published_split: str | None = None
    dataset: str | None = None
    modality: Modality | None = None
    """Only for its origin: who says that the bands are what they are."""


_FACTS = tuple(field.name for field in dataclasses.fields(Facts) if field.name != "origin")


def facts_of_recipe(settings: SourceSettings, **known: str | float | Modality | None) -> Facts:
    """Give the facts that the recipe states for all items of a source; `known` adds those of its kind."""
    constant = settings.date if settings.date is not None and is_constant_date(settings.date) else None
    gsd_m = settings.gsd_m if isinstance(settings, FileSettings) else None
    return Facts(
        origin=Origin.RECIPE,
        acquired=None if constant is None else parse_date(constant),
        gsd_x_m=gsd_m,
        gsd_y_m=gsd_m,
        place=settings.place,
        platform=settings.platform,
        sensor=settings.sensor,
        licence=settings.licence,
        credit=settings.credit,
        dataset=settings.dataset,
        **known,  # type: ignore[arg-type]
    )


def facts_of_name(settings: SourceSettings, key: str) -> Facts:
    """Give what the recipe's regular expression for dates finds in a key."""
    if settings.date is None or is_constant_date(settings.date):
        return Facts(origin=Origin.NAME)
    return Facts(origin=Origin.NAME, acquired=find_date(settings.date, key))


def settle(sources: Sequence[Facts]) -> tuple[Facts, tuple[Provenance, ...]]:
    """Take each fact from the first source that knows it; platform and sensor in their one spelling.

    The sensor follows from the platform where no source names it and the platform carries only one.
    """
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for facts in sources:
        for name in _FACTS:
            value = getattr(facts, name)
            if value is not None and name not in values:
                values[name] = value
                origins[name] = str(facts.origin)
    if "platform" in values:
        platform = values["platform"] = name_platform(str(values["platform"]))
        if "sensor" not in values and (sensor := find_sensor(platform)) is not None:
            values["sensor"] = sensor
            origins["sensor"] = Origin.DOCUMENTATION.value
    if "sensor" in values:
        values["sensor"] = name_sensor(str(values["sensor"]))
    known = Facts(origin=Origin.COMPUTED, **values)  # type: ignore[arg-type]
    return known, tuple(Provenance(fact=name, origin=origin) for name, origin in sorted(origins.items()))


def make_scene(
    settings: SourceSettings,
    item: Item,
    fingerprint: str,
    layer: Layer,
    sources: Sequence[Facts],
    *,
    labels: tuple[Label, ...] = (),
    texts: tuple[Text, ...] = (),
    mask: ClassMask | None = None,
    group: str | None = None,
    pair: str | None = None,
    family: str | None = None,
) -> Scene:
    """Build the record of one modality of an item. `sources` of facts come in the order of their authority.

    `group` and `pair` are what the source itself knows of what belongs together; what the recipe's own expressions
    capture goes before them. They hold across all sources of one `dataset`, and of one `family` where the recipe
    names no dataset: two parts of a published dataset that share a scene share its group.

    Raises RecordError BAD_FACTS for a text that no table can hold.
    """
    facts, provenance = settle(sources)
    _check_letters(facts, labels, texts)
    if settings.find_place and facts.lon is not None and facts.lat is not None:
        facts, provenance = settle((*sources, facts_of_gazetteer(facts.lon, facts.lat)))
        facts = _credit_names(facts, provenance)
    name = settings.name or ""
    item_id = make_id("item", name, item.key)
    channels = ",".join(str(band.index) for band in layer.bands)
    identity = (layer.modality.value, facts.polarisation, channels)
    group, pair_key = find_group(settings, item.key, item_id, group, pair, family)
    return Scene(
        id=make_id("scene", name, item.key, fingerprint, *identity),
        item_id=item_id,
        source=name,
        source_key=item.key,
        dataset=facts.dataset or name,
        modality=layer.modality,
        quantity=layer.quantity,
        bands=layer.bands,
        alpha=layer.alpha,
        nodata=layer.nodata,
        scale=layer.scale,
        offset=layer.offset,
        width=layer.width,
        height=layer.height,
        dtype=layer.dtype,
        mask=mask,
        crs=layer.crs,
        transform=layer.transform,
        gsd_x_m=facts.gsd_x_m,
        gsd_y_m=facts.gsd_y_m,
        acquired=facts.acquired,
        lon=facts.lon,
        lat=facts.lat,
        footprint=facts.footprint,
        place=facts.place,
        country=facts.country,
        season=facts.season,
        platform=facts.platform,
        sensor=facts.sensor,
        sun_azimuth_deg=facts.sun_azimuth_deg,
        sun_elevation_deg=facts.sun_elevation_deg,
        view_azimuth_deg=facts.view_azimuth_deg,
        off_nadir_deg=facts.off_nadir_deg,
        cloud_share=facts.cloud_share,
        orbit=facts.orbit,
        polarisation=facts.polarisation,
        looks=facts.looks,
        labels=labels,
        texts=texts,
        licence=facts.licence,
        terms=facts.terms,
        credit=facts.credit,
        published_split=facts.published_split,
        group=group,
        pair_key=pair_key,
        provenance=provenance,
    )


def _check_letters(facts: Facts, labels: Sequence[Label], texts: Sequence[Text]) -> None:
    """JSON can hold half of a letter (a lone surrogate, as of an emoji that was cut), which UTF-8 cannot."""
    named = [(name, getattr(facts, name)) for name in Facts.__dataclass_fields__]
    named += [("label", label.name) for label in labels]
    named += [(text.role, text.text) for text in texts]
    for name, value in named:
        if isinstance(value, str) and not is_whole(value):
            raise RecordError(Reason.BAD_FACTS, f"{name} is {value[:80]!r}; wanted whole letters")


def facts_of_gazetteer(lon: float, lat: float) -> Facts:
    """Find the country of a point (degrees) and, where one is near, the town whose surroundings it lies in."""
    from earthloom.geo.places import find_country_at, find_place  # reads 65 MB of names at first use

    near, country = find_place(lon, lat), find_country_at(lon, lat)
    is_near = near.distance_m <= NEAR_M
    return Facts(
        origin=Origin.GAZETTEER,
        place=f"the surroundings of {near.place.name}" if is_near else None,
        country=None if country is None else country.alpha2,
    )


def _credit_names(facts: Facts, provenance: Sequence[Provenance]) -> Facts:
    """GeoNames wants to be named by whoever publishes its names."""
    if not any(entry.origin == Origin.GAZETTEER for entry in provenance):
        return facts
    credit = _NAMES_CREDIT if facts.credit is None else f"{facts.credit}; {_NAMES_CREDIT}"
    return dataclasses.replace(facts, credit=credit)


def find_group(
    settings: SourceSettings,
    key: str,
    item_id: str,
    group: str | None = None,
    pair: str | None = None,
    family: str | None = None,
) -> tuple[str, str]:
    """Give the group that is never split and the key that pairs modalities, for one item.

    What the recipe's `pair` captures in the key pairs scenes across all sources of one `dataset`, and, unless
    `group` says otherwise, groups them; what `group` captures groups them. Where the recipe captures nothing,
    `group` and `pair` are taken, which the source itself knows; without any an item stands alone.
    """
    dataset = settings.dataset or family or settings.name or ""
    captured = capture(settings.pair, key)
    named = capture(settings.group, key)
    if named is None and settings.group is None:
        named = captured if captured is not None else group if group is not None else pair
    paired = captured if captured is not None else pair
    alone = f"{settings.name}:{key}"
    return (
        alone if named is None else f"{dataset}:{named}",
        item_id if paired is None else f"{dataset}:{paired}",
    )
