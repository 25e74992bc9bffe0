"""Dual encoders against plain transformers: inputs, features, what is saved; and what cannot be opened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_models.clip import SIDE, read_config, read_vectors, write_tiny_clip

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from earthloom.core.errors import UsageError  # noqa: E402
from earthloom.models.clip.dual import encode_images, encode_texts, open_dual  # noqa: E402
from earthloom.models.clip.fresh import Shape, Tower, make_dual  # noqa: E402
from earthloom.models.clip.looks import Look, read_look  # noqa: E402
from earthloom.models.clip.tokens import END, START, learn_tokenizer, tokenise  # noqa: E402

TEXTS = ["a dense forest", "An airport near the sea, and a long row of houses", "snow"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_clip(tmp_path_factory.mktemp("clip") / "tiny", load=40)


def paint(seed: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize("size", [(40, 40), (64, 47), (33, 90), (200, 111)])
def test_pictures_as_clip_image_processor_prepares_them(folder: Path, size: tuple[int, int]) -> None:
    picture = paint(1, *size)
    theirs = transformers.CLIPImageProcessorPil.from_pretrained(folder)(picture, return_tensors="pt")
    look = read_look(folder, SIDE)
    framed = torch.from_numpy(look.frame(picture).transpose(2, 0, 1).copy())[None]
    torch.testing.assert_close(look.normalise(framed), theirs["pixel_values"], rtol=0, atol=1e-5)


def test_features_as_plain_transformers(folder: Path) -> None:
    dual = open_dual(str(folder))
    pictures = [paint(i, 50, 60 + i) for i in range(3)]
    plain = transformers.CLIPModel.from_pretrained(folder).eval()
    processor = transformers.CLIPImageProcessorPil.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        told = plain(
            **processor(pictures, return_tensors="pt"), **tokenizer(TEXTS, padding=True, return_tensors="pt")
        )
    np.testing.assert_allclose(dual.describe_pictures(pictures), told.image_embeds.numpy(), atol=1e-5)
    np.testing.assert_allclose(dual.describe_texts(TEXTS), told.text_embeds.numpy(), atol=1e-5)
    assert dual.origin is not None
    assert dual.origin.to_json()["licence"] == "mit"
    assert dual.describe_texts([]).shape == (0, 16)


def test_dropping_no_patch_and_all_but_some(folder: Path) -> None:
    network = open_dual(str(folder)).network
    pixels = torch.randn(3, 3, SIDE, SIDE)
    with torch.no_grad():
        whole = encode_images(network, pixels)
        # As good as none dropped: every patch is kept and each state carries its own code of position.
        torch.testing.assert_close(encode_images(network, pixels, 1e-9), whole, rtol=0, atol=1e-5)
        torch.manual_seed(0)
        first = encode_images(network, pixels, 0.5)
        torch.manual_seed(0)
        assert torch.equal(encode_images(network, pixels, 0.5), first)
        assert not torch.allclose(first, whole, atol=1e-3)


def test_tokens_as_the_tokenizer_gives_them(folder: Path) -> None:
    tokenizer = open_dual(str(folder)).tokenizer
    for length in (77, 6):
        found = tokenise(tokenizer, TEXTS, length)
        theirs = tokenizer(TEXTS, truncation=True, max_length=length, padding="max_length")
        assert found.ids.tolist() == theirs["input_ids"]
        assert found.lengths.tolist() == [sum(mask) for mask in theirs["attention_mask"]]
    assert found.n_cut == 1  # at six tokens only the second is too long
    assert tokenise(tokenizer, TEXTS, 77).n_cut == 0


def test_padding_changes_no_feature(folder: Path) -> None:
    dual = open_dual(str(folder))
    short, long = (torch.from_numpy(tokenise(dual.tokenizer, TEXTS[:1], n).ids) for n in (6, 77))
    with torch.no_grad():
        torch.testing.assert_close(
            encode_texts(dual.network, short), encode_texts(dual.network, long), rtol=0, atol=1e-6
        )


def test_stretched_tower_in_plain_transformers(folder: Path, tmp_path: Path) -> None:
    dual = open_dual(str(folder), long_text="stretch", length=248)
    assert dual.length == 248
    dual.save(tmp_path / "long")
    assert read_config(tmp_path / "long")["text_config"]["max_position_embeddings"] == 248
    before, after = (
        read_vectors(place)["text_model.embeddings.position_embedding.weight"]
        for place in (folder, tmp_path / "long")
    )
    assert torch.equal(after[:20], before[:20])
    plain = transformers.CLIPModel.from_pretrained(tmp_path / "long").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "long")
    text = " ".join(["a dense forest by a river"] * 20)
    ids = tokenizer([text], truncation=True, return_tensors="pt")
    assert ids["input_ids"].shape[1] == 20 * 6 + 2
    with torch.no_grad():
        features = torch.nn.functional.normalize(plain.get_text_features(**ids).pooler_output, dim=-1)
    np.testing.assert_allclose(dual.describe_texts([text]), features.numpy(), atol=1e-5)
    short = open_dual(str(folder))
    np.testing.assert_allclose(  # texts of up to twenty tokens mean what they did
        dual.describe_texts(TEXTS[:1]), short.describe_texts(TEXTS[:1]), atol=1e-6
    )


def test_saved_and_opened_again(folder: Path, tmp_path: Path) -> None:
    dual = open_dual(str(folder))
    dual.save(tmp_path / "again")
    again = open_dual(str(tmp_path / "again"))
    assert again.look == dual.look
    pictures = [paint(5, 44, 71)]
    assert np.array_equal(again.describe_pictures(pictures), dual.describe_pictures(pictures))
    assert np.array_equal(again.describe_texts(TEXTS), dual.describe_texts(TEXTS))
    theirs = transformers.CLIPImageProcessorPil.from_pretrained(tmp_path / "again")
    mine = transformers.CLIPImageProcessorPil.from_pretrained(folder)
    assert torch.equal(
        theirs(pictures, return_tensors="pt")["pixel_values"],
        mine(pictures, return_tensors="pt")["pixel_values"],
    )


SHAPE = Shape(
    side=32,
    patch=8,
    image=Tower(width=64, layers=1),
    text=Tower(width=64, layers=1),
    features=16,
    words=700,
    length=20,
)
CAPTIONS = [
    "Many planes are parked near the airport.",
    "a dense forest is near the river",
    "planes near a road",
]


def test_fresh_model_loads_in_plain_transformers(tmp_path: Path) -> None:
    torch.manual_seed(0)
    dual = make_dual(SHAPE, CAPTIONS * 3)
    dual.save(tmp_path)
    plain = transformers.CLIPModel.from_pretrained(tmp_path).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    with torch.no_grad():
        ids = tokenizer(CAPTIONS, padding=True, truncation=True, return_tensors="pt")
        features = torch.nn.functional.normalize(plain.get_text_features(**ids).pooler_output, dim=-1)
    np.testing.assert_allclose(dual.describe_texts(CAPTIONS), features.numpy(), atol=1e-5)
    assert open_dual(str(tmp_path)).look == Look(side=32, load=32)


def test_learnt_vocabulary_spells_anything() -> None:
    tokenizer = learn_tokenizer(CAPTIONS * 3, 700, 40)
    assert len(tokenizer) <= 700
    assert tokenizer.tokenize("PLANES near the  airport.") == [
        "planes</w>", "near</w>", "the</w>", "airport</w>", ".</w>"
    ]  # fmt: skip
    strange = "Überschwemmung 雾 ☂ 0.5m"
    ids = tokenizer(strange)["input_ids"]
    assert ids[0] == tokenizer.convert_tokens_to_ids(START)
    assert ids[-1] == tokenizer.convert_tokens_to_ids(END)
    assert END not in tokenizer.convert_ids_to_tokens(ids[1:-1])  # which is what unknown bytes would become
    assert tokenizer.decode(ids[1:-1]).replace(" ", "") == strange.lower().replace(" ", "")


def test_vocabulary_is_the_same_in_every_process(tmp_path: Path) -> None:
    script = (
        "from earthloom.models.clip.tokens import learn_tokenizer\n"
        f"t = learn_tokenizer({CAPTIONS * 3!r} + [chr(97 + i % 26) + chr(97 + i % 7) for i in range(400)], 900, 40)\n"
        f"t.save_pretrained({str(tmp_path)!r} + '/' + __import__('os').environ['PYTHONHASHSEED'])\n"
    )
    for seed in ("1", "2"):
        subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, "PYTHONHASHSEED": seed})
    one, two = ((tmp_path / seed / "tokenizer.json").read_bytes() for seed in ("1", "2"))
    assert one == two
    assert len(json.loads(one)["model"]["merges"]) > 50


def test_what_cannot_be_opened(folder: Path, tmp_path: Path) -> None:
    import shutil

    with pytest.raises(UsageError, match=r"hf download openai/clip-vit-base-patch32"):
        open_dual("openai/clip-vit-base-patch32")

    other = tmp_path / "other"
    shutil.copytree(folder, other)
    config = read_config(folder)
    (other / "config.json").write_text(json.dumps({**config, "model_type": "blip"}))
    with pytest.raises(UsageError, match="type `blip`"):
        open_dual(str(other))

    (other / "config.json").write_text(json.dumps(config))
    prepared = json.loads((other / "preprocessor_config.json").read_bytes())
    (other / "preprocessor_config.json").write_text(json.dumps({**prepared, "do_center_crop": False}))
    with pytest.raises(UsageError, match="another way than CLIP"):
        open_dual(str(other))

    from safetensors.torch import save_file

    torn = {name: value for name, value in read_vectors(folder).items() if "visual_projection" not in name}
    save_file(torn, other / "model.safetensors", {"format": "pt"})
    with pytest.raises(UsageError, match=r"visual_projection.weight: take the whole model"):
        open_dual(str(other))
