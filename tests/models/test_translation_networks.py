"""Networks of translation against published sizes, closed forms and what a tile needs of them."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from earthloom.core.errors import UsageError
from earthloom.models.translation.discriminator import PatchDiscriminator
from earthloom.models.translation.generator import BlurDown, BlurUp, ResnetGenerator


@pytest.fixture(autouse=True)
def _quiet_and_seeded() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(4)
    yield
    torch.set_num_threads(before)


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_that_sizes_are_the_published_ones() -> None:
    # pytorch-CycleGAN-and-pix2pix prints 11.378 M for resnet_9blocks and 2.765 M for its PatchGAN, both 64 wide.
    assert count(ResnetGenerator(64, 9)) == 11_378_179
    assert round(count(ResnetGenerator(64, 9)) / 1e6, 3) == 11.378
    assert count(PatchDiscriminator(64)) == 2_764_737
    # resnet_6blocks: three blocks of two 3 x 3 convolutions of 256 channels less.
    assert count(ResnetGenerator(64, 9)) - count(ResnetGenerator(64, 6)) == 3 * 2 * (9 * 256 * 256 + 256)


@pytest.mark.parametrize("blend", [False, True])
@pytest.mark.parametrize("size", [(16, 16), (64, 64), (40, 100)])
def test_that_pictures_keep_their_size_and_range(blend: bool, size: tuple[int, int]) -> None:
    drawn = ResnetGenerator(4, 2, blend=blend)(torch.rand(2, 3, *size) * 2 - 1)
    assert drawn.shape == (2, 3, *size)
    assert drawn.abs().max() <= 1


def test_that_a_patch_of_the_discriminator_has_seventy_pixels() -> None:
    network = PatchDiscriminator(4).double()
    for module in network.modules():  # statistics of the whole picture would reach everywhere
        for name, child in list(module.named_children()):
            if isinstance(child, nn.InstanceNorm2d):
                setattr(module, name, nn.Identity())
    picture = torch.rand(1, 3, 128, 128, dtype=torch.float64, requires_grad=True)
    scores = network(picture)
    assert scores.shape == (1, 1, 14, 14)
    (slope,) = torch.autograd.grad(scores[0, 0, 7, 7], picture)
    rows, columns = torch.nonzero(slope[0].abs().sum(0), as_tuple=True)
    assert (int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1) == (70, 70)


def test_that_layers_are_numbered_as_in_cut() -> None:
    network = ResnetGenerator(8, 6)
    features = network.encode(torch.zeros(1, 3, 64, 64), (0, 4, 8, 12, 16))
    shapes = [tuple(layer.shape[1:]) for layer in features]
    # Published: the padded picture, the convolutions of both halvings (halved behind their blur), blocks 1 and 5.
    assert shapes == [(3, 70, 70), (16, 64, 64), (32, 32, 32), (32, 16, 16), (32, 16, 16)]
    assert network.count_channels((0, 4, 8, 12, 16)) == [3, 16, 32, 32, 32]


@pytest.mark.parametrize("wrong", [-1, 18, 40])
def test_that_a_layer_behind_the_last_block_is_refused(wrong: int) -> None:
    with pytest.raises(UsageError, match=rf"layers 0 to 17 .* got \[{wrong}\]"):
        ResnetGenerator(4, 6).count_channels((0, wrong))


def test_that_first_weights_are_those_of_the_papers() -> None:
    weights = torch.cat(
        [p.flatten() for name, p in ResnetGenerator(32, 2).named_parameters() if "weight" in name]
    )
    assert float(weights.detach().std()) == pytest.approx(0.02, rel=0.02)
    assert all(
        not bool(p.detach().any()) for name, p in ResnetGenerator(4, 1).named_parameters() if "bias" in name
    )


def test_normalisation_against_its_formula() -> None:
    x = torch.rand(2, 5, 9, 7, dtype=torch.float64)
    mean, variance = x.mean((2, 3), keepdim=True), x.var((2, 3), correction=0, keepdim=True)
    torch.testing.assert_close(nn.InstanceNorm2d(5)(x), (x - mean) / (variance + 1e-5).sqrt())


def test_blur_down_against_a_filter_of_opencv() -> None:
    x = torch.rand(1, 2, 12, 16)
    taps = np.array([1, 3, 3, 1], np.float32) / 8
    planes = [
        cv2.sepFilter2D(plane, cv2.CV_32F, taps, taps, anchor=(1, 1), borderType=cv2.BORDER_REFLECT_101)
        for plane in x[0].numpy()
    ]
    expected = np.stack([plane[::2, ::2] for plane in planes])
    np.testing.assert_allclose(BlurDown()(x)[0].numpy(), expected, atol=1e-6)


def test_that_going_down_and_up_moves_nothing() -> None:
    x = torch.zeros(1, 1, 64, 64)
    x[..., 30:34, 28:36] = 1.0
    passed = BlurUp()(BlurUp()(BlurDown()(BlurDown()(x))))[0, 0]
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    centre = [float((axis * passed).sum() / passed.sum()) for axis in (rows, columns)]
    assert centre == pytest.approx([31.5, 31.5], abs=1e-4)


def test_that_a_blending_network_can_leave_a_picture_alone() -> None:
    network = ResnetGenerator(4, 1, blend=True)
    last = network.layers[-1]
    assert isinstance(last, nn.Conv2d)
    nn.init.zeros_(last.weight)
    x = torch.rand(1, 3, 32, 32) * 2 - 1
    for bias, share in ((30.0, 1.0), (-30.0, 0.0), (0.0, 0.5)):
        assert last.bias is not None
        nn.init.constant_(last.bias, bias)
        colours = float(np.tanh(bias))
        torch.testing.assert_close(network(x), share * x + (1 - share) * colours)


def test_the_reach_of_a_generator() -> None:
    network = ResnetGenerator(4, 2).double()
    for module in network.modules():
        for name, child in list(module.named_children()):
            if isinstance(child, nn.InstanceNorm2d | nn.ReLU):
                setattr(module, name, nn.Identity())
    picture = torch.rand(1, 3, 160, 160, dtype=torch.float64, requires_grad=True)
    drawn = network(picture)
    for row in (80, 81, 82, 83):  # one of each phase of the two halvings
        (slope,) = torch.autograd.grad(drawn[0, 0, row, row], picture, retain_graph=True)
        seen = torch.nonzero(slope[0].abs().sum(0))
        farthest = int((seen - row).abs().max())
        assert network.reach - 8 <= farthest <= network.reach
    assert network.reach % 4 == 0
