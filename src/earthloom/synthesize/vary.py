"""Variants of a place: its tiles decoded to linear light, changed by one effect, encoded again.

tiles of one place      layers           outcome          variants
RGB   8-bit  ------->   linear   --+
NIR   8-bit  ------->   linear   --+-->  effect   ---->   RGB, NIR: changed, encoded like their base
SAR   8-bit  ------------------------------------------>  SAR: the same bytes, and a record that says why
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import RecordError
from earthloom.core.ids import hash_bytes, make_id
from earthloom.core.images import decode_image, encode_jpeg, encode_png
from earthloom.core.light import Light, encode_srgb, to_display, to_light
from earthloom.core.records import Effect, Modality, Quantity, Reason, Refused, Scene, Stretch, Tile
from earthloom.core.seeds import make_rng, stable_hash
from earthloom.metrics.appearance import measure_appearance
from earthloom.synthesize.detail import grow, shrink
from earthloom.synthesize.effects import EFFECT_PATHS, OPTICAL, AnyEffect, EffectKind, find_effect
from earthloom.synthesize.hiding import hide_borders, hide_labels
from earthloom.synthesize.stack import DISPLAY_UM, Layer, Mask, Outcome, Stack, View

SYNTHESIZE_VERSION = "2"
"""Raised when the same tile and settings give other variants than before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One tile of a place, with the scene that it was cut from."""

    scene: Scene
    tile: Tile
    """With its pixels."""


def vary_place(
    members: Sequence[Member], settings: AnyEffect, *, label: str, digest: str, quality: int
) -> Iterator[Tile | Refused]:
    """Make the variants of one place under one effect: one outcome for each of its tiles, in their order.

    Args:
        members: the tiles that show one ground at one time (equal `pair_id`), at least one of them optical.
        settings: the effect.
        label: tells entries of one effect in a recipe apart, such as `fog-2`; part of the seed.
        digest: hash of the settings, part of the variants' ids (`fingerprint_effect`).
        quality: of JPEG, for tiles that are stored so.

    Yields:
        Tiles with ids of their own, `base_id` of the clear tile, a `pair_id` that the variants share, and `effect`; a
        refusal for a picture of which the effect cannot say how it would look.

    Raises:
        RecordError: NO_EFFECT where nothing would be seen; UNREADABLE where a tile's picture is broken.

    """
    kind = find_effect(settings)
    place = members[0].tile.pair_id
    seed = stable_hash(settings.seed, label, place) >> 1  # 63 bits: a column holds signed numbers
    rng = make_rng(seed)
    optical = [member for member in members if member.scene.modality in kind.modalities]
    if not optical:
        raise RecordError(Reason.NO_EFFECT, f"{kind.name} acts on {_list(kind.modalities)} pictures alone")
    optical.sort(key=lambda member: member.scene.modality is not Modality.RGB)
    stack = make_stack(optical)
    severity = settings.severity[int(rng.integers(len(settings.severity)))]
    small = shrink(stack, _count_pixels(optical[0].tile)) if kind.is_at_detail else stack
    drawn = kind.draw(settings, small.view, severity, rng)
    outcome = grow(kind.add(small, drawn, rng), small, stack)
    params = {"asked": severity, **_describe(drawn), "measured": dict(outcome.measured)}
    effect = Effect(
        name=kind.name,
        severity=outcome.severity,
        is_visible=True,
        params=json.dumps(params, allow_nan=False),
        seed=seed,
    )
    changed = dict(zip((m.tile.id for m in optical), outcome.layers, strict=True))
    for member in members:
        variant = _name_variant(member.tile, label, digest)
        if member.tile.id in changed:
            light = changed[member.tile.id]
            yield _finish(member, variant, light, outcome, stack.valid, effect, kind, quality)
        elif member.scene.modality in OPTICAL:
            yield _refuse(member, variant, kind)
        else:
            yield replace(variant, effect=replace(effect, is_visible=False))


def _count_pixels(tile: Tile) -> float:
    """Pixels to one detail, 1 unless the tile was enlarged."""
    return 1.0 if tile.gsd_m is None or tile.pixel_m is None else tile.gsd_m / tile.pixel_m


def _describe(drawn: Any) -> dict[str, object]:
    """What was drawn; of files the names, since a release says nothing of the machine it was made on."""
    params = dataclasses.asdict(drawn)
    paths = {name: Path(path).name for name in EFFECT_PATHS if (path := params.get(name)) is not None}
    return params | paths


def make_stack(members: Sequence[Member]) -> Stack:
    """Decode the optical tiles of a place to linear light. Raises RecordError UNREADABLE for a broken picture."""
    first = members[0]
    return Stack(
        view=_look(first),
        layers=tuple(_decode(member) for member in members),
        valid=_join_valid([member.tile for member in members]),
        classes=_find_classes(members),
    )


def is_linear(scene: Scene) -> bool:
    """Whether a tile's 8-bit values are proportional to light: a stretch of counts is, a picture is sRGB."""
    return scene.quantity is not Quantity.DISPLAY


def _decode(member: Member) -> Layer:
    picture = cast("npt.NDArray[np.uint8]", decode_image(member.tile.image))
    light: Light = picture * np.float32(1 / 255) if is_linear(member.scene) else to_light(picture)
    return Layer(
        modality=member.scene.modality,
        light=light,
        wavelengths_um=DISPLAY_UM[member.scene.modality],
    )


def _look(member: Member) -> View:
    scene, tile = member.scene, member.tile
    azimuth = scene.sun_azimuth_deg
    return View(
        height=tile.height,
        width=tile.width,
        pixel_m=tile.pixel_m,
        sun_azimuth_deg=None if azimuth is None else (azimuth - find_up(scene)) % 360,
        sun_elevation_deg=scene.sun_elevation_deg,
        lat=tile.lat if tile.lat is not None else scene.lat,
    )


def find_up(scene: Scene) -> float:
    """Direction in which the top of a scene's picture points, degrees clockwise from grid north.

    0 without a grid: pictures are shown with north up unless something says otherwise.
    """
    if scene.transform is None:
        return 0.0
    _, b, _, _, e, _ = scene.transform
    return math.degrees(math.atan2(-b, -e)) % 360


def _join_valid(tiles: Sequence[Tile]) -> Mask | None:
    masks = [decode_image(tile.valid_mask)[:, :, 0] > 0 for tile in tiles if tile.valid_mask is not None]
    return cast(Mask, np.logical_and.reduce(masks)) if masks else None


def _find_classes(members: Sequence[Member]) -> Mapping[str, Mask] | None:
    for member in members:
        if member.tile.class_mask is not None and member.scene.mask is not None:
            values = decode_image(member.tile.class_mask)[:, :, 0]
            return {entry.name: values == entry.value for entry in member.scene.mask.legend}
    return None


def _refuse(member: Member, variant: Tile, kind: EffectKind) -> Refused:
    return Refused(
        id=variant.id,
        key=f"{member.scene.source}:{member.scene.source_key}",
        reason=Reason.NO_EFFECT,
        detail=f"{kind.name} acts on {_list(kind.modalities)} pictures alone, not on {member.scene.modality}",
    )


def _list(modalities: Iterable[Modality]) -> str:
    return " and ".join(sorted(modalities))


def _name_variant(tile: Tile, label: str, digest: str) -> Tile:
    return replace(
        tile,
        id=make_id("variant", tile.id, label, digest),
        base_id=tile.id,
        pair_id=make_id("variant of pair", tile.pair_id, label, digest),
    )


def _finish(
    member: Member,
    variant: Tile,
    light: Light,
    outcome: Outcome,
    valid: Mask | None,
    effect: Effect,
    kind: EffectKind,
    quality: int,
) -> Tile:
    """Encode one changed picture as its base is encoded.

    Pixels stay as they were where any picture of the place is without data: the effect was drawn for the ground that
    all of them show.
    """
    picture, stretch = _encode(member, light, kind)
    if valid is not None and not valid.all():
        picture[~valid] = decode_image(member.tile.image)[~valid]
    data = encode_jpeg(picture, quality) if member.tile.media == "jpg" else encode_png(picture)
    sha256 = hash_bytes(data)
    if sha256 == member.tile.sha256:
        raise RecordError(
            Reason.NO_EFFECT, f"{kind.name} changes no pixel of the {member.scene.modality} tile"
        )
    return replace(
        variant,
        image=data,
        sha256=sha256,
        stretch=stretch,
        labels=hide_labels(variant.labels, outcome.visible),
        borders=hide_borders(variant.borders, outcome.visible),
        appearance=measure_appearance(picture, _join_valid([variant]), member.scene.modality, stretch),
        effect=effect,
    )


def _encode(member: Member, light: Light, kind: EffectKind) -> tuple[npt.NDArray[np.uint8], Stretch]:
    """Light as 8 bits, on the scale of the base tile, and the stretch that this comes to.

    A dark picture that is stored linearly would keep a handful of grey levels. As a camera does at night it is
    exposed longer, until it is as bright as an sRGB picture of the same light; the new limit is in its stretch.
    """
    stretch = member.tile.stretch
    if not is_linear(member.scene):
        return to_display(np.array(light, np.float32)), stretch
    gain = 1.0
    if kind.darkens:
        mean = float(np.clip(light, 1e-4, 1).mean())
        gain = max(1.0, float(encode_srgb(np.array(mean))) / mean)
        high = tuple(low + (high - low) / gain for low, high in zip(stretch.low, stretch.high, strict=True))
        stretch = replace(stretch, high=high)
    scaled = light * np.float32(255 * gain)
    scaled += np.float32(0.5)
    return np.clip(scaled, 0, 255).astype(np.uint8), stretch
