"""A painter and its file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tiny_painters import make_network, make_shape

from earthloom.core.errors import UsageError
from earthloom.models.tiny.files import load_tiny, save_tiny
from earthloom.models.tiny.painter import Request, TinyPainter, scale_picture

NAMES = {"names": {"modality": ["rgb"], "scene": ["clear"], "label": ["sea lake"]}}
REQUESTS = [
    Request(prompt="a lake", label="sea lake", gsd_m=10.0, key="a"),
    Request(prompt="a forest in spring", date="2020-04", lon=8.0, lat=50.0, cloud_share=0.0, key="b"),
    Request(key="c"),
]


def make_painter(tmp_path: Path, **changes: object) -> TinyPainter:
    path = tmp_path / "painter.safetensors"
    save_tiny(path, make_network(make_shape(**changes)), NAMES, storage="float32")
    return load_tiny(path)


def test_equal_requests_give_equal_bytes_and_other_seeds_other_pictures(tmp_path: Path) -> None:
    painter = make_painter(tmp_path)
    first = painter.draw(REQUESTS, steps=4, seed=3)
    assert first.shape == (3, 8, 8, 3)
    assert first.dtype == np.uint8
    assert first.std() > 10
    assert np.array_equal(first, painter.draw(REQUESTS, steps=4, seed=3))
    assert not np.array_equal(first, painter.draw(REQUESTS, steps=4, seed=4))


def test_a_picture_does_not_depend_on_its_company(tmp_path: Path) -> None:
    painter = make_painter(tmp_path)
    many = [replace(REQUESTS[k % 3], key=str(k)) for k in range(20)]
    together = painter.draw(many, steps=3).astype(int)
    for place in (0, 7, 19):
        alone = painter.draw([many[place]], steps=3)[0].astype(int)
        assert np.abs(together[place] - alone).max() <= 1


def test_no_requests_give_no_pictures(tmp_path: Path) -> None:
    assert make_painter(tmp_path).draw([]).shape == (0, 8, 8, 3)


@pytest.mark.parametrize(("storage", "tolerance"), [("float32", 0.0), ("float16", 1e-3), ("bfloat16", 1e-2)])
def test_weights_come_back_and_equal_ones_give_equal_files(
    tmp_path: Path, storage: str, tolerance: float
) -> None:
    network = make_network(make_shape())
    for name in ("a", "b"):
        save_tiny(tmp_path / name, network, NAMES, storage=storage)  # type: ignore[arg-type]
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    painter = load_tiny(tmp_path / "a")
    assert painter.training == NAMES
    assert painter.shape == network.shape
    for name, value in painter.network.state_dict().items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, network.state_dict()[name], rtol=tolerance, atol=tolerance)


def test_loading_leaves_the_state_of_torch_alone(tmp_path: Path) -> None:
    make_painter(tmp_path)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    load_tiny(tmp_path / "painter.safetensors")
    assert torch.equal(before, torch.get_rng_state())


def test_a_picture_to_draw_from_is_scaled_and_seen(tmp_path: Path) -> None:
    painter = make_painter(tmp_path, control_channels=1)
    bright, dark = (np.full((20, 30), level, np.uint8) for level in (250, 5))
    drawn = painter.draw(
        [Request(control=picture, key="same") for picture in (bright, dark, None)], steps=3, guidance=1.0
    ).astype(int)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(drawn[first] - drawn[second]).max() > 3


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (Request(gsd_m=0.0), "gsd_m"),
        (Request(gsd_m=float("nan")), "gsd_m"),
        (Request(control=np.zeros((8, 8, 3), np.uint8)), "of none"),
    ],
)
def test_what_cannot_be_drawn_is_refused(tmp_path: Path, request_: Request, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        make_painter(tmp_path).draw([request_], steps=1)


@pytest.mark.parametrize("steps", [0, 1001])
def test_steps_out_of_range_are_refused(tmp_path: Path, steps: int) -> None:
    with pytest.raises(UsageError, match="steps"):
        make_painter(tmp_path).draw(REQUESTS, steps=steps)


def test_a_picture_of_the_wrong_channels_is_refused(tmp_path: Path) -> None:
    painter = make_painter(tmp_path, control_channels=3)
    with pytest.raises(UsageError, match="3 channels, got one of 1"):
        painter.draw([Request(control=np.zeros((8, 8), np.uint8))], steps=1)


def test_strange_names_and_cut_words_are_told(tmp_path: Path) -> None:
    painter = make_painter(tmp_path)
    assert painter.find_strangers(Request(label="Sea_Lake", scene="fog")) == {"scene": "fog"}
    assert painter.count_cut("one two three four five six seven eight nine") == 2


@pytest.mark.parametrize("content", [b"", b"no safetensors", None])
def test_files_that_are_no_painters_are_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.safetensors"
    if content is None:
        save_file({"a": torch.zeros(2)}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"tiny\.safetensors"):
        load_tiny(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        load_tiny(tmp_path / "none")


def test_weights_of_a_later_format_are_refused(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(2)}, tmp_path / "x", {"earthloom": '{"format": 99, "kind": "tiny"}'})
    with pytest.raises(UsageError, match="format 99"):
        load_tiny(tmp_path / "x")


def test_scaling_averages_the_middle_square() -> None:
    picture = np.zeros((4, 8, 3), np.uint8)
    picture[:, 2:4], picture[:, 4:6] = 100, 200
    assert scale_picture(picture, 2).tolist() == [[[100] * 3, [200] * 3]] * 2
    assert scale_picture(picture[..., :1], 4).shape == (4, 4, 1)
