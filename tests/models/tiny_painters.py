"""Small networks with weights that do something: first weights draw nothing."""

from __future__ import annotations

import torch

from earthloom.models.tiny.facts import Facts, encode_facts
from earthloom.models.tiny.network import TinyUNet, Told
from earthloom.models.tiny.shape import TinyShape
from earthloom.models.tiny.text import read_text


def make_shape(**changes: object) -> TinyShape:
    small = {
        "side": 8, "width": 32, "growth": (1, 2), "text_width": 32, "text_layers": 1, "text_length": 8,
        "buckets": 256,
    }  # fmt: skip
    return TinyShape.model_validate({**small, **changes})


def make_network(shape: TinyShape, seed: int = 0) -> TinyUNet:
    """A network whose layers all add something."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = TinyUNet(shape)
        for parameter in network.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.1)
    return network.eval()


def tell(shape: TinyShape, prompts: list[str], facts: list[Facts] | None = None) -> Told:
    texts = [read_text(prompt, shape.text_length, shape.buckets) for prompt in prompts]
    encoded = [encode_facts(each) for each in facts or [Facts()] * len(prompts)]

    def stack(arrays: list) -> torch.Tensor:
        return torch.stack([torch.from_numpy(array) for array in arrays])

    return Told(
        tokens=stack([text.tokens for text in texts]),
        names=stack([each.names for each in encoded]),
        measures=stack([each.measures for each in encoded]),
        known=stack([each.known for each in encoded]),
    )
