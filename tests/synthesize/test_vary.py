"""Variants of a place: what is shared, what is recorded, and what stays as it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from made_networks import save_veil

from earthloom.core.errors import RecordError
from earthloom.core.ids import hash_bytes
from earthloom.core.images import decode_image, encode_jpeg, encode_png
from earthloom.core.light import decode_srgb, encode_srgb, to_light
from earthloom.core.records import (
    Appearance,
    Band,
    Border,
    Box,
    ClassMask,
    Crop,
    Label,
    Legend,
    Modality,
    Quantity,
    Reason,
    Refused,
    Scene,
    Stretch,
    Tile,
)
from earthloom.synthesize import Member, vary_place
from earthloom.synthesize.cloud import CloudSettings
from earthloom.synthesize.effects import AnyEffect
from earthloom.synthesize.fog import FogSettings
from earthloom.synthesize.hiding import hide_labels
from earthloom.synthesize.low_light import LowLightSettings
from earthloom.synthesize.translation import TranslationSettings
from earthloom.synthesize.vary import find_up, make_stack

SIZE = 256


def draw_ground(seed: int, channels: int) -> npt.NDArray[np.uint8]:
    """Fields and texture: smooth patches with fine grain, nothing near black or white."""
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(rng.random((8, 8, channels), np.float32), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    grain = rng.normal(0, 0.05, (SIZE, SIZE, channels))
    return np.clip((0.25 + 0.35 * coarse.reshape(SIZE, SIZE, channels) + grain) * 255, 20, 220).astype(
        np.uint8
    )


def make_member(
    modality: Modality,
    *,
    picture: npt.NDArray[np.uint8] | None = None,
    media: str = "png",
    quantity: Quantity = Quantity.DISPLAY,
    **facts: object,
) -> Member:
    channels = 3 if modality is Modality.RGB else 1
    pixels = draw_ground(len(modality.value) + channels, channels) if picture is None else picture
    data = encode_png(pixels) if media == "png" else encode_jpeg(pixels, 95)
    scene = Scene(
        id=f"scene-{modality}",
        item_id="item",
        source="made",
        source_key="a.tif",
        dataset="made",
        modality=modality,
        quantity=Quantity.DB if modality is Modality.SAR else quantity,
        bands=(Band(uri="a.tif", index=1),),
        width=SIZE,
        height=SIZE,
        dtype="uint8",
        sun_azimuth_deg=150.0,
        sun_elevation_deg=45.0,
        group="group",
        pair_key="pair",
    )
    tile = Tile(
        id=f"tile-{modality}",
        scene_id=scene.id,
        base_id=f"tile-{modality}",
        pair_id="pair",
        crop=Crop(col=0, row=0, width=SIZE, height=SIZE),
        width=SIZE,
        height=SIZE,
        native_gsd_m=10.0,
        gsd_m=10.0,
        pixel_m=10.0,
        valid_share=1.0,
        lon=9.0,
        lat=47.0,
        footprint=None,
        stretch=Stretch(method="none", low=(0.0,) * channels, high=(255.0,) * channels),
        labels=(),
        image=data,
        media=media,
        valid_mask=None,
        class_mask=None,
        sha256=hash_bytes(data),
    )
    return Member(scene=scene, tile=replace(tile, **facts))  # type: ignore[arg-type]


def vary(members: list[Member], settings: AnyEffect, label: str = "fog") -> list[Tile]:
    outcomes = list(vary_place(members, settings, label=label, digest="0", quality=95))
    assert all(isinstance(outcome, Tile) for outcome in outcomes)
    return outcomes  # type: ignore[return-value]


def find_depth(clear: npt.NDArray[np.float32], veiled: npt.NDArray[np.float32]) -> float:
    """Optical depth by least squares of neighbours' differences, in which a smooth veil shows by its slope alone."""
    before, after = (np.diff(picture.astype(float), axis=1).ravel() for picture in (clear, veiled))
    return float(-np.log((before * after).sum() / (before * before).sum()))


PLACE = [make_member(Modality.NIR), make_member(Modality.SAR), make_member(Modality.RGB)]


def test_that_every_tile_of_a_place_gets_the_same_weather_and_a_record_of_it() -> None:
    variants = vary(PLACE, FogSettings())
    assert [tile.scene_id for tile in variants] == [member.scene.id for member in PLACE]
    assert [tile.base_id for tile in variants] == [member.tile.id for member in PLACE]
    assert len({tile.pair_id for tile in variants} | {"pair"}) == 2
    assert len({tile.id for tile in variants} | {member.tile.id for member in PLACE}) == 6
    effects = [tile.effect for tile in variants]
    assert all(effect is not None for effect in effects)
    assert {(e.name, e.seed, e.params, e.severity) for e in effects if e is not None} == {
        (effects[0].name, effects[0].seed, effects[0].params, effects[0].severity)  # type: ignore[union-attr]
    }
    assert json.loads(effects[0].params)["measured"]  # type: ignore[union-attr]
    assert all(hash_bytes(tile.image) == tile.sha256 for tile in variants)


def test_that_radar_keeps_its_bytes_and_says_so() -> None:
    near_infrared, radar, rgb = vary(PLACE, FogSettings())
    assert radar.image == PLACE[1].tile.image
    assert radar.effect is not None
    assert not radar.effect.is_visible
    assert rgb.effect is not None
    assert rgb.effect.is_visible
    assert near_infrared.image != PLACE[0].tile.image


@pytest.mark.parametrize("quantity", [Quantity.DISPLAY, Quantity.COUNTS])
def test_that_rgb_and_near_infrared_lie_under_one_depth(quantity: Quantity) -> None:
    members = [make_member(Modality.RGB, quantity=quantity), make_member(Modality.NIR, quantity=quantity)]
    decode = to_light if quantity is Quantity.DISPLAY else lambda picture: picture / np.float32(255)
    for seed in range(4):
        settings = FogSettings(severity=("moderate",), seed=seed, angstrom=(0.0, 0.0))
        depths = []
        for member, tile in zip(members, vary(members, settings), strict=True):
            before, after = (decode(decode_image(data))[:, :, -1] for data in (member.tile.image, tile.image))  # type: ignore[arg-type]
            tops = range(0, SIZE, 32)
            depths.append(
                [
                    find_depth(before[y : y + 32, x : x + 32], after[y : y + 32, x : x + 32])
                    for y in tops
                    for x in tops
                ]
            )
        blue, infrared = np.array(depths)
        assert abs(blue.mean() - infrared.mean()) < 0.02 * blue.mean()
        assert np.corrcoef(blue, infrared)[0, 1] > 0.97


def test_that_seeds_labels_and_places_make_other_weather_and_the_same_again_the_same() -> None:
    first = vary(PLACE, FogSettings())
    assert vary(PLACE, FogSettings()) == first
    others = [
        vary(PLACE, FogSettings(seed=1)),
        vary(PLACE, FogSettings(), label="fog-2"),
        vary([replace(m, tile=replace(m.tile, pair_id="other")) for m in PLACE], FogSettings()),
    ]
    assert len({tuple(tile.image for tile in tiles) for tiles in [first, *others]}) == 4


def test_that_pixels_without_data_stay_as_they_were() -> None:
    hole = np.full((SIZE, SIZE), 255, np.uint8)
    hole[40:90, 10:200] = 0
    picture = draw_ground(4, 3)
    picture[hole == 0] = 0
    member = make_member(Modality.RGB, picture=picture, valid_mask=encode_png(hole[:, :, None]))
    (variant,) = vary([member], FogSettings(severity=("heavy",)))
    changed = decode_image(variant.image)
    assert (changed[hole == 0] == 0).all()
    assert (changed[hole > 0] != picture[hole > 0]).mean() > 0.9
    assert variant.valid_mask == member.tile.valid_mask


@pytest.mark.parametrize("holed", [(Modality.RGB,), (Modality.NIR,), (Modality.RGB, Modality.NIR)])
def test_that_pixels_stay_as_they_were_where_any_picture_of_the_place_has_no_data(
    holed: tuple[Modality, ...],
) -> None:
    """Masks that differ: one picture alone with a hole, and two with holes that overlap in part."""
    missing = np.zeros((SIZE, SIZE), bool)
    members = []
    for i, modality in enumerate((Modality.RGB, Modality.NIR)):
        picture = draw_ground(i, 3 if modality is Modality.RGB else 1)
        hole = np.zeros((SIZE, SIZE), bool)
        if modality in holed:
            hole[40:90, 10 + 60 * i : 200] = True
            picture[hole] = 0
        missing |= hole
        mask = encode_png(np.where(hole, 0, 255).astype(np.uint8)[:, :, None]) if hole.any() else None
        members.append(make_member(modality, picture=picture, valid_mask=mask))
    for member, variant in zip(members, vary(members, FogSettings(severity=("heavy",))), strict=True):
        before, after = decode_image(member.tile.image), decode_image(variant.image)
        np.testing.assert_array_equal(after[missing], before[missing])
        assert (after[~missing] != before[~missing]).mean() > 0.9
        assert variant.valid_mask == member.tile.valid_mask


@pytest.mark.parametrize("quantity", [Quantity.DISPLAY, Quantity.COUNTS])
def test_that_how_bright_a_picture_is_is_measured_anew_where_the_effect_shows(quantity: Quantity) -> None:
    """PNG, so that what was measured before encoding is what is decoded; the reference is NumPy's percentiles."""
    hole = np.full((SIZE, SIZE), 255, np.uint8)
    hole[:100] = 0
    told = Appearance(low=0.1, median=0.2, high=0.3, unit="level")
    members = [
        make_member(modality, quantity=quantity, appearance=told, valid_mask=encode_png(hole[:, :, None]))
        for modality in (Modality.RGB, Modality.NIR, Modality.SAR)
    ]
    rgb, infrared, radar = vary(members, LowLightSettings(severity=("heavy",)), "low_light")
    assert radar.appearance == told
    for tile, weights in ((rgb, [0.2126, 0.7152, 0.0722]), (infrared, [1.0])):
        grey = np.rint(decode_image(tile.image)[hole > 0] @ weights)
        found = tile.appearance
        assert found is not None
        assert (found.low, found.median, found.high) == pytest.approx(
            tuple(np.percentile(grey, [5, 50, 95]) / 255), abs=1e-6
        )
        assert found.unit == "level"


def test_that_borders_of_covers_stay_until_their_shares_are_hidden() -> None:
    borders = (Border(names=("field", "water"), share=1.0),)
    member = make_member(Modality.RGB, borders=borders)
    (fog,) = vary([member], FogSettings(severity=("light",)))
    assert fog.borders == borders
    (cloud,) = vary([member], CloudSettings(severity=("heavy",)), "cloud")
    assert cloud.borders == ()
    (radar,) = [
        tile
        for tile in vary(
            [member, make_member(Modality.SAR, borders=borders)], CloudSettings(severity=("heavy",))
        )
        if tile.effect is not None and not tile.effect.is_visible
    ]
    assert radar.borders == borders


def test_that_a_picture_is_encoded_as_its_base_is() -> None:
    (variant,) = vary([make_member(Modality.RGB, media="jpg")], FogSettings())
    assert variant.media == "jpg"
    assert variant.image[:3] == b"\xff\xd8\xff"


def test_that_a_broken_picture_is_refused() -> None:
    member = make_member(Modality.RGB)
    broken = replace(member, tile=replace(member.tile, image=member.tile.image[:200]))
    with pytest.raises(RecordError) as caught:
        vary([broken], FogSettings())
    assert caught.value.reason is Reason.UNREADABLE


def test_that_a_dark_picture_of_counts_is_exposed_longer_and_its_stretch_says_so() -> None:
    stretch = Stretch(method="percentile", low=(100.0,) * 3, high=(3100.0,) * 3)
    member = make_member(Modality.RGB, quantity=Quantity.COUNTS, stretch=stretch)
    (variant,) = vary([member], LowLightSettings(severity=("heavy",)), "low_light")
    gain = (3100.0 - 100.0) / (variant.stretch.high[0] - 100.0)
    assert gain > 2
    assert variant.stretch.low == (100.0,) * 3
    assert len(np.unique(decode_image(variant.image))) > 20


@pytest.mark.parametrize("quantity", [Quantity.DISPLAY, Quantity.COUNTS])
def test_that_a_learned_look_redraws_rgb_and_says_what_it_cannot(quantity: Quantity, tmp_path: Path) -> None:
    """The network sees sRGB whatever is stored, lets half of it through and adds half of one colour."""
    weights = save_veil(tmp_path / "veil.safetensors", 0.5, (0.5, 0.5, 0.5))
    settings = TranslationSettings(weights=str(weights), word="snow")
    members = [
        make_member(Modality.NIR, quantity=quantity),
        make_member(Modality.RGB, quantity=quantity),
        make_member(Modality.SAR),
    ]
    outcomes = list(vary_place(members, settings, label="translation", digest="0", quality=95))
    infrared, rgb, radar = outcomes
    assert isinstance(infrared, Refused)
    assert infrared.reason is Reason.NO_EFFECT
    assert "rgb pictures alone" in infrared.detail
    assert isinstance(radar, Tile)
    assert radar.image == members[2].tile.image
    assert isinstance(rgb, Tile)
    assert rgb.effect is not None
    params = json.loads(rgb.effect.params)
    assert (params["word"], params["weights"]) == ("snow", "veil.safetensors")
    stored = decode_image(members[1].tile.image).astype(float) / 255
    shown = stored if quantity is Quantity.DISPLAY else encode_srgb(stored)
    wanted = 0.5 * shown + 0.5 * 0.75
    back = wanted if quantity is Quantity.DISPLAY else decode_srgb(wanted)
    np.testing.assert_allclose(decode_image(rgb.image) / 255, back, atol=2.5 / 255)


def test_that_the_classes_of_the_mask_reach_the_effect() -> None:
    values = np.zeros((SIZE, SIZE), np.uint8)
    values[:, :100] = 2
    member = make_member(Modality.RGB, class_mask=encode_png(values[:, :, None]))
    legend = (Legend(value=0, name="field"), Legend(value=2, name="water"))
    mask = ClassMask(band=Band(uri="m.png", index=1), legend=legend, origin="made")
    stack = make_stack([replace(member, scene=replace(member.scene, mask=mask))])
    assert stack.classes is not None
    np.testing.assert_array_equal(stack.classes["water"], values == 2)


@pytest.mark.parametrize(
    ("transform", "up"),
    [
        ((10.0, 0.0, 0.0, 0.0, -10.0, 0.0), 0.0),  # north up
        ((10.0, 0.0, 0.0, 0.0, 10.0, 0.0), 180.0),  # rows run north
        ((0.0, -10.0, 0.0, -10.0, 0.0, 0.0), 90.0),  # the top of the picture lies in the east
        ((0.0, 10.0, 0.0, 10.0, 0.0, 0.0), 270.0),
    ],
)
def test_that_the_sun_is_told_from_the_top_of_the_picture(
    transform: tuple[float, float, float, float, float, float], up: float
) -> None:
    member = make_member(Modality.RGB)
    scene = replace(member.scene, transform=transform)
    assert find_up(scene) == pytest.approx(up)
    view = make_stack([replace(member, scene=scene)]).view
    assert view.sun_azimuth_deg == pytest.approx((150 - up) % 360)


def test_that_labels_of_what_is_hidden_go() -> None:
    visible = np.ones((SIZE, SIZE), np.float32)
    visible[:, 128:] = 0.1
    labels = (
        Label(name="ship", kind="object", origin="made", box=Box(x0=10, y0=10, x1=60, y1=60)),
        Label(name="ship", kind="object", origin="made", box=Box(x0=150, y0=10, x1=200, y1=60)),
        Label(name="ship", kind="object", origin="made", box=Box(x0=250.5, y0=255.2, x1=256, y1=256)),
        Label(name="water", kind="cover", origin="made", share=0.7),
        Label(name="port", kind="class", origin="made"),
    )
    assert hide_labels(labels, visible) == (labels[0], labels[4])
    assert hide_labels(labels, None) == labels
    assert hide_labels(labels, np.full_like(visible, 0.2)) == ()


def test_that_clouds_hide_labels() -> None:
    boxes = [Box(x0=x, y0=y, x1=x + 16, y1=y + 16) for y in range(0, SIZE, 16) for x in range(0, SIZE, 16)]
    labels = tuple(Label(name="roof", kind="object", origin="made", box=box) for box in boxes)
    (variant,) = vary([make_member(Modality.RGB, labels=labels)], CloudSettings(severity=("heavy",)), "cloud")
    assert variant.effect is not None
    cover = 1 - len(variant.labels) / len(labels)
    assert 0.4 < cover < 1
