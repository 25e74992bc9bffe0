"""Inception-v3 (Szegedy et al., CVPR 2016) as FID has it: the graph that TensorFlow published on 2015-12-05.

It differs from the Inception-v3 of other libraries in what its weights were trained with, and weights of one make no
sense in another:

- the average of 3 x 3 pixels beside the convolutions counts no pixels beyond the border;
- in the last block that average is a maximum;
- there are 1008 answers, and no auxiliary ones.

Layers are called as in the state dict `pt_inception-2015-12-05-6726825d.pth` of pytorch-fid, which is that of
torch-fidelity too. `benchmarks/check_inception.py` holds this graph against theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

N_FEATURES, N_ANSWERS = 2048, 1008
_EPSILON = 1e-3
"""Of the batch normalisation, as TensorFlow's graph has it."""

Kernel = int | tuple[int, int]
Pool = Literal["mean", "max", "halve"]


class Unit(nn.Module):
    """Convolution, normalisation, and what is negative becomes 0."""

    def __init__(
        self, before: int, after: int, kernel: Kernel, *, stride: int = 1, is_padded: bool = True
    ) -> None:
        super().__init__()
        sides = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (sides[0] // 2, sides[1] // 2) if is_padded and stride == 1 else (0, 0)
        self.conv = nn.Conv2d(before, after, sides, stride=stride, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(after, eps=_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """N x before x H x W to N x after x H' x W'."""
        return functional.relu(self.bn(self.conv(x)), inplace=True)


@dataclass(frozen=True, slots=True)
class Step:
    """One layer of a branch: its name, channels and kernel. Layers that fork all read what came before them."""

    name: str
    channels: int
    kernel: Kernel
    stride: int = 1
    forks: bool = False


class Mixed(nn.Module):
    """Branches side by side over one input, and a pooled one; their channels are put together in this order."""

    def __init__(
        self, before: int, branches: Sequence[Sequence[Step]], pool: Pool, pooled: int | None
    ) -> None:
        """Draw first weights from torch's generator.

        Args:
            before: channels of the input.
            branches: each a chain of layers, whose forks are its last ones.
            pool: mean or maximum of 3 x 3 pixels, or the maximum of every second 3 x 3 pixels.
            pooled: channels after the pooling; None for those of the input.

        """
        super().__init__()
        self._branches = [[step.name for step in steps if not step.forks] for steps in branches]
        self._forks = [[step.name for step in steps if step.forks] for steps in branches]
        self._pool = pool
        for steps in branches:
            width = before
            for step in steps:
                self.add_module(step.name, Unit(width, step.channels, step.kernel, stride=step.stride))
                width = width if step.forks else step.channels
        if pooled is not None:
            self.branch_pool = Unit(before, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        """N x before x H x W to the channels of all branches, H and W halved where the pool does so."""
        parts: list[Tensor] = []
        for chain, forks in zip(self._branches, self._forks, strict=True):
            inner = x
            for name in chain:
                inner = self.get_submodule(name)(inner)
            parts += [self.get_submodule(name)(inner) for name in forks] or [inner]
        return torch.cat([*parts, self._read_pooled(x)], 1)

    def _read_pooled(self, x: Tensor) -> Tensor:
        if self._pool == "halve":
            return functional.max_pool2d(x, 3, stride=2)
        if self._pool == "max":
            pooled = functional.max_pool2d(x, 3, stride=1, padding=1)
        else:
            pooled = functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
        found: Tensor = self.branch_pool(pooled)
        return found


class InceptionV3(nn.Module):
    """Prepared pictures to features, and features to scores of 1008 classes."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Unit(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = Unit(32, 32, 3, is_padded=False)
        self.Conv2d_2b_3x3 = Unit(32, 64, 3)
        self.Conv2d_3b_1x1 = Unit(64, 80, 1)
        self.Conv2d_4a_3x3 = Unit(80, 192, 3, is_padded=False)
        self.Mixed_5b = _mix_35(192, 32)
        self.Mixed_5c = _mix_35(256, 64)
        self.Mixed_5d = _mix_35(288, 64)
        self.Mixed_6a = _halve_35(288)
        self.Mixed_6b = _mix_17(128)
        self.Mixed_6c = _mix_17(160)
        self.Mixed_6d = _mix_17(160)
        self.Mixed_6e = _mix_17(192)
        self.Mixed_7a = _halve_17()
        self.Mixed_7b = _mix_8(1280, "mean")
        self.Mixed_7c = _mix_8(2048, "max")
        self.fc = nn.Linear(N_FEATURES, N_ANSWERS)

    def forward(self, images: Tensor) -> Tensor:
        """Features of the last pooling, N x 2048, of images of about -1 to 1, N x 3 x 299 x 299."""
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(images)))
        x = functional.max_pool2d(x, 3, stride=2)
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x))
        x = functional.max_pool2d(x, 3, stride=2)
        for mixed in (self.Mixed_5b, self.Mixed_5c, self.Mixed_5d, self.Mixed_6a, self.Mixed_6b):
            x = mixed(x)
        for mixed in (self.Mixed_6c, self.Mixed_6d, self.Mixed_6e, self.Mixed_7a, self.Mixed_7b):
            x = mixed(x)
        found: Tensor = self.Mixed_7c(x)
        return found.mean((2, 3))

    def classify(self, features: Tensor, *, is_biased: bool = False) -> Tensor:
        """Scores before the softmax, N x 1008, of features.

        The bias is left out unless asked for, as in torch-fidelity's Inception Score, which follows the first one.
        """
        return functional.linear(features, self.fc.weight, self.fc.bias if is_biased else None)


def _mix_35(before: int, pooled: int) -> Mixed:
    """Block of 35 x 35 pixels."""
    branches = (
        (Step("branch1x1", 64, 1),),
        (Step("branch5x5_1", 48, 1), Step("branch5x5_2", 64, 5)),
        (Step("branch3x3dbl_1", 64, 1), Step("branch3x3dbl_2", 96, 3), Step("branch3x3dbl_3", 96, 3)),
    )
    return Mixed(before, branches, "mean", pooled)


def _halve_35(before: int) -> Mixed:
    """From 35 x 35 to 17 x 17 pixels."""
    branches = (
        (Step("branch3x3", 384, 3, stride=2),),
        (Step("branch3x3dbl_1", 64, 1), Step("branch3x3dbl_2", 96, 3), Step("branch3x3dbl_3", 96, 3, 2)),
    )
    return Mixed(before, branches, "halve", None)


def _mix_17(inner: int) -> Mixed:
    """Block of 17 x 17 pixels: 7 x 7 as a row and a column."""
    row, column = (1, 7), (7, 1)
    branches = (
        (Step("branch1x1", 192, 1),),
        (Step("branch7x7_1", inner, 1), Step("branch7x7_2", inner, row), Step("branch7x7_3", 192, column)),
        (
            Step("branch7x7dbl_1", inner, 1),
            Step("branch7x7dbl_2", inner, column),
            Step("branch7x7dbl_3", inner, row),
            Step("branch7x7dbl_4", inner, column),
            Step("branch7x7dbl_5", 192, row),
        ),
    )
    return Mixed(768, branches, "mean", 192)


def _halve_17() -> Mixed:
    """From 17 x 17 to 8 x 8 pixels."""
    branches = (
        (Step("branch3x3_1", 192, 1), Step("branch3x3_2", 320, 3, stride=2)),
        (
            Step("branch7x7x3_1", 192, 1),
            Step("branch7x7x3_2", 192, (1, 7)),
            Step("branch7x7x3_3", 192, (7, 1)),
            Step("branch7x7x3_4", 192, 3, stride=2),
        ),
    )
    return Mixed(768, branches, "halve", None)


def _mix_8(before: int, pool: Pool) -> Mixed:
    """Block of 8 x 8 pixels, whose branches end as a row and a column side by side."""
    row, column = (1, 3), (3, 1)
    branches = (
        (Step("branch1x1", 320, 1),),
        (
            Step("branch3x3_1", 384, 1),
            Step("branch3x3_2a", 384, row, forks=True),
            Step("branch3x3_2b", 384, column, forks=True),
        ),
        (
            Step("branch3x3dbl_1", 448, 1),
            Step("branch3x3dbl_2", 384, 3),
            Step("branch3x3dbl_3a", 384, row, forks=True),
            Step("branch3x3dbl_3b", 384, column, forks=True),
        ),
    )
    return Mixed(before, branches, pool, 192)
