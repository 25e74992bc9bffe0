"""Snow: published snow fractions, the blend recovered from its results, and what must never be white."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import ndimage

from earthloom.core.errors import RecordError
from earthloom.core.light import to_display, to_light
from earthloom.core.records import Modality, Reason
from earthloom.synthesize.config import SEVERITIES, Severity
from earthloom.synthesize.snow import (
    COVER,
    Snow,
    SnowSettings,
    add_snow,
    compute_ndsi,
    draw_snow,
    estimate_albedo,
    estimate_snow_fraction,
    grade_cover,
    lay_snow,
)
from earthloom.synthesize.stack import DISPLAY_UM, Layer, Mask, Outcome, Plane, Stack, View

Pixels = npt.NDArray[np.float32]


def make_stack(
    rgb: Pixels, nir: Pixels | None = None, *, lat: float | None = None, valid: Mask | None = None
) -> Stack:
    layers = [Layer(modality=Modality.RGB, light=rgb, wavelengths_um=DISPLAY_UM[Modality.RGB])]
    if nir is not None:
        layers.append(Layer(modality=Modality.NIR, light=nir, wavelengths_um=DISPLAY_UM[Modality.NIR]))
    view = View(height=rgb.shape[0], width=rgb.shape[1], pixel_m=10.0, lat=lat)
    return Stack(view=view, layers=tuple(layers), valid=valid)


def make_fields(height: int = 256, width: int = 256, seed: int = 0) -> Stack:
    """Open land of many parcels of soil and stubble, textured: all of it can carry snow."""
    rng = np.random.default_rng(seed)
    parcels = rng.uniform(0.6, 1.4, (height // 32 + 1, width // 32 + 1))
    light = np.kron(parcels, np.ones((32, 32)))[:height, :width] * rng.normal(1, 0.08, (height, width))
    rgb = (light[..., None] * (0.26, 0.22, 0.16)).astype(np.float32)
    return make_stack(rgb, (light[..., None] * 0.32).astype(np.float32))


def snow_on(stack: Stack, cover: float, seed: int = 0) -> Outcome:
    snow = Snow(cover_share=cover, brightness=1.0, field_beta=2.5)
    return add_snow(stack, snow, np.random.default_rng(seed))


def get_hidden(outcome: Outcome) -> Plane:
    """Share of each pixel under snow, where it is more than a half (`visible` is 1 elsewhere)."""
    assert outcome.visible is not None
    return 1 - outcome.visible / 2


def read(path: Path, *bands: int) -> npt.NDArray[np.generic]:
    with rasterio.open(path) as source:
        pixels: npt.NDArray[np.generic] = source.read(list(bands) or None)
    return pixels


def read_naip(path: Path) -> Stack:
    pixels = to_light(np.ascontiguousarray(read(path)[:, 100:612, 100:612].transpose(1, 2, 0)))
    return make_stack(np.ascontiguousarray(pixels[..., :3]), np.ascontiguousarray(pixels[..., 3:]))


def correlate_gradients(one: Pixels, other: Pixels, where: Mask) -> float:
    first, second = (np.stack([ndimage.prewitt(p, axis) for axis in (0, 1)]) for p in (one, other))
    return float(np.corrcoef(first[:, where].ravel(), second[:, where].ravel())[0, 1])


@pytest.mark.parametrize(("ndsi", "fraction"), [(0, 0.055), (0.4, 0.327), (0.8, 0.802), (1, 0.921)])
def test_snow_fractions_are_those_of_gascoin(ndsi: float, fraction: float) -> None:
    assert estimate_snow_fraction(np.array(ndsi)) == pytest.approx(fraction, abs=5e-4)


def test_clean_snow_has_the_index_of_snow() -> None:
    green, swir = (np.array(estimate_albedo(um)) for um in (0.5625, 1.61))
    assert compute_ndsi(green, swir) == pytest.approx(0.81 / 1.01)
    assert [estimate_albedo(um) for um in (0.655, 0.5625, 0.4825, 0.865)] == [0.90, 0.91, 0.92, 0.80]


@pytest.mark.parametrize("cover", [0.12, 0.3, 0.5, 0.8, 0.95])
def test_the_wanted_cover_is_met_where_the_land_can_carry_it(cover: float) -> None:
    outcome = snow_on(make_fields(), cover)
    assert outcome.measured["cover_share"] == pytest.approx(cover, abs=0.02)
    counted = (get_hidden(outcome) > 0.5).mean()
    assert outcome.measured["cover_share"] == pytest.approx(float(counted), abs=1e-3)


def test_what_is_drawn_is_what_is_measured_in_open_land() -> None:
    stack = make_fields()
    for severity in SEVERITIES:
        for seed in range(5):
            rng = np.random.default_rng(seed)
            snow = draw_snow(SnowSettings(), stack.view, severity, rng)
            outcome = add_snow(stack, snow, rng)
            assert outcome.severity == severity
            low, high = COVER[severity]
            assert low <= float(str(outcome.measured["cover_share"])) < high
            json.dumps([dataclasses.asdict(snow), dict(outcome.measured)], allow_nan=False)


@pytest.mark.parametrize(
    ("share", "word"),
    [(0.0, None), (0.099, None), (0.1, "light"), (0.35, "moderate"), (0.7, "heavy"), (1.0, "heavy")],
)
def test_the_word_is_that_of_the_cover(share: float, word: Severity | None) -> None:
    assert grade_cover(share) == word


def test_the_same_snow_lies_over_rgb_and_nir() -> None:
    rng = np.random.default_rng(1)
    level = rng.uniform(0.9, 1.1, (192, 192, 1)).astype(np.float32)
    stack = make_stack(level * np.float32((0.26, 0.22, 0.16)), level * np.float32(0.32))
    outcome = snow_on(stack, 0.5)
    fractions = []
    for layer, light, albedo in zip(stack.layers, outcome.layers, ((0.9, 0.91, 0.92), (0.8,)), strict=True):
        # I = J (1 - a) + a rho S, S within a few per cent of 1 on this ground
        fractions.extend(np.moveaxis((light - layer.light) / (np.float32(albedo) - layer.light), 2, 0))
    for other in fractions[1:]:
        assert np.abs(fractions[0] - other).max() < 0.02
    assert (fractions[0] > 0.75).mean() > 0.1
    assert (fractions[0] < 0.25).mean() > 0.1


def test_a_stack_alone_and_with_nir_has_snow_in_the_same_places() -> None:
    both = make_fields()
    alone = Stack(view=both.view, layers=both.layers[:1])
    first, second = get_hidden(snow_on(both, 0.5)) > 0.5, get_hidden(snow_on(alone, 0.5)) > 0.5
    assert (first == second).mean() > 0.98


def test_snow_follows_the_parcels_more_than_the_noise() -> None:
    stack = make_fields()
    hidden = [get_hidden(snow_on(stack, 0.5, seed)) > 0.5 for seed in range(4)]
    alike = np.mean([(hidden[0] == other).mean() for other in hidden[1:]])
    assert 0.6 < alike < 0.97  # half by chance; all of it if no seed mattered
    parcels = hidden[0].reshape(8, 32, 8, 32).mean(axis=(1, 3))
    assert ((parcels < 0.2) | (parcels > 0.8)).mean() > 0.5


def test_relief_is_kept_under_a_closed_blanket() -> None:
    rng = np.random.default_rng(2)
    height = ndimage.gaussian_filter(rng.normal(size=(256, 256)), 4) * 12
    shade = np.clip(1 + 0.5 * (np.gradient(height, axis=0) + np.gradient(height, axis=1)), 0.4, 1.8)
    rgb = (shade[..., None] * (0.26, 0.22, 0.16)).astype(np.float32)
    outcome = snow_on(make_stack(rgb), 0.95)
    deep = ndimage.binary_erosion(get_hidden(outcome) > 0.9, iterations=2)
    assert deep.mean() > 0.5
    assert correlate_gradients(rgb[..., 1], outcome.layers[0][..., 1], deep) > 0.9
    assert outcome.layers[0][deep].std() > 0.01  # no flat white paint


def test_snow_is_white_and_blue_only_in_shade() -> None:
    relief = np.array([[1.0, 1.2, 0.1]], np.float32)
    white = lay_snow(np.zeros((1, 3, 3), np.float32), DISPLAY_UM[Modality.RGB], np.ones_like(relief), relief)
    assert white[0, 0] == pytest.approx([0.90, 0.91, 0.92], abs=1e-6)
    assert white[0, 1] == pytest.approx(np.array([0.90, 0.91, 0.92]) * 1.05, abs=1e-6)
    red, green, blue = white[0, 2]
    assert red < green < blue < 0.45


def test_open_water_keeps_its_bits_and_woods_stay_dark() -> None:
    stack = make_fields()
    rgb, nir = (layer.light.copy() for layer in stack.layers)
    lake, woods = (np.zeros(rgb.shape[:2], bool) for _ in range(2))
    lake[40:120, 40:120] = True
    woods[150:230, 40:200] = True
    rough = np.random.default_rng(3).normal(1, 0.3, (256, 256, 1)).clip(0.3, 2).astype(np.float32)
    rgb[lake], nir[lake] = (0.02, 0.05, 0.06), 0.01
    rgb[woods], nir[woods] = (rough * np.float32((0.02, 0.035, 0.015)))[woods], (rough * 0.2)[woods]
    before = make_stack(rgb, nir)
    outcome = snow_on(before, 0.9)
    inner = ndimage.binary_erosion(lake, iterations=2)
    for layer, light in zip(before.layers, outcome.layers, strict=True):
        np.testing.assert_array_equal(light[inner], layer.light[inner])
        assert light.dtype == np.float32
        assert light.shape == layer.light.shape
    deep = ndimage.binary_erosion(woods, iterations=3)
    assert outcome.layers[0][deep].mean() < 0.15
    open_land = ~ndimage.binary_dilation(lake | woods, iterations=4)
    assert outcome.layers[0][open_land].mean() > 0.7
    assert float(str(outcome.measured["land_share"])) == pytest.approx(1 - lake.mean(), abs=0.01)


def test_dark_slopes_are_not_covered() -> None:
    ridges = (np.sin(np.arange(256) / 4) > 0)[None, :, None]
    grain = np.random.default_rng(4).normal(1, 0.03, (256, 256, 1))
    rgb = (np.where(ridges, 0.05, 0.3) * grain * (1, 0.95, 0.9)).astype(np.float32)
    outcome = snow_on(make_stack(rgb), 0.95)
    dark = ndimage.binary_erosion(np.repeat(ridges[..., 0], 256, axis=0), iterations=2)
    assert (get_hidden(outcome)[dark] > 0.5).mean() < 0.05
    assert outcome.severity == "moderate"  # half of the land has no room, whatever was asked for


def test_roads_are_cleared_to_grey() -> None:
    stack = make_fields()
    rgb = stack.layers[0].light.copy()
    rgb[126:130] = 0.5
    outcome = snow_on(make_stack(rgb), 0.9)
    road, fields = outcome.layers[0][127:129], outcome.layers[0][140:250]
    assert np.median(road) < 0.75
    assert np.median(fields) > 0.85


def test_pixels_without_data_count_for_nothing() -> None:
    stack = make_fields()
    valid = np.ones((256, 256), bool)
    valid[:, :100] = False
    light = [layer.light.copy() for layer in stack.layers]
    for picture in light:
        picture[~valid] = 0
    outcome = snow_on(make_stack(*light, valid=valid), 0.5)
    assert outcome.measured["cover_share"] == pytest.approx(0.5, abs=0.02)
    assert outcome.measured["land_share"] == pytest.approx(156 / 256)


def test_thin_snow_hides_nothing_and_deep_snow_nearly_all() -> None:
    outcome = snow_on(make_fields(), 0.6)
    assert outcome.visible is not None
    assert 0 <= outcome.visible.min() < 0.1
    assert outcome.visible.max() == 1
    before = make_fields().layers[0].light
    untouched = np.abs(outcome.layers[0] - before).max(axis=2) < 0.1
    assert (outcome.visible[untouched] == 1).all()


def test_it_is_repeatable_changes_no_input_and_every_seed_is_other_snow() -> None:
    stack = make_fields(128, 192)
    copies = [layer.light.copy() for layer in stack.layers]
    first, second, other = snow_on(stack, 0.5, 7), snow_on(stack, 0.5, 7), snow_on(stack, 0.5, 8)
    for one, two, three in zip(first.layers, second.layers, other.layers, strict=True):
        np.testing.assert_array_equal(one, two)
        assert (one != three).any()
    for layer, copy in zip(stack.layers, copies, strict=True):
        np.testing.assert_array_equal(layer.light, copy)


@examples(max_examples=15)
@given(
    height=st.integers(64, 300),
    width=st.integers(64, 300),
    cover=st.floats(0.15, 0.97),
    seed=st.integers(0, 2**16),
)
def test_any_size_is_covered_within_bounds(height: int, width: int, cover: float, seed: int) -> None:
    stack = make_fields(height, width, seed)
    outcome = snow_on(stack, cover, seed)
    assert outcome.measured["cover_share"] == pytest.approx(cover, abs=0.06)
    for layer, light in zip(stack.layers, outcome.layers, strict=True):
        assert light.shape == layer.light.shape
        assert np.isfinite(light).all()
        assert light.min() >= 0
        assert light.max() <= 1.15 * 0.92 + 1e-4


@pytest.mark.parametrize("lat", [0.0, 24.9, -10.0])
def test_the_tropics_are_left_out(lat: float) -> None:
    view = make_fields().view
    with pytest.raises(RecordError, match="latitude of 25 degrees") as caught:
        draw_snow(SnowSettings(), dataclasses.replace(view, lat=lat), "light", np.random.default_rng(0))
    assert caught.value.reason is Reason.NO_EFFECT
    for allowed in (None, -25.0, 60.0):
        draw_snow(SnowSettings(), dataclasses.replace(view, lat=allowed), "light", np.random.default_rng(0))
    draw_snow(
        SnowSettings(min_latitude_deg=0),
        dataclasses.replace(view, lat=lat),
        "light",
        np.random.default_rng(0),
    )


def test_open_sea_and_dense_forest_are_refused() -> None:
    rng = np.random.default_rng(5)
    sea = (rng.normal(1, 0.01, (128, 128, 1)) * (0.03, 0.06, 0.10)).astype(np.float32)
    with pytest.raises(RecordError, match="open water alone") as caught:
        snow_on(make_stack(sea), 0.5)
    assert caught.value.reason is Reason.NO_EFFECT
    islet = sea.copy()
    islet[50:78, 50:78] = (0.5, 0.4, 0.3)
    with pytest.raises(RecordError, match="5% of the picture"):
        snow_on(make_stack(islet), 0.9)
    forest = (rng.normal(1, 0.3, (128, 128, 1)).clip(0.2, 2) * (0.02, 0.03, 0.02)).astype(np.float32)
    with pytest.raises(RecordError, match="10% of the land") as caught:
        snow_on(make_stack(forest), 0.5)
    assert caught.value.reason is Reason.NO_EFFECT


@pytest.mark.parametrize(
    "wrong", [{"brightness": (1.0, 0.9)}, {"brightness": (0.9, 1.1)}, {"min_latitude_deg": 91}, {"beta": 2}]
)
def test_bad_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SnowSettings.model_validate({"effect": "snow", **wrong})


def test_the_lakes_of_a_real_picture_stay_as_they_are(real_data: Path) -> None:
    paths = sorted((real_data / "naip").glob("*.tif"))
    nirs = [read_naip(path).layers[1].light[..., 0] for path in paths]
    lakes = ndimage.binary_erosion(np.max(nirs, axis=0) < 0.08, iterations=4)  # black in NIR in all six years
    assert 0.02 < lakes.mean() < 0.2
    for path in paths:
        stack = read_naip(path)
        outcome = snow_on(stack, 0.9)
        for layer, light in zip(stack.layers, outcome.layers, strict=True):
            np.testing.assert_array_equal(
                to_display(light.copy())[lakes], to_display(layer.light.copy())[lakes]
            )
        assert outcome.severity == "heavy"
        open_land = np.min(nirs, axis=0) > 0.1
        assert np.median(outcome.layers[0][open_land]) > 0.8


def test_real_short_wave_infrared_has_the_index_of_snow(real_data: Path) -> None:
    bands = [read(real_data / "haze" / f"00215_B{number}.tiff", 1)[0] for number in (4, 3, 2, 5, 6, 7)]
    light = (np.stack(bands, axis=-1) * np.float32(2e-5) - np.float32(0.1)).clip(0, 1)  # TOA reflectance
    stack = Stack(
        view=View(height=512, width=512, pixel_m=30.0),
        layers=(
            Layer(
                modality=Modality.RGB,
                light=np.ascontiguousarray(light, np.float32),
                wavelengths_um=(0.655, 0.5625, 0.4825, 0.865, 1.61, 2.2),
            ),
        ),
    )
    outcome = snow_on(stack, 0.5)
    deep, clear = get_hidden(outcome) > 0.7, outcome.visible == 1
    (snowed,) = outcome.layers
    ndsi = compute_ndsi(snowed[..., 1], snowed[..., 4])
    assert deep.mean() > 0.2
    assert (ndsi[deep] > 0.4).mean() > 0.999
    assert (compute_ndsi(light[..., 1], light[..., 4])[deep] < 0.2).mean() > 0.9
    rated = estimate_snow_fraction(ndsi)
    assert rated[deep].mean() > 0.6
    assert rated[clear & (np.abs(snowed - light).max(axis=2) < 0.01)].mean() < 0.2


def test_the_albedo_is_that_of_antarctic_snow_seen_by_landsat(real_data: Path) -> None:
    found = {n: next((real_data / "landsat8_c2").glob(f"*_SR_B{n}.TIF")) for n in (2, 3, 4, 5, 6)}
    stored = {n: read(path, 1)[0].astype(np.float64) for n, path in found.items()}
    reflectance = {n: band * 2.75e-5 - 0.2 for n, band in stored.items()}  # Collection 2, level 2
    valid = np.all([band > 0 for band in stored.values()], axis=0)
    snow = valid & (reflectance[3] > 0.6) & (compute_ndsi(reflectance[3], reflectance[6]) > 0.4)
    assert snow.mean() > 0.3
    for number, wavelength_um in {2: 0.4825, 3: 0.5625, 4: 0.655, 5: 0.865, 6: 1.61}.items():
        assert estimate_albedo(wavelength_um) == pytest.approx(np.median(reflectance[number][snow]), abs=0.08)
