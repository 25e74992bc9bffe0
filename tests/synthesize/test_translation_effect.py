"""The learned look as an effect: what it is given, what it measures, what it refuses."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from made_networks import save_veil
from pydantic import ValidationError
from torch import nn

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.light import to_display, to_light
from earthloom.core.records import Modality, Reason
from earthloom.models.translation.generator import ResnetGenerator
from earthloom.models.translation.weights import load_translator, save_translator
from earthloom.synthesize.stack import DISPLAY_UM, Layer, Mask, Stack, View
from earthloom.synthesize.translation import (
    Translation,
    TranslationSettings,
    add_translation,
    check_translation,
    draw_translation,
)

Picture = npt.NDArray[np.uint8]


def paint(height: int = 96, width: int = 80) -> Picture:
    rng = np.random.default_rng(8)
    coarse = cv2.resize(rng.random((6, 6, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip((0.2 + 0.4 * coarse + rng.normal(0, 0.04, coarse.shape)) * 255, 0, 255).astype(np.uint8)


def make_stack(picture: Picture, *others: Modality, valid: Mask | None = None) -> Stack:
    layers = [Layer(modality=Modality.RGB, light=to_light(picture), wavelengths_um=DISPLAY_UM[Modality.RGB])]
    layers += [
        Layer(modality=m, light=to_light(picture[:, :, :1]), wavelengths_um=DISPLAY_UM[m]) for m in others
    ]
    return Stack(
        view=View(height=picture.shape[0], width=picture.shape[1]), layers=tuple(layers), valid=valid
    )


def draw(path: Path, word: str = "snow") -> Translation:
    settings = TranslationSettings(weights=str(path), word=word)
    return draw_translation(settings, View(height=96, width=80), "light", np.random.default_rng(0))


def add(stack: Stack, translation: Translation) -> tuple[Picture, dict[str, object], str]:
    outcome = add_translation(stack, translation, np.random.default_rng(0))
    assert outcome.visible is None
    return to_display(outcome.layers[0]), dict(outcome.measured), outcome.severity


def test_a_veil_against_its_formula(tmp_path: Path) -> None:
    picture = paint()
    stack = make_stack(picture)
    kept = stack.layers[0].light.copy()
    drawn, measured, severity = add(stack, draw(save_veil(tmp_path / "v.safetensors", 0.6, (0.8, 0.8, 0.8))))
    expected = 0.6 * picture + 0.4 * (0.8 + 1) / 2 * 255
    assert np.abs(drawn - expected).max() <= 0.51
    np.testing.assert_array_equal(stack.layers[0].light, kept)
    # Grey to grey: L* from the luminances, by the formula of CIE 15.
    light = [to_light(p) @ np.array([0.2126, 0.7152, 0.0722]) for p in (picture, drawn)]
    assert measured["mean_luminance_change"] == pytest.approx(np.mean(light[1] - light[0]), abs=1e-4)
    lightness = [116 * np.cbrt(plane) - 16 for plane in light]
    assert float(measured["mean_colour_difference"]) >= np.mean(np.abs(lightness[1] - lightness[0])) - 0.01  # type: ignore[arg-type]
    assert 0.95 < float(measured["structure_term"]) <= 1  # type: ignore[arg-type]
    assert severity == "moderate"
    json.dumps(measured, allow_nan=False)


def test_the_colour_difference_of_flat_colours(tmp_path: Path) -> None:
    grey = np.full((64, 64, 3), 60, np.uint8)
    path = save_veil(tmp_path / "v.safetensors", 1e-6, (200 / 127.5 - 1,) * 3)
    _, measured, severity = add(make_stack(grey), draw(path))
    lightness = [
        116 * np.cbrt(((v / 255 + 0.055) / 1.055) ** 2.4) - 16 for v in (60, 200)
    ]  # sRGB, then CIE L*: no colour on either side
    assert measured["mean_colour_difference"] == pytest.approx(lightness[1] - lightness[0], abs=0.1)
    assert severity == "heavy"


@pytest.mark.parametrize(("through", "expected"), [(0.93, "light"), (0.7, "moderate"), (0.3, "heavy")])
def test_that_the_severity_is_what_was_measured(through: float, expected: str, tmp_path: Path) -> None:
    path = save_veil(tmp_path / "v.safetensors", through, (0.95, 0.95, 0.95))
    assert add(make_stack(paint()), draw(path))[2] == expected


def test_that_a_change_of_hue_alone_is_seen(tmp_path: Path) -> None:
    grey = np.full((64, 64, 3), 120, np.uint8)
    path = save_veil(tmp_path / "v.safetensors", 0.5, (0.35, -0.16, -0.25))
    _, measured, severity = add(make_stack(grey), draw(path, "autumn"))
    assert abs(float(measured["mean_luminance_change"])) < 0.01  # type: ignore[arg-type]
    assert float(measured["mean_colour_difference"]) > 10  # type: ignore[arg-type]
    assert severity in {"moderate", "heavy"}


def test_that_what_cannot_be_seen_is_refused(tmp_path: Path) -> None:
    path = save_veil(tmp_path / "v.safetensors", 0.99, (0.0, 0.0, 0.0))
    with pytest.raises(RecordError, match=r"colour difference of 2.3 to be seen, got 0\.") as caught:
        add(make_stack(paint()), draw(path))
    assert caught.value.reason is Reason.NO_EFFECT


def test_that_near_infrared_is_refused(tmp_path: Path) -> None:
    translation = draw(save_veil(tmp_path / "v.safetensors", 0.5, (0.9, 0.9, 0.9)))
    both = make_stack(paint(), Modality.NIR)
    infrared = dataclasses.replace(both, layers=both.layers[1:])
    for stack, got in ((both, "rgb, nir"), (infrared, "nir")):
        with pytest.raises(RecordError, match=f"wants a place with RGB alone, got {got}:") as caught:
            add(stack, translation)
        assert caught.value.reason is Reason.NO_EFFECT


def test_that_pixels_without_data_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    torch.manual_seed(2)
    generator = ResnetGenerator(4, 1)
    for parameter in generator.parameters():
        nn.init.normal_(parameter, 0.0, 0.3)
    save_translator(path, generator, {})
    valid = np.ones((96, 80), np.bool_)
    valid[:, :30] = False
    results = []
    for filling in (0, 255):
        picture = paint()
        picture[~valid] = filling
        drawn, measured, _ = add(make_stack(picture, valid=valid), draw(path))
        results.append((drawn[valid].tobytes(), measured))
    assert results[0] == results[1]
    valid[:] = False
    with pytest.raises(RecordError, match="pixels with data"):
        add(make_stack(paint(), valid=valid), draw(path))


def test_that_the_record_says_which_network_it_was(tmp_path: Path) -> None:
    path = save_veil(tmp_path / "v.safetensors", 0.5, (0.9, 0.9, 0.9))
    drawn = dataclasses.asdict(draw(path))
    assert drawn == {"weights": str(path), "digest": load_translator(path).digest, "word": "snow"}
    check_translation(TranslationSettings(weights=str(path), word="snow"))


@pytest.mark.parametrize("word", ["", "Snow", "snow!", "late  autumn", "x" * 41])
def test_that_words_are_fit_for_captions(word: str) -> None:
    with pytest.raises(ValidationError, match="word"):
        TranslationSettings(weights="w", word=word)
    assert TranslationSettings(weights="w", word="late autumn").word == "late autumn"


def test_that_wrong_weights_are_told_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        check_translation(TranslationSettings(weights=str(tmp_path / "no.safetensors"), word="snow"))


def test_that_torch_is_asked_for_where_it_is_missing(tmp_path: Path) -> None:
    code = """
import sys
sys.modules["torch"] = None
from earthloom.core.errors import UsageError
from earthloom.synthesize.translation import TranslationSettings, check_translation
try:
    check_translation(TranslationSettings(weights="w", word="snow"))
except UsageError as error:
    print(error)
"""
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'earthloom[models]'" in child.stdout
