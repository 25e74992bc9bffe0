from __future__ import annotations

import numpy as np
import pytest
from scipy import constants, integrate, ndimage

from earthloom.synthesize.lamps import find_lit, lamp_colour, light_lamps, place_lamps, pool_kernel
from earthloom.synthesize.stack import Mask


def make_road(side: int = 200, width: int = 8) -> Mask:
    road = np.zeros((side, side), np.bool_)
    road[side // 2 : side // 2 + width] = True
    return road


@pytest.mark.parametrize("pixel_m", [0.3, 1.0, 3.0, 10.0, 30.0, 89.0, 91.0, 1000.0])
def test_a_lamp_gives_the_same_light_at_every_pixel_size(pixel_m: float) -> None:
    """Integral of the cosine cubed over the ground, up to five heights, by SciPy."""
    height = 9.0
    flux = integrate.quad(lambda r: 2 * np.pi * r * (1 + (r / height) ** 2) ** -1.5, 0, 5 * height)[0]
    kernel = pool_kernel(pixel_m)
    assert float(kernel.sum()) * pixel_m**2 == pytest.approx(flux, rel=0.02)
    assert kernel.max() <= 1
    np.testing.assert_array_equal(kernel, kernel[::-1, ::-1])


def test_colour_is_that_of_a_black_body_against_daylight() -> None:
    um = (0.655, 0.5625, 0.4825, 0.865)

    def planck(wavelength_um: float, kelvin: float) -> float:
        metres = wavelength_um * 1e-6
        x = constants.h * constants.c / (metres * constants.k * kelvin)
        return metres**-5 / np.expm1(x)

    expected = [planck(w, 2700) / planck(w, 6504) for w in um[:3]]
    colour = lamp_colour(2700, um)
    np.testing.assert_allclose(np.array(colour[:3]) / colour[1], np.array(expected) / expected[1], rtol=1e-4)
    assert colour[0] > colour[1] > colour[2]
    assert 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2] == pytest.approx(1)
    assert colour[3] < colour[1]


def test_lamps_stand_on_roads_some_35_m_apart() -> None:
    road = make_road(700)
    lamps = place_lamps(road, 1.0, np.random.default_rng(0))
    assert not lamps[~road].any()
    assert (
        20 <= np.count_nonzero(lamps) <= 21 * 2
    )  # 700 m of road in cells of 35 m, which it may cross in two rows
    assert lamps[lamps > 0].mean() == pytest.approx(1, abs=0.15)


def test_many_lamps_share_a_large_pixel() -> None:
    town = np.ones((100, 100), np.bool_)
    lamps = place_lamps(town, 350.0, np.random.default_rng(0))
    assert lamps.mean() == pytest.approx(100, rel=0.02)


def test_roofs_stay_dark() -> None:
    built = np.zeros((100, 100), np.bool_)
    built[30:60, 30:60] = True
    lit = find_lit({"Buildings": built}, 1.0)
    assert lit is not None
    assert not (lit & built).any()
    assert lit.any()
    assert ndimage.distance_transform_edt(~built)[lit].max() < 8
    both = find_lit({"building": built, "street": np.ones_like(built)}, 1.0)
    assert both is not None
    assert not (both & built).any()
    assert both[20:70, 20:70].sum() == 50**2 - built.sum()


def test_roads_are_lit_in_the_village_and_dark_in_the_country() -> None:
    road = make_road(1000)
    village = np.zeros_like(road)
    village[470:490, 100:300] = True
    lit = find_lit({"building": village, "roads": road}, 1.0)
    assert lit is not None
    assert lit[504, 150:250].all()
    assert not lit[504, 500:].any()
    assert find_lit({"roads": road}, 1.0) is None


@pytest.mark.parametrize("name", ["forest", "road", "railway building", "non-residential", "water"])
def test_nothing_else_is_lit(name: str) -> None:
    assert find_lit({name: make_road()}, 1.0) is None


def test_no_lamps_where_too_little_is_known() -> None:
    rng = np.random.default_rng(0)
    town = {"town": make_road()}
    assert light_lamps(None, 1.0, rng) is None
    assert light_lamps(town, None, rng) is None
    assert light_lamps({"town": np.zeros((50, 50), np.bool_)}, 1.0, rng) is None
    light = light_lamps(town, 1.0, rng)
    assert light is not None
    assert float(light[100:108].mean()) > 20 * float(light[:40].mean())


@pytest.mark.parametrize("pixel_m", [0.1, 30.0, 5000.0])
def test_any_size_of_pixel_and_picture(pixel_m: float) -> None:
    for shape in ((64, 64), (64, 300)):
        masks = {name: np.random.default_rng(1).random(shape) < 0.2 for name in ("building", "road", "town")}
        light = light_lamps(masks, pixel_m, np.random.default_rng(0))
        assert light is not None
        assert light.shape == shape
        assert light.dtype == np.float32
        assert np.isfinite(light).all()
        assert light.min() > -1e-5
