"""Losses of translation against closed forms, NumPy, our own metric and finite differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
import torch

from earthloom.metrics.structure import structure_term
from earthloom.models.translation.discriminator import PatchDiscriminator
from earthloom.models.translation.generator import ResnetGenerator
from earthloom.models.translation.image_pool import ImagePool
from earthloom.models.translation.losses import lsgan, lsgan_pair, structure_loss, triangle
from earthloom.models.translation.patch_nce import PatchHeads, draw_places, patch_nce


@pytest.fixture(autouse=True)
def _quiet_and_seeded() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(11)
    yield
    torch.set_num_threads(before)


def test_least_squares_by_hand() -> None:
    scores = torch.tensor([[0.0, 1.0], [2.0, -1.0]])
    assert float(lsgan(scores, 1.0)) == pytest.approx((1 + 0 + 1 + 4) / 4)
    assert float(lsgan(scores, 0.0)) == pytest.approx((0 + 1 + 4 + 1) / 4)
    assert float(lsgan_pair(torch.ones(3), torch.zeros(3))) == 0.0
    assert float(lsgan_pair(torch.full((3,), 0.5), torch.full((3,), 0.5))) == pytest.approx(0.25)


def unit(rng: np.random.Generator, *shape: int) -> np.ndarray:
    vectors = rng.normal(size=shape)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_contrast_against_numpy() -> None:
    rng = np.random.default_rng(0)
    queries, keys = unit(rng, 2, 7, 5), unit(rng, 2, 7, 5)
    expected = []
    for q, k in zip(queries, keys, strict=True):
        for i in range(7):
            positive = np.exp(q[i] @ k[i] / 0.07)
            negatives = sum(np.exp(q[i] @ k[j] / 0.07) for j in range(7) if j != i)
            expected.append(-np.log(positive / (positive + negatives)))
    found = patch_nce(torch.from_numpy(queries), torch.from_numpy(keys))
    assert float(found) == pytest.approx(np.mean(expected), rel=1e-12)


def test_contrast_of_patches_that_are_alike_and_that_are_not() -> None:
    same = torch.ones(1, 8, 4) / 2
    assert float(patch_nce(same, same)) == pytest.approx(np.log(8), rel=1e-5)
    apart = torch.eye(8)[None]
    assert float(patch_nce(apart, apart)) == pytest.approx(np.log(1 + 7 * np.exp(-1 / 0.07)), abs=1e-6)


def test_that_contrast_teaches_queries_only() -> None:
    queries, keys = (torch.rand(1, 4, 3, requires_grad=True) for _ in range(2))
    patch_nce(queries, keys).backward()  # type: ignore[no-untyped-call]
    assert queries.grad is not None
    assert bool(queries.grad.any())
    assert keys.grad is None


def test_that_heads_describe_the_chosen_places_by_unit_vectors() -> None:
    features = [torch.rand(2, 3, 5, 6), torch.rand(2, 8, 2, 2)]
    places = draw_places(features, 10)
    assert [len(p) for p in places] == [10, 4]
    assert len(set(places[0].tolist())) == 10
    heads = PatchHeads([3, 8])
    described = heads(features, places)
    assert [tuple(d.shape) for d in described] == [(2, 10, 256), (2, 4, 256)]
    torch.testing.assert_close(described[0].norm(dim=2), torch.ones(2, 10))
    row, column = divmod(int(places[0][3]), 6)
    alone = heads.heads[0](features[0][1, :, row, column])
    torch.testing.assert_close(described[0][1, 3], alone / alone.norm())


def test_triangle_by_hand() -> None:
    a, b = torch.tensor([0.0, 0.0, 1.0]), torch.tensor([1.0, 1.0, 0.0])
    c = torch.tensor([0.25, 1.5, -0.75])
    # Between: 0.25 + 0.75 - 1 = 0. Half beyond b: 1.5 + 0.5 - 1 = 1. Three quarters beyond b: 1.75 + 0.75 - 1 = 1.5.
    assert float(triangle(a, b, c)) == pytest.approx((0 + 1 + 1.5) / 3 + 1e-7)


def test_that_the_triangle_teaches_the_generator() -> None:
    generator, discriminator = ResnetGenerator(4, 1).double(), PatchDiscriminator(4).double()
    for parameter in [*generator.parameters(), *discriminator.parameters()]:
        torch.nn.init.normal_(
            parameter, 0.0, 0.15
        )  # scores apart: the term is zero where C lies between A and B
    before, target = (torch.rand(1, 3, 32, 32, dtype=torch.float64) * 2 - 1 for _ in range(2))

    def compute() -> torch.Tensor:
        with torch.no_grad():
            a, b = discriminator(before), discriminator(target)
        return triangle(a, b, discriminator(generator(before)))

    compute().backward()  # type: ignore[no-untyped-call]
    slopes = [parameter.grad for parameter in generator.parameters()]
    weight = next(generator.parameters())
    assert sum(float(slope.abs().sum()) for slope in slopes if slope is not None) > 0.01
    step = 1e-6
    for place in ((0, 0, 3, 3), (1, 2, 0, 5), (3, 1, 6, 6)):
        with torch.no_grad():
            weight[place] += step
            above = float(compute())
            weight[place] -= 2 * step
            below = float(compute())
            weight[place] += step
        assert weight.grad is not None
        assert float(weight.grad[place]) == pytest.approx((above - below) / (2 * step), rel=1e-4, abs=1e-9)
        assert abs(float(weight.grad[place])) > 1e-6


def to_images(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture.transpose(2, 0, 1)[None]).double() / 127.5 - 1


def test_structure_against_the_metric() -> None:
    rng = np.random.default_rng(5)
    for blur, gain in ((0.5, 1.0), (2.0, 0.4), (1.0, 0.7)):
        before = rng.integers(0, 256, (48, 40, 3)).astype(np.uint8)
        before[:15] = 120  # flat ground, where the spread is 0
        after = np.asarray(cv2.GaussianBlur(before, (0, 0), blur) * gain + 40, np.uint8)
        found = float(structure_loss(to_images(before), to_images(after)))
        assert found == pytest.approx(1 - structure_term(before, after), abs=2e-5)


def test_slopes_of_structure_are_finite_and_right() -> None:
    before = torch.rand(1, 3, 13, 12, dtype=torch.float64) * 2 - 1
    drawn = (torch.rand(1, 3, 13, 12, dtype=torch.float64) * 2 - 1).requires_grad_()
    assert torch.autograd.gradcheck(lambda images: structure_loss(before, images), drawn)
    flat = torch.zeros(1, 3, 16, 16, requires_grad=True)
    structure_loss(torch.zeros(1, 3, 16, 16), flat).backward()  # type: ignore[no-untyped-call]
    assert flat.grad is not None
    assert bool(torch.isfinite(flat.grad).all())


def name(number: int) -> torch.Tensor:
    return torch.full((1, 3, 1, 1), float(number))


def test_that_a_pool_gives_back_what_it_gets_until_it_is_full() -> None:
    pool = ImagePool(5)
    assert pool.state() is None
    for number in range(5):
        assert float(pool.exchange(name(number)).mean()) == number
    state = pool.state()
    assert state is not None
    assert state[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]


def test_that_a_full_pool_shows_new_and_old_pictures_alike() -> None:
    pool = ImagePool(50)
    ages = Counter()
    n = 6000
    for number in range(n):
        age = number - int(pool.exchange(name(number)).mean())
        if number >= 500:
            ages["new" if age == 0 else "old"] += 1
            ages["steps"] += age
    total = ages["new"] + ages["old"]
    assert ages["new"] / total == pytest.approx(0.5, abs=0.03)
    # Half of the steps put one of 50 out: a picture stays 100 steps in the mean.
    assert ages["steps"] / ages["old"] == pytest.approx(100, rel=0.1)


def test_that_a_pool_goes_on_from_its_state() -> None:
    pool, other = ImagePool(4), ImagePool(4)
    for number in range(9):
        pool.exchange(name(number))
    other.load_state(pool.state())
    shown = []
    for each in (pool, other):
        torch.manual_seed(1)
        shown.append([float(each.exchange(name(number)).mean()) for number in range(20)])
    assert shown[0] == shown[1]
    other.load_state(None)
    assert other.state() is None
