"""The network: shapes, and that all it is told reaches the picture."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from pydantic import ValidationError
from tiny_painters import make_network, make_shape, tell

from earthloom.models.tiny.attention import attend
from earthloom.models.tiny.drawing import draw_pictures, forget
from earthloom.models.tiny.facts import Facts
from earthloom.models.tiny.network import TinyUNet
from earthloom.models.tiny.shape import TinyShape


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"patch": 1, "channels": 1},
        {"growth": (1,), "attention_side": 0},
        {"blocks": 2, "control_channels": 3, "channels": 1},
        {"side": 16, "growth": (1, 1, 2), "text_layers": 0},
    ],
)
def test_first_weights_draw_nothing_and_every_weight_is_reached(changes: dict[str, object]) -> None:
    shape = make_shape(**changes)
    network = TinyUNet(shape)
    x = torch.randn(2, shape.channels, shape.side, shape.side)
    told = tell(shape, ["a river", "a field"], [Facts(label="river", gsd_m=10.0), Facts()])
    assert not network(x, torch.tensor([0.1, 0.9]), told).any()
    network = make_network(shape)
    drawn = network(x, torch.tensor([0.1, 0.9]), told)
    assert drawn.shape == x.shape
    drawn.square().mean().backward()
    unreached = [name for name, weight in network.named_parameters() if weight.grad is None]
    assert [name for name in unreached if "facts.measures" not in name] == []


def test_words_facts_and_step_all_change_what_is_drawn() -> None:
    shape = make_shape(attention_side=0)  # words then come by their mean alone
    for looks in (shape, make_shape()):
        network = make_network(looks)
        x, t = torch.randn(1, 3, 8, 8).expand(4, 3, 8, 8), torch.tensor([0.5, 0.5, 0.5, 0.2])
        told = tell(
            looks, ["a lake", "a lake", "a forest", "a lake"], [Facts(), Facts(label="lake")] + [Facts()] * 2
        )
        with torch.no_grad():
            drawn = network(x, t, told)
        for other in drawn[1:]:
            assert (drawn[0] - other).abs().max() > 1e-4


def test_no_picture_to_draw_from_is_not_a_grey_one() -> None:
    shape = make_shape(control_channels=1)
    network = make_network(shape)
    x, t = torch.randn(2, 3, 8, 8), torch.tensor([0.5, 0.5])
    told = tell(shape, ["", ""])
    grey = replace(told, control=torch.zeros(2, 1, 8, 8))
    with torch.no_grad():
        none, given = network(x, t, told), network(x, t, grey)
        withheld = network(x, t, replace(grey, has_control=torch.tensor([False, True])))
    assert (none - given).abs().max() > 1e-4
    torch.testing.assert_close(withheld[0], none[0])
    torch.testing.assert_close(withheld[1], given[1])


def test_what_is_forgotten_is_as_if_it_had_not_been_said() -> None:
    shape = make_shape(control_channels=3)
    told = replace(tell(shape, ["a b", "c d"], [Facts(label="x")] * 2), control=torch.ones(2, 3, 8, 8))
    network = make_network(shape)
    x, t = torch.randn(2, 3, 8, 8), torch.tensor([0.5, 0.5])
    nothing = tell(shape, ["", ""])
    with torch.no_grad():
        forgotten = network(x, t, forget(told, torch.tensor([True, False])))
        torch.testing.assert_close(forgotten[0], network(x, t, nothing)[0])
        torch.testing.assert_close(forgotten[1], network(x, t, told)[1])


def test_attention_equals_that_of_torch() -> None:
    asked, keys, values = torch.randn(3, 2, 6, 64, generator=torch.Generator().manual_seed(0))
    is_seen = torch.tensor([[True] * 6, [True, True, True, False, False, False]])
    heads = [each.view(2, 6, 2, 32).transpose(1, 2) for each in (asked, keys, values)]
    expected = torch.nn.functional.scaled_dot_product_attention(*heads, attn_mask=is_seen[:, None, None])
    torch.testing.assert_close(
        attend(asked, keys, values, is_seen), expected.transpose(1, 2).reshape(2, 6, 64)
    )


def test_guidance_leads_away_from_what_is_drawn_untold() -> None:
    shape = make_shape()
    network = make_network(shape)
    told = tell(shape, ["a lake"])
    noise = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        untold, plain, guided = (
            draw_pictures(network, words, noise, steps=1, guidance=guidance)
            for words, guidance in ((tell(shape, [""]), 1.0), (told, 1.0), (told, 2.0))
        )
    expected = (untold + 2.0 * (plain - untold)).clamp(-1, 1)
    inside = (untold.abs() < 1) & (plain.abs() < 1)
    assert inside.float().mean() > 0.2
    torch.testing.assert_close(guided[inside], expected[inside], rtol=1e-4, atol=1e-4)


def test_bfloat16_is_close_and_gives_float32() -> None:
    shape = make_shape()
    network = make_network(shape)
    x, t, told = torch.randn(2, 3, 8, 8), torch.tensor([0.3, 0.6]), tell(shape, ["a lake", "b"])
    with torch.no_grad():
        exact = network(x, t, told)
        with torch.autocast("cpu", torch.bfloat16):
            rough = network(x, t, told)
    assert rough.dtype == torch.float32
    assert (rough - exact).square().mean().sqrt() < 0.05 * exact.square().mean().sqrt()


def test_side_must_be_halved_as_often_as_wanted() -> None:
    with pytest.raises(ValidationError, match="multiple of 8"):
        TinyShape(side=36)
