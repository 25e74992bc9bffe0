"""How each kind of captioner is taught, against the losses of transformers' own forward passes."""

from __future__ import annotations

import inspect
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from captioning_folders import make_recipe
from fakes import tiny_captioners
from fakes.tiny_captioners import (
    PROMPT,
    SCENES,
    make_blip,
    make_blip2,
    make_blip2_t5,
    make_encoder_decoder,
    make_git,
    make_llava,
    make_qwen2_vl,
    paint,
)
from PIL import Image

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import Reason
from earthloom.models.captioners.loading import open_captioner
from earthloom.store.stream.sample import Sample, Words
from earthloom.train.blip2.adapting import add_lora, forget_activations
from earthloom.train.blip2.cards import draw_cards, show_pixels
from earthloom.train.blip2.preparing import PrepareCaption
from earthloom.train.blip2.step import Blip2Step
from earthloom.train.blip2.teaching import IGNORED, Teaching, learn_teaching

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("peft")

MAKERS = {
    "blip2": make_blip2,
    "blip2_t5": make_blip2_t5,
    "blip": make_blip,
    "git": make_git,
    "encoder_decoder": make_encoder_decoder,
    "llava": make_llava,
    "qwen2_vl": make_qwen2_vl,
}
PROMPTS = {"llava": PROMPT, "qwen2_vl": PROMPT}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Gives the folder of a model, untaught; each is made when it is first wanted."""
    place = tmp_path_factory.mktemp("models")

    def get(name: str) -> Path:
        if not (place / name).exists():
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(tiny_captioners, "_teach", lambda network, *_: network.eval())
                inspect.unwrap(MAKERS[name])(place / name)  # the kept ones are taught
        return place / name

    return get


def open_teaching(folder: Path, prompt: str, **how: Any) -> Teaching:
    return learn_teaching(open_captioner(str(folder), prompt=prompt, beams=1, **how), prompt)


def make_batch(teaching: Teaching, more_padding: int = 0) -> dict[str, Any]:
    rows = [teaching.tokenize(text) for text in SCENES.values()]
    answer = torch.full((len(rows), max(map(len, rows)) + more_padding), IGNORED)
    for i, row in enumerate(rows):
        answer[i, : len(row)] = torch.tensor(row)
    return {"pixels": teaching.captioner.show([paint(colour) for colour in SCENES]), "answer": answer}


def make_step(teaching: Teaching, **changes: Any) -> Blip2Step:
    torch.manual_seed(3)
    recipe = make_recipe(**changes)
    network = add_lora(teaching.captioner.network, recipe)
    taught = replace(teaching, captioner=replace(teaching.captioner, network=network))
    return Blip2Step(recipe, taught, lambda network, folder: None)


@pytest.mark.parametrize("prompt", ["", "rows of"])
@pytest.mark.parametrize("name", ["blip2", "blip2_t5", "blip", "git", "encoder_decoder", "llava"])
def test_the_loss_is_that_of_transformers(shelf: Any, name: str, prompt: str) -> None:
    """Their `labels` count from the first token on; what is no word of a caption is masked by hand."""
    prompt = {"encoder_decoder": "", "llava": PROMPT}.get(name, prompt)
    teaching = open_teaching(shelf(name), prompt)
    batch = make_batch(teaching)
    network = teaching.captioner.network
    ids, labels, mask = lay_out(teaching, batch["answer"])
    if name == "blip":
        network.text_decoder.label_smoothing = 0.0
    texts = {"input_ids": ids, "attention_mask": mask} if ids is not None else {}
    with torch.no_grad():
        wanted = network(pixel_values=batch["pixels"], **texts, labels=labels).loss
        found = make_step(teaching).measure(batch)["caption"]
    assert float(found) == pytest.approx(float(wanted), abs=1e-6)


def lay_out(teaching: Teaching, answer: Any) -> tuple[Any, Any, Any]:
    """Input, labels and mask as a script of transformers has them, row by row."""
    if teaching.answers_apart:
        asked = teaching.asked.inputs.get("input_ids")
        if asked is None:
            return None, answer, None
        ids = torch.tensor(asked.tolist() * len(answer))
        return ids, answer, torch.ones_like(ids)
    head = teaching.asked.prefix[0].tolist()
    ids, labels, mask = [], [], []
    for row in answer.tolist():
        said = [token for token in row if token != IGNORED]
        n_padding = len(row) - len(said)
        ids.append(head + said + [teaching.captioner.tokenizer.pad_token_id] * n_padding)
        labels.append([IGNORED] * len(head) + said + [IGNORED] * n_padding)
        mask.append([1] * (len(head) + len(said)) + [0] * n_padding)
    return torch.tensor(ids), torch.tensor(labels), torch.tensor(mask)


def test_the_loss_by_hand(shelf: Any) -> None:
    """Minus the mean log-probability of every caption's tokens and of its end, one caption at a time."""
    teaching = open_teaching(shelf("blip2"), "")
    batch = make_batch(teaching)
    told = []
    for i, row in enumerate(batch["answer"].tolist()):
        tokens = [token for token in row if token != IGNORED]
        ids = torch.tensor([[4, 4, 0, *tokens]])
        with torch.no_grad():
            logits = teaching.captioner.network(pixel_values=batch["pixels"][i : i + 1], input_ids=ids).logits
        chances = logits[0].double().log_softmax(-1)
        told += [-float(chances[2 + k, token]) for k, token in enumerate(tokens)]
    with torch.no_grad():
        found = make_step(teaching).measure(batch)["caption"]
    assert float(found) == pytest.approx(np.mean(told), abs=1e-6)


@pytest.mark.parametrize("name", ["blip2", "blip2_t5"])
def test_the_length_of_the_room_does_not_matter(shelf: Any, name: str) -> None:
    teaching = open_teaching(shelf(name), "")
    step = make_step(teaching)
    with torch.no_grad():
        losses = [float(step.measure(make_batch(teaching, n))["caption"]) for n in (0, 7)]
    assert losses[0] == losses[1]


@pytest.mark.parametrize("name", list(MAKERS))
def test_lora_changes_nothing_at_first_and_speaks_alone(shelf: Any, name: str) -> None:
    teaching = open_teaching(shelf(name), "") if name not in PROMPTS else None
    if name == "qwen2_vl":
        with pytest.raises(UsageError, match="wants image_grid_thw"):
            open_teaching(shelf(name), PROMPT)
        return
    teaching = teaching or open_teaching(shelf(name), PROMPTS[name])
    batch = make_batch(teaching)
    before = teaching.ask(batch["pixels"])
    with torch.no_grad():
        logits = teaching.captioner.network(**teaching.arrange(batch["pixels"], batch["answer"])).logits
    step = make_step(teaching)
    with torch.no_grad():
        adapted = step.teaching.captioner.network(**teaching.arrange(batch["pixels"], batch["answer"])).logits
    assert torch.equal(logits, adapted)
    assert step.teaching.ask(batch["pixels"]) == before
    trained = {
        name for name, weight in step.modules()["captioner"].named_parameters() if weight.requires_grad
    }
    assert trained
    assert all("lora_" in each for each in trained)
    assert not any("vision" in each or "image_encoder" in each for each in trained)
    assert any("qformer" in each for each in trained) == name.startswith("blip2")


def learn_once(step: Blip2Step, batch: dict[str, Any]) -> dict[str, Any]:
    """Gradients of one step away from where LoRA begins, by name."""
    torch.manual_seed(1)
    with torch.no_grad():
        for key, weight in step.modules()["captioner"].named_parameters():
            if "lora_B" in key:
                weight.normal_(0, 0.1)
    step.learn(batch, 1, lambda name, loss: loss.backward())
    network = step.modules()["captioner"]
    return {key: weight.grad.clone() for key, weight in network.named_parameters() if weight.grad is not None}


@pytest.mark.parametrize("name", ["blip2", "blip2_t5", "git"])
def test_gradient_checkpointing_changes_no_gradient(shelf: Any, name: str) -> None:
    plain = open_teaching(shelf(name), "")
    wanted = learn_once(make_step(plain), make_batch(plain))
    frugal = open_teaching(shelf(name), "")
    step = make_step(frugal)
    forget_activations(frugal.captioner.network)
    found = learn_once(step, make_batch(frugal))
    assert set(found) == set(wanted)
    for key, gradient in wanted.items():
        torch.testing.assert_close(found[key], gradient, atol=1e-6, rtol=0)
    assert sum(float(gradient.abs().sum()) > 0 for gradient in wanted.values()) >= 0.6 * len(wanted)


def test_frozen_weights_may_be_halved_and_what_is_learnt_is_not(shelf: Any) -> None:
    teaching = open_teaching(shelf("blip2"), "", precision="bfloat16")
    step = make_step(teaching, qformer="full")
    batch = make_batch(teaching)
    with torch.autocast("cpu", torch.bfloat16):
        gradients = learn_once(step, batch)
        with torch.no_grad():
            cards = step.sample(batch)
    kinds = {weight.requires_grad: set() for weight in step.modules()["captioner"].parameters()}  # type: ignore[var-annotated]
    for weight in step.modules()["captioner"].parameters():
        kinds[weight.requires_grad].add(weight.dtype)
    assert kinds == {True: {torch.float32}, False: {torch.bfloat16}}
    assert any("qformer" in key and "modules_to_save" in key for key in gradients)
    assert any("language_projection" in key for key in gradients)
    assert cards.shape == (4, 3, 224, 784)


def test_layers_may_be_named(shelf: Any) -> None:
    teaching = open_teaching(shelf("blip2"), "")
    step = make_step(teaching, targets=["fc1", "language_projection"])
    trained = {
        name for name, weight in step.modules()["captioner"].named_parameters() if weight.requires_grad
    }
    layers = {name.split(".lora_")[0].rpartition(".")[2] for name in trained}
    assert layers == {"fc1", "language_projection"}


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("blip2", {"targets": ["wings"]}, "targets: LoRA cannot be put over wings in this model"),
        ("git", {"qformer": "full"}, "has no Q-Former"),
    ],
)
def test_layers_that_are_not_there_are_told(
    shelf: Any, name: str, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        add_lora(open_captioner(str(shelf(name))).network, make_recipe(**changes))


def make_sample(*words: Words, picture: bytes | None = None) -> Sample:
    encoded = BytesIO()
    Image.fromarray(paint((40, 90, 40), side=40)).save(encoded, "PNG")
    return Sample(
        key="k", base_key="k", group="k", pair_key=None, image=picture or encoded.getvalue(), captions=words
    )


def test_captions_are_drawn_by_style(shelf: Any) -> None:
    teaching = open_teaching(shelf("blip2"), "")
    words = (
        Words(text="dry fields", style="brief"),
        Words(text="a long pier", style="full"),
        Words(text="open water", style="full"),
        Words(text="  ", style="full"),
    )
    prepare = PrepareCaption(teaching, make_recipe(styles=["full"]), lambda text: None)
    found = set()
    for seed in range(20):
        answer = prepare(make_sample(*words), np.random.default_rng(seed))["answer"]
        assert answer.shape == (17,)
        kept = answer[answer != IGNORED].tolist()
        assert kept[-1] == teaching.end
        found.add(teaching.captioner.decode(kept))
    assert found == {"a long pier", "open water"}
    for missing in ((), words[:1], words[3:]):
        with pytest.raises(RecordError, match="a caption of style full was wanted") as caught:
            prepare(make_sample(*missing), np.random.default_rng(0))
        assert caught.value.reason is Reason.NO_CAPTION


def test_a_caption_that_is_too_long_is_cut_and_told_once(shelf: Any) -> None:
    teaching = open_teaching(shelf("blip2"), "")
    told: list[str] = []
    prepare = PrepareCaption(teaching, make_recipe(max_tokens=4), told.append)
    long, fitting = Words(text="rows of houses along a road"), Words(text="a dense forest with")
    cut = prepare(make_sample(long), np.random.default_rng(0))["answer"]
    prepare(make_sample(long), np.random.default_rng(0))
    whole = prepare(make_sample(fitting), np.random.default_rng(0))["answer"]
    assert (cut[-1], whole[-1]) == (IGNORED, teaching.end)
    assert teaching.captioner.decode(cut[:4].tolist()) == "rows of houses along"
    assert prepare.n_cut == 2
    assert len(told) == 1
    assert "has 6 tokens" in told[0]


def test_a_picture_that_cannot_be_decoded_is_refused(shelf: Any) -> None:
    prepare = PrepareCaption(open_teaching(shelf("blip2"), ""), make_recipe(), lambda text: None)
    with pytest.raises(RecordError):
        prepare(make_sample(Words(text="dry fields"), picture=b"no picture"), np.random.default_rng(0))


def test_pixels_are_shown_as_they_were(shelf: Any) -> None:
    teaching = open_teaching(shelf("blip2"), "")
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    shown = show_pixels(teaching.captioner.show([picture]), teaching.levels)
    assert np.array_equal(shown[0], picture)
    card = draw_cards(teaching.captioner.show([picture]), teaching.levels, [""], ["dry fields " * 40])
    assert (float(card.min()), float(card.max())) == (-1.0, 1.0)
    accents, plain = (
        draw_cards(teaching.captioner.show([picture]), teaching.levels, [text], [""])
        for text in ("na\u00efve", "naive")
    )
    assert torch.equal(accents, plain)
