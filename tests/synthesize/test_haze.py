from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from veil_scenes import Array, make_ground, make_stack, read_naip, read_plain

from earthloom.core.light import to_display, to_light
from earthloom.core.records import Modality
from earthloom.metrics.veils import recover_transmission
from earthloom.synthesize.cirrus import read_field
from earthloom.synthesize.config import SEVERITIES
from earthloom.synthesize.haze import HazeSettings, add_haze, draw_haze, haze_airlight, lay_haze
from earthloom.synthesize.stack import Layer, Stack, View

LANDSAT_UM = (0.443, 0.4825, 0.5625, 0.655, 0.865, 1.61, 2.2)


def published_law(t1: Array, um: float) -> Array:
    """RS-Haze's law, written down once more."""
    u = 1 - t1
    gamma = np.clip(-21.547 * u**3 + 41.224 * u**2 - 27.465 * u + 6.537, 0, 4)
    return np.asarray(t1 ** ((0.443 / um) ** gamma))


def read_scene(real_data: Path) -> Stack:
    """The clear scene 00215 as one picture of seven bands, reflectance."""
    counts = [read_plain(real_data / "haze" / f"00215_B{band}.tiff") for band in range(1, 8)]
    reflectance = np.clip(np.dstack(counts) * 2e-5 - 0.1, 0, 1).astype(np.float32)
    layer = Layer(modality=Modality.RGB, light=reflectance, wavelengths_um=LANDSAT_UM)
    return Stack(view=View(height=512, width=512, pixel_m=30), layers=(layer,))


@pytest.mark.parametrize(("which", "wanted"), [(2, 0.9), (4, 0.7), (8, 0.85)])
def test_a_real_scene_under_a_real_field_follows_the_law(real_data: Path, which: int, wanted: float) -> None:
    """Pixels under equally thick haze lie on a line, veiled against clear, whose slope is the transmission."""
    stack = read_scene(real_data)
    field = read_field(sorted((real_data / "haze").glob("*_B9.tiff"))[which])
    outcome = lay_haze(stack, field, wanted, 0.7)
    w = outcome.measured["w"]
    assert isinstance(w, float)
    assert outcome.measured["lifted"] == 0
    order = np.argsort(field, axis=None)
    t1 = 1 - w * field.ravel()[order].astype(np.float64)
    for band, um in enumerate(LANDSAT_UM):
        clear, veiled = (x[:, :, band].ravel()[order] for x in (stack.layers[0].light, outcome.layers[0]))
        alike = np.array_split(np.arange(t1.size), 400)
        found = [np.polyfit(clear[i].astype(np.float64), veiled[i], 1)[0] for i in alike[4:-4]]
        law = [published_law(t1[i], um).mean() for i in alike[4:-4]]
        error = np.array(found) / law - 1
        assert abs(np.mean(error)) < 0.002
        assert np.quantile(np.abs(error), 0.95) < 0.02


def test_mean_transmission_is_the_drawn_one_and_the_word_too() -> None:
    stack = make_stack(make_ground())
    for seed, severity in enumerate(SEVERITIES * 12):
        rng = np.random.default_rng(seed)
        haze = draw_haze(HazeSettings(), stack.view, severity, rng)
        outcome = add_haze(stack, haze, rng)
        assert outcome.severity == severity
        assert outcome.measured["mean_transmission"] == pytest.approx(haze.mean_transmission, abs=0.02)


def test_the_picture_follows_the_law_pixel_by_pixel() -> None:
    """On black ground the veil itself shows, `A (1 - t)`, from which t1 and then every other band follow."""
    stack = make_stack(np.zeros((128, 128, 3), np.float32), np.zeros((128, 128, 1), np.float32))
    rng = np.random.default_rng(6)
    haze = draw_haze(HazeSettings(), stack.view, "moderate", rng)
    outcome = add_haze(stack, haze, rng)
    t1 = np.linspace(0.02, 1, 200_000)
    green = 1 - outcome.layers[0][:, :, 1] / haze_airlight(haze.airlight, 0.5625)
    same = np.interp(green, published_law(t1, 0.5625), t1)
    for light, um in ((outcome.layers[0][:, :, 2], 0.4825), (outcome.layers[1][:, :, 0], 0.865)):
        t = 1 - light / haze_airlight(haze.airlight, um)
        assert t == pytest.approx(published_law(same, um), abs=5e-4)


def test_blue_is_held_back_more_than_red_and_infrared() -> None:
    stack = make_stack(make_ground(), make_ground(channels=1, seed=1))
    rng = np.random.default_rng(2)
    outcome = add_haze(stack, draw_haze(HazeSettings(), stack.view, "light", rng), rng)
    left = [
        float(np.nanmedian(recover_transmission(clear.light[:, :, band], light[:, :, band])))
        for clear, light in zip(stack.layers, outcome.layers, strict=True)
        for band in range(clear.light.shape[2])
    ]
    red, green, blue, nir = left
    assert blue < green - 0.02 < red - 0.04 < nir - 0.06


def test_airlight_keeps_the_published_proportions() -> None:
    published = dict(
        zip(LANDSAT_UM, (0.46756, 0.45558, 0.48932, 0.51468, 0.60822, 0.57503, 0.54349), strict=True)
    )
    for um, mean in published.items():
        assert haze_airlight(0.7, um) / 0.7 == pytest.approx(mean / published[0.5625], abs=2e-4)
    assert haze_airlight(0.9, 0.865) == 1


def test_rgb_and_infrared_lie_under_one_haze(real_data: Path) -> None:
    """Optical depths found in the stored 8-bit pictures, brought to 0.443 um by the law, agree within 2 %."""
    rgb, nir = read_naip(real_data)
    stack = make_stack(rgb, nir, pixel_m=5)
    rng = np.random.default_rng(1)
    outcome = add_haze(stack, draw_haze(HazeSettings(beta=(3.4, 3.6)), stack.view, "heavy", rng), rng)
    grid = np.linspace(0.02, 1, 100_000)
    depths = []
    for layer, light in zip(stack.layers, outcome.layers, strict=True):
        stored = to_light(to_display(light))
        for band, um in enumerate(layer.wavelengths_um):
            clear = layer.light[:, :, band]
            found = recover_transmission(clear, stored[:, :, band], window=32)
            t1 = np.interp(found, published_law(grid, um), grid)
            rough = clear.reshape(16, 32, 16, 32).std(axis=(1, 3)) > 0.02
            depths.append(np.where(rough, -np.log(t1), np.nan))
    for depth in depths[:3]:
        both = np.isfinite(depth) & np.isfinite(depths[3])
        assert both.sum() > 150
        assert np.median(depth[both] / depths[3][both]) == pytest.approx(1, abs=0.02)


def test_real_fields_are_used_and_named(real_data: Path, tmp_path: Path) -> None:
    for path in (real_data / "haze").glob("*_B9.tiff"):
        (tmp_path / path.name).symlink_to(path)
    stack = make_stack(make_ground())
    for seed, severity in enumerate(SEVERITIES * 6):
        rng = np.random.default_rng(seed)
        haze = draw_haze(HazeSettings(fields=str(tmp_path)), stack.view, severity, rng)
        assert haze.cut is not None
        assert haze.cut.file.endswith("_B9.tiff")
        assert add_haze(stack, haze, rng).severity == severity


def test_a_pattern_of_few_spots_is_lifted_until_haze_is_heavy() -> None:
    stack = make_stack(make_ground(128, 128))
    spots = np.zeros((128, 128), np.float32)
    spots[40:60, 40:60] = 1
    outcome = lay_haze(stack, spots, 0.5, 0.7)
    assert outcome.measured["mean_transmission"] == pytest.approx(0.5, abs=0.01)
    assert outcome.measured["w"] == 0.98
    lifted = outcome.measured["lifted"]
    assert isinstance(lifted, float)
    assert 0.3 < lifted < 0.7
    around = recover_transmission(stack.layers[0].light[:, :, 1], outcome.layers[0][:, :, 1])[-1, -1]
    assert around == pytest.approx(published_law(np.array(1 - 0.98 * lifted), 0.5625), abs=1e-3)


def test_same_seed_same_bytes() -> None:
    stack = make_stack(make_ground())
    made = []
    for seed in (1, 1, 2):
        rng = np.random.default_rng(seed)
        haze = draw_haze(HazeSettings(), stack.view, "heavy", rng)
        made.append(add_haze(stack, haze, rng).layers[0].tobytes())
    assert made[0] == made[1] != made[2]
