"""A pool of drawn pictures: a discriminator that forgets what it has learnt is shown earlier ones again."""

from __future__ import annotations

import torch
from torch import Tensor


class ImagePool:
    """Up to `size` pictures (Shrivastava et al., CVPR 2017; 50 in CycleGAN)."""

    def __init__(self, size: int = 50) -> None:
        self._size = size
        self._images: list[Tensor] = []

    def exchange(self, images: Tensor) -> Tensor:
        """Give pictures to show, as many as are handed in, N x 3 x H x W.

        While the pool is filling up they are those handed in. Then each is, with equal chance, that one, or one of the
        pool, whose place it takes. Draws come from torch's generator.
        """
        return torch.stack([self._exchange_one(image) for image in images.detach()])

    def _exchange_one(self, image: Tensor) -> Tensor:
        if len(self._images) < self._size:
            self._images.append(image)
            return image
        if torch.rand(()).item() < 0.5:
            return image
        place = int(torch.randint(self._size, ()).item())
        shown, self._images[place] = self._images[place], image
        return shown

    def state(self) -> Tensor | None:
        """All pictures, K x 3 x H x W; None while there is none."""
        return torch.stack(self._images) if self._images else None

    def load_state(self, images: Tensor | None) -> None:
        """Take back what `state` gave."""
        self._images = [] if images is None else list(images.unbind())
