"""Captioners against tiny networks of the published classes, and against transformers' own way of asking them."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
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
from hypothesis import given
from hypothesis import strategies as st

from earthloom.core.errors import UsageError
from earthloom.models.captioners.captioner import Batches, Picture, Spoken, Unspoken
from earthloom.models.captioners.loading import choose_precision, open_captioner

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

MAKERS = {
    "blip2": make_blip2,
    "blip2_t5": make_blip2_t5,
    "blip": make_blip,
    "git": make_git,
    "encoder_decoder": make_encoder_decoder,
    "llava": make_llava,
    "qwen2_vl": make_qwen2_vl,
}
TAUGHT = ("blip2", "blip", "git", "encoder_decoder", "llava")
ASKED = {"llava": PROMPT, "qwen2_vl": PROMPT}


class Shelf:
    """Models made when they are first wanted."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __getitem__(self, name: str) -> Path:
        folder = self.place / name
        if not folder.exists():
            MAKERS[name](folder)
        return folder


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("models"))


def pictures() -> list[Picture]:
    """Each scene twice, in sizes and with noise that were not taught."""
    return [paint(colour, side=40 + 9 * i, seed=i + 7) for i, colour in enumerate([*SCENES, *SCENES])]


def say(folder: Path, shown: Sequence[Picture], prompt: str = "", **how: Any) -> list[str]:
    captioner = open_captioner(str(folder), prompt=prompt, **how)
    return [spoken.text for spoken in captioner.describe(shown, prompt)]


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("name", TAUGHT)
def test_each_picture_gets_its_own_caption(shelf: Shelf, name: str, beams: int) -> None:
    captioner = open_captioner(str(shelf[name]), prompt=ASKED.get(name, ""), beams=beams)
    spoken = captioner.describe(pictures(), ASKED.get(name, ""))
    assert [said.text for said in spoken] == list(SCENES.values()) * 2
    assert all(said.is_whole for said in spoken)
    assert captioner.name == name


@pytest.mark.parametrize("name", [*TAUGHT, "qwen2_vl"])
def test_a_batch_says_what_single_pictures_say(shelf: Shelf, name: str) -> None:
    prompt = ASKED.get(name, "")
    captioner = open_captioner(str(shelf[name]), prompt=prompt)
    shown = pictures()[::-1]
    together = captioner.describe(shown, prompt)
    alone = [captioner.describe([picture], prompt)[0] for picture in shown]
    assert [said.text for said in together] == [said.text for said in alone]
    assert captioner.describe([], prompt) == []


@pytest.mark.parametrize(
    ("name", "prompt"),
    [("blip", ""), ("git", ""), *((name, "rows of") for name in ("blip2", "blip2_t5", "blip", "git"))],
)
def test_models_are_asked_as_transformers_asks_them(shelf: Shelf, name: str, prompt: str) -> None:
    """What we take out of the output is what is left of transformers' own text without the prompt."""
    folder, shown = shelf[name], pictures()[:4]
    ours = say(folder, shown, prompt, beams=2, max_new_tokens=12)
    assert ours == ask_by_transformers(folder, name, shown, prompt)


def ask_by_transformers(folder: Path, name: str, shown: Sequence[Picture], prompt: str) -> list[str]:
    images = transformers.BlipImageProcessorPil.from_pretrained(folder)
    if name == "git":
        images = transformers.CLIPImageProcessorPil.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    pixels = images(list(shown), return_tensors="pt")["pixel_values"]
    network: Any
    inputs: dict[str, Any] = {}
    if name.startswith("blip2"):
        network = transformers.Blip2ForConditionalGeneration.from_pretrained(folder)
        processor = transformers.Blip2Processor(images, tokenizer, num_query_tokens=2)
        # OPT's published tokenizer begins with its start token, which this small one has to be given.
        text = f"{tokenizer.bos_token} {prompt}" if name == "blip2" else prompt
        inputs = dict(processor(images=list(shown), text=[text] * len(shown), return_tensors="pt"))
        del inputs["pixel_values"]
    elif name == "blip":
        network = transformers.BlipForConditionalGeneration.from_pretrained(folder)
        if prompt:
            inputs = dict(tokenizer([prompt] * len(shown), return_tensors="pt"))
    else:
        network = transformers.GitForCausalLM.from_pretrained(folder)
        if prompt:
            tokens = tokenizer(prompt, add_special_tokens=False)["input_ids"]
            inputs = {"input_ids": torch.tensor([[tokenizer.cls_token_id, *tokens]] * len(shown))}
    inputs.pop("token_type_ids", None)
    with torch.inference_mode():
        found = network.eval().generate(
            pixel_values=pixels, **inputs, max_new_tokens=12, num_beams=2, do_sample=False
        )
    texts = tokenizer.batch_decode(found, skip_special_tokens=True)
    return [text.removeprefix(prompt).strip() for text in texts]


def test_blip2_unprompted_is_what_transformers_does_without_tokens(shelf: Shelf) -> None:
    network = transformers.Blip2ForConditionalGeneration.from_pretrained(shelf["blip2"]).eval()
    images = transformers.BlipImageProcessorPil.from_pretrained(shelf["blip2"])
    tokenizer = transformers.AutoTokenizer.from_pretrained(shelf["blip2"])
    pixels = images(pictures(), return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        found = network.generate(pixel_values=pixels, max_new_tokens=20, num_beams=3, do_sample=False)
    theirs = [text.strip() for text in tokenizer.batch_decode(found, skip_special_tokens=True)]
    assert say(shelf["blip2"], pictures(), max_new_tokens=20) == theirs


def test_a_chat_model_sees_pictures_of_any_size(shelf: Shelf) -> None:
    """Qwen2-VL takes as many tokens as a picture is large; one that is too narrow costs itself alone."""
    captioner = open_captioner(str(shelf["qwen2_vl"]), prompt=PROMPT, max_new_tokens=5, beams=1)
    sizes = [(28, 28), (56, 28), (300, 1), (40, 70)]
    shown = [np.full((*size, 3), 90, np.uint8) for size in sizes]
    found = list(Batches(lambda batch: captioner.describe(batch, PROMPT), 4).run(shown))
    assert [type(said) for said in found] == [Spoken, Spoken, Unspoken, Spoken]
    assert isinstance(found[2], Unspoken)
    assert "aspect ratio" in found[2].why
    assert not found[2].may_pass


def test_a_picture_of_three_rows_is_no_picture_of_three_channels(shelf: Shelf) -> None:
    captioner = open_captioner(str(shelf["blip2"]))
    strip = np.tile(np.array(list(SCENES)[1], np.uint8), (3, 40, 1))
    assert captioner.describe([strip])[0].text == list(SCENES.values())[1]


def test_a_text_that_is_too_long_is_told(shelf: Shelf) -> None:
    captioner = open_captioner(str(shelf["blip2"]), max_new_tokens=4, beams=1)
    forest, fields = captioner.describe([pictures()[0], pictures()[2]])
    assert (forest.text, forest.is_whole, forest.tokens_out) == ("a dense forest with", False, 4)
    assert (fields.text, fields.is_whole, fields.tokens_out) == ("dry fields", True, 3)
    assert fields.tokens_in == 3


def test_half_precision_runs_on_the_cpu(shelf: Shelf) -> None:
    captioner = open_captioner(str(shelf["blip2"]), precision="bfloat16", beams=1)
    assert captioner.network.dtype == torch.bfloat16
    assert "cpu bfloat16" in captioner.served
    assert [said.text for said in captioner.describe(pictures())] == list(SCENES.values()) * 2


def test_precision_and_device_by_themselves() -> None:
    assert choose_precision("auto", "cuda") == "bfloat16"
    assert choose_precision("auto", "cpu") == "float32"
    assert choose_precision("float16", "cpu") == "float16"


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_told(shelf: Shelf) -> None:
    with pytest.raises(UsageError, match="device: cpu"):
        open_captioner(str(shelf["blip2"]), device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_captions_on_a_gpu(shelf: Shelf) -> None:
    captioner = open_captioner(str(shelf["blip2"]), device="cuda", beams=1)
    assert [said.text for said in captioner.describe(pictures())] == list(SCENES.values()) * 2


def test_transformers_is_as_loud_afterwards_as_before(
    shelf: Shelf, capfd: pytest.CaptureFixture[str]
) -> None:
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    folder = shelf["llava"]
    capfd.readouterr()
    say(folder, pictures()[:1], PROMPT)
    assert capfd.readouterr() == ("", "")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_prompts_that_a_model_cannot_use_are_told(shelf: Shelf) -> None:
    with pytest.raises(UsageError, match="leave `prompt` empty"):
        open_captioner(str(shelf["encoder_decoder"]), prompt="a photo of")
    with pytest.raises(UsageError, match="prompt: Describe this satellite image"):
        open_captioner(str(shelf["llava"]))
    with pytest.raises(UsageError, match="cannot describe a grey picture"):
        open_captioner(str(shelf["blip2"]), prompt="<image> more pictures <image>")


def test_pictures_of_another_type_are_refused(shelf: Shelf) -> None:
    captioner = open_captioner(str(shelf["blip2"]))
    for wrong in (np.zeros((8, 8, 3)), np.zeros((8, 8), np.uint8), np.zeros((0, 8, 3), np.uint8)):
        with pytest.raises(UsageError, match="uint8"):
            captioner.describe([wrong])  # type: ignore[list-item]


def test_a_missing_extra_is_told_with_a_remedy(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = shelf["blip2"]
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UsageError, match=r"pip install 'earthloom\[models\]'"):
        open_captioner(str(folder))


def test_models_of_other_kinds_are_refused(tmp_path: Path, shelf: Shelf) -> None:
    for path in shelf["blip2"].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    transformers.BertConfig(vocab_size=8).save_pretrained(tmp_path)
    with pytest.raises(UsageError, match=r"\(bert\) cannot be loaded as one that turns pictures into text"):
        open_captioner(str(tmp_path), prompt="describe")
    (tmp_path / "config.json").write_text('{"model_type": "no-such-model"}')
    with pytest.raises(UsageError, match="no-such-model"):
        open_captioner(str(tmp_path), prompt="describe")


def test_code_that_comes_with_a_model_is_not_run(tmp_path: Path, shelf: Shelf) -> None:
    """Neither classes of its own nor a way of its own to generate, of which transformers would ask the user."""
    mark = tmp_path / "was run"
    code = f"open({str(mark)!r}, 'w').close()\n"
    plain, alien = (tmp_path / name for name in ("plain", "alien"))
    for folder in (plain, alien):
        shutil.copytree(shelf["llava"], folder)
        (folder / "custom_generate").mkdir()
        (folder / "custom_generate" / "generate.py").write_text(
            f"{code}def generate(*_, **__): return None\n"
        )
        (folder / "code.py").write_text(f"{code}class Config: ...\nclass Model: ...\n")
        config = json.loads((folder / "config.json").read_text())
        own = {"AutoConfig": "code.Config", "AutoModelForImageTextToText": "code.Model"}
        own |= {"AutoProcessor": "code.Model", "AutoImageProcessor": "code.Model"}
        kind = "llava" if folder == plain else "alien"
        (folder / "config.json").write_text(json.dumps({**config, "model_type": kind, "auto_map": own}))
    with pytest.raises(UsageError, match="alien"):
        open_captioner(str(alien), prompt=PROMPT)
    assert say(plain, pictures()[:1], PROMPT) == [next(iter(SCENES.values()))]
    assert not mark.exists()


def test_weights_with_holes_are_refused(tmp_path: Path, shelf: Shelf) -> None:
    from safetensors.torch import load_file, save_file

    for path in shelf["blip2"].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors["query_tokens"]
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UsageError, match="lack 1 of the model's tensors, such as query_tokens"):
        open_captioner(str(tmp_path))


class Narrow:
    """A model that holds so many pictures, and breaks on some."""

    def __init__(
        self, most: int, broken: frozenset[int] = frozenset(), error: Exception | None = None
    ) -> None:
        self.most = most
        self.broken = broken
        self.error = error or torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        self.sizes: list[int] = []

    def __call__(self, batch: Sequence[Picture]) -> list[Spoken]:
        self.sizes.append(len(batch))
        if len(batch) > self.most:
            raise self.error
        names = [int(picture[0, 0, 0]) for picture in batch]
        if self.broken & set(names):
            raise ValueError("height and width must be > 0")
        return [Spoken(text=str(name), tokens_in=1, tokens_out=1, is_whole=True) for name in names]


def number(n: int) -> list[Picture]:
    return [np.full((2, 2, 3), i, np.uint8) for i in range(n)]


@pytest.mark.parametrize(
    "error",
    [
        None,
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_a_batch_that_does_not_fit_is_halved_and_stays_so(error: Exception | None) -> None:
    model = Narrow(2, error=error)
    batches = Batches(model, 8)
    found = list(batches.run(number(12)))
    assert [said.text for said in found if isinstance(said, Spoken)] == [str(i) for i in range(12)]
    assert batches.size == 2
    assert model.sizes == [8, 4, 2, 2, 4, 2, 2, 2, 2]


def test_a_picture_that_does_not_fit_alone_is_given_up() -> None:
    batches = Batches(Narrow(0), 4)
    found = list(batches.run(number(3)))
    assert all(isinstance(said, Unspoken) and said.may_pass for said in found)
    assert "out of memory" in found[0].why  # type: ignore[union-attr]
    assert batches.size == 1


@given(
    n=st.integers(0, 30),
    size=st.integers(1, 9),
    most=st.integers(1, 9),
    broken=st.frozensets(st.integers(0, 29), max_size=6),
)
def test_each_picture_answers_for_itself(n: int, size: int, most: int, broken: frozenset[int]) -> None:
    found = list(Batches(Narrow(most, broken), size).run(number(n)))
    told = [said.text if isinstance(said, Spoken) else said.may_pass for said in found]
    assert told == [False if i in broken else str(i) for i in range(n)]


def test_a_gpu_that_failed_is_not_the_fault_of_the_picture() -> None:
    def fail(_batch: Sequence[Picture]) -> list[Spoken]:
        raise RuntimeError("CUDA error: device-side assert triggered")

    (found,) = Batches(fail, 1).run(number(1))
    assert isinstance(found, Unspoken)
    assert found.may_pass


def test_bugs_are_not_taken_for_pictures() -> None:
    def stop(_batch: Sequence[Picture]) -> list[Spoken]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(Batches(stop, 4).run(number(4)))
