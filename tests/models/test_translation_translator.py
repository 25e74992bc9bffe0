"""Translators: whole pictures, windows without seams, files that are ours and files that are not."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import load_file, save_file

from earthloom.core.errors import UsageError
from earthloom.models.translation import translator as at_work
from earthloom.models.translation.generator import ResnetGenerator
from earthloom.models.translation.translator import Translator
from earthloom.models.translation.weights import load_translator, save_translator

Picture = npt.NDArray[np.uint8]


def make_generator(blocks: int = 2, *, blend: bool = False) -> ResnetGenerator:
    """One with weights so large that every layer matters."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        generator = ResnetGenerator(6, blocks, blend=blend)
        for parameter in generator.parameters():
            torch.nn.init.normal_(parameter, 0.0, 0.2)
    return generator


def make_translator(blocks: int = 2) -> Translator:
    return Translator(generator=make_generator(blocks), digest="", training={})


def paint(height: int, width: int, seed: int = 0) -> Picture:
    """Ground whose brightness and colour change from one side to the other, with fine grain."""
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(rng.random((5, 7, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
    across = np.linspace(0, 0.5, width)[None, :, None]
    return np.clip((coarse * 0.4 + across + rng.normal(0, 0.05, coarse.shape)) * 255, 0, 255).astype(np.uint8)


def steps_between(a: Picture, b: Picture) -> int:
    return int(np.abs(a.astype(int) - b).max())


def test_a_translator_against_its_network() -> None:
    picture = paint(64, 48)
    translator = make_translator()
    images = torch.from_numpy(picture.transpose(2, 0, 1)[None].copy()).float() / 255 * 2 - 1
    with torch.no_grad():
        drawn = translator.generator(images)[0].permute(1, 2, 0).numpy()
    expected = (drawn + 1) / 2 * 255
    assert expected.std() > 20
    assert np.abs(translator.translate(picture) - expected).max() <= 0.501


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (17, 16), (64, 64), (101, 67)])
def test_pictures_of_any_size(size: tuple[int, int]) -> None:
    picture = paint(*size)
    drawn = make_translator().translate(picture)
    assert drawn.shape == picture.shape
    assert drawn.dtype == np.uint8


def test_that_a_picture_whose_sides_fit_badly_is_the_corner_of_its_mirrored_one() -> None:
    picture = paint(61, 47)
    mirrored = np.pad(picture, [(0, 3), (0, 1), (0, 0)], mode="symmetric")
    translator = make_translator()
    np.testing.assert_array_equal(translator.translate(picture), translator.translate(mirrored)[:61, :47])


def use_small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_work, "_WHOLE", 128 * 128)
    monkeypatch.setattr(at_work, "_CORE", 64)
    monkeypatch.setattr(at_work, "_SAMPLE_SIDE", 64)


@pytest.mark.parametrize("size", [(256, 192), (203, 330), (64, 400)])
def test_that_windows_leave_no_seam(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    picture = paint(*size)
    translator = make_translator()
    use_small_windows(monkeypatch)
    by_windows = translator.translate(picture)
    # The same network with the same statistics in one piece, so that there is nothing to fit together.
    padded = at_work._pad(picture)
    steady = at_work._hold_statistics(translator.generator, at_work._sample_windows(padded))
    with torch.inference_mode():
        whole = at_work._redraw(steady, padded)[: size[0], : size[1]]
    assert whole.std() > 20
    assert steps_between(by_windows, whole) <= 1


def test_that_windows_one_by_one_would_be_other_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = paint(256, 256)
    translator = make_translator()
    whole = translator.translate(picture).astype(float)
    alone = np.hstack([translator.translate(picture[:, :128]), translator.translate(picture[:, 128:])])
    use_small_windows(monkeypatch)
    together = translator.translate(picture)
    far, near = (np.abs(drawn - whole).mean() for drawn in (alone, together))
    assert far > 20
    assert near < far / 10
    columns = [(drawn - whole).mean(axis=(0, 2)) for drawn in (alone, together)]
    seams = [abs(float(c[128] - c[127])) for c in columns]
    assert seams[0] > 5
    assert seams[1] < seams[0] / 10


def test_that_the_number_of_threads_changes_nothing_and_stays() -> None:
    picture = paint(96, 96)
    before = torch.get_num_threads()
    try:
        drawn = []
        for n in (1, 2, 2):
            torch.set_num_threads(n)
            drawn.append(make_translator().translate(picture).tobytes())
            assert torch.get_num_threads() == n
        assert len(set(drawn)) == 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("blend", [False, True])
def test_that_a_file_gives_back_what_was_saved(blend: bool, tmp_path: Path) -> None:
    generator = make_generator(3, blend=blend)
    paths = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for path in paths:
        save_translator(path, generator, {"method": "fastcut", "steps": 7})
    assert paths[0].read_bytes() == paths[1].read_bytes()
    state = torch.random.get_rng_state()
    found = load_translator(paths[0])
    assert torch.equal(torch.random.get_rng_state(), state)
    assert found.training == {"method": "fastcut", "steps": 7}
    assert (found.generator.width, found.generator.blocks, found.generator.blend) == (6, 3, blend)
    saved = Translator(generator=generator, digest="", training={})
    picture = paint(40, 40)
    np.testing.assert_array_equal(found.translate(picture), saved.translate(picture))


def test_that_a_file_is_read_once_and_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    save_translator(path, make_generator(1), {"steps": 1})
    first = load_translator(path)
    assert load_translator(str(path)) is first
    save_translator(path, make_generator(2), {"steps": 2})
    second = load_translator(path)
    assert second.training == {"steps": 2}
    assert second.digest != first.digest


def resave(path: Path, told: dict[str, object] | None) -> None:
    metadata = None if told is None else {"earthloom": json.dumps(told)}
    save_file(load_file(path), path, metadata)


def test_that_files_of_others_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    with pytest.raises(UsageError, match="No such file"):
        load_translator(path)
    path.write_bytes(b"PK\x03\x04 a pickled checkpoint")
    with pytest.raises(UsageError, match=r"no translator that can be read .* `earthloom train`"):
        load_translator(path)
    save_file({"weight": torch.zeros(3)}, path)
    with pytest.raises(UsageError, match="no weights of ours"):
        load_translator(path)
    with pytest.raises(UsageError, match="Is a directory"):
        load_translator(tmp_path)


ARCHITECTURE = {"generator": "resnet", "channels": 3, "width": 6, "blocks": 1, "blend": False}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "lora"}, "got 'lora' in format 1"),
        ({"format": 2}, "in format 2"),
        ({"architecture": ARCHITECTURE | {"generator": "unet"}}, "wants weights of a translation"),
        ({"architecture": ARCHITECTURE | {"blocks": 2}}, "Missing key"),
        ({"architecture": ARCHITECTURE | {"width": 7}}, "size mismatch"),
        ({"architecture": {"generator": "resnet"}}, "'width'"),
        ({"architecture": None}, "no translator"),
    ],
)
def test_that_files_that_say_something_else_are_refused(
    change: dict[str, object], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.safetensors"
    save_translator(path, make_generator(1), {})
    right = {"format": 1, "kind": "translation", "architecture": ARCHITECTURE, "training": {}}
    resave(path, right)
    load_translator(path)
    path = path.rename(
        tmp_path / "changed.safetensors"
    )  # its clock may not have ticked: see the key of the cache
    resave(path, right | change)
    with pytest.raises(UsageError, match=words):
        load_translator(path)


def test_that_a_torn_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    save_translator(path, make_generator(1), {})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UsageError, match="no translator that can be read"):
        load_translator(path)
