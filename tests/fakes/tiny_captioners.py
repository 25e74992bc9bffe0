"""Small image-to-text models of transformers' own classes, made in code and taught to name four colours.

Every folder is what `save_pretrained` writes, as a published model has it, so that it is read like one.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SIDE = 32
SCENES = {
    (40, 90, 40): "a dense forest with a narrow path",
    (40, 60, 160): "open water beside a long pier",
    (230, 200, 60): "dry fields",
    (120, 120, 120): "rows of houses along a straight road near a park",
}
"""Colour to what the models are taught to say of it: 2 to 10 words."""
OTHER_SCENES = dict(zip(SCENES, reversed(SCENES.values()), strict=True))
"""What LoRA weights teach them instead."""
PROMPT = "describe this picture"
_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<image>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>"]
_SPECIAL += ["<|video_pad|>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"]
_BOS, _PAD, _EOS, _IMAGE = 0, 1, 2, 4
_CHAT_TEMPLATE = (
    "{% for turn in messages %}USER {% for part in turn['content'] %}{% if part['type'] == 'image' %}IMAGE "
    "{% else %}{{ part['text'] }} {% endif %}{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT{% endif %}"
)


def paint(colour: tuple[int, int, int], side: int = SIDE, seed: int = 0) -> np.ndarray:
    """A picture of one colour with a little noise, side x side x 3."""
    noise = np.random.default_rng(seed).integers(-6, 7, (side, side, 3))
    return np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)


def once(make: Callable[[Path], None]) -> Callable[[Path], None]:
    """Make and teach a model once in a process, with the same dropout always; folders get copies."""

    @functools.cache
    def keep() -> Path:
        import torch

        root = Path(tempfile.mkdtemp(prefix="earthloom-captioner-"))
        atexit.register(shutil.rmtree, root, ignore_errors=True)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            make(root)
        return root

    @functools.wraps(make)
    def copy(folder: Path) -> None:
        shutil.copytree(keep(), folder, dirs_exist_ok=True)

    return copy


def make_tokenizer() -> Any:
    """Whole words of the captions; a special token each for what models mark pictures with."""
    import tokenizers
    import transformers

    words = sorted({word for text in (*SCENES.values(), PROMPT, "USER ASSISTANT :") for word in text.split()})
    vocabulary = {word: i for i, word in enumerate([*_SPECIAL, *words])}
    model = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<unk>"))
    model.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=model,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        additional_special_tokens=_SPECIAL[4:],
    )


def make_bert_tokenizer() -> Any:
    """The same words between `[CLS]` and `[SEP]`, as BLIP and GIT want them."""
    import transformers

    words = sorted({word for text in (*SCENES.values(), PROMPT) for word in text.split()})
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", *words]
    tokenizer = transformers.BertTokenizer(vocab={word: i for i, word in enumerate(names)})
    tokenizer.add_special_tokens({"additional_special_tokens": ["[DEC]"]})
    return tokenizer


def _vision(kind: str | None = None) -> dict[str, Any]:
    vision = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2,
        "image_size": SIDE, "patch_size": 16,
    }  # fmt: skip
    return vision if kind is None else {"model_type": kind, **vision}


def _qformer() -> dict[str, Any]:
    return {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2,
        "vocab_size": 8, "encoder_hidden_size": 32, "cross_attention_frequency": 1,
    }  # fmt: skip


@once
def make_blip2(folder: Path) -> None:
    """BLIP-2 with OPT, its 70 thousand weights trained in about two seconds."""
    import transformers

    tokenizer = make_tokenizer()
    config = transformers.Blip2Config(
        vision_config=_vision(),
        qformer_config=_qformer(),
        text_config={
            "model_type": "opt", "vocab_size": len(tokenizer), "hidden_size": 32, "word_embed_proj_dim": 32,
            "ffn_dim": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 64,
            "bos_token_id": _BOS, "eos_token_id": _EOS, "pad_token_id": _PAD, "dropout": 0.0,
        },
        num_query_tokens=2,
        image_token_index=_IMAGE,
    )  # fmt: skip
    images = transformers.BlipImageProcessorPil(size={"height": SIDE, "width": SIDE})
    network = _seeded(lambda: transformers.Blip2ForConditionalGeneration(config))
    teach_blip2(network, SCENES, n_steps=200, rate=5e-3)
    _save(folder, network, tokenizer, images)


@once
def make_blip2_t5(folder: Path) -> None:
    """BLIP-2 with T5, untaught: its answers do not repeat the prompt."""
    import transformers

    tokenizer = make_tokenizer()
    config = transformers.Blip2Config(
        vision_config=_vision(),
        qformer_config=_qformer(),
        text_config={
            "model_type": "t5", "vocab_size": len(tokenizer), "d_model": 32, "d_kv": 16, "d_ff": 64,
            "num_layers": 1, "num_decoder_layers": 1, "num_heads": 2, "pad_token_id": _PAD,
            "eos_token_id": _EOS, "decoder_start_token_id": _PAD, "bos_token_id": None,
        },
        num_query_tokens=2,
        image_token_index=_IMAGE,
    )  # fmt: skip
    images = transformers.BlipImageProcessorPil(size={"height": SIDE, "width": SIDE})
    network = _seeded(lambda: transformers.Blip2ForConditionalGeneration(config))
    _save(folder, network, tokenizer, images)


def teach_blip2(network: Any, scenes: dict[tuple[int, int, int], str], *, n_steps: int, rate: float) -> None:
    """Train until each colour has its caption; only weights that want a gradient are changed."""
    import transformers

    tokenizer = make_tokenizer()
    images = transformers.BlipImageProcessorPil(size={"height": SIDE, "width": SIDE})
    pixels = images([paint(colour) for colour in scenes], return_tensors="pt")["pixel_values"]
    heads = [[_IMAGE] * 2 + [_BOS]] * len(scenes)
    _teach(network, tokenizer, pixels, heads, list(scenes.values()), n_steps, rate)


def _teach(
    network: Any,
    tokenizer: Any,
    pixels: Any,
    heads: list[list[int]],
    texts: list[str],
    n_steps: int,
    rate: float,
) -> None:
    import torch

    stop = tokenizer.sep_token_id if tokenizer.eos_token_id is None else tokenizer.eos_token_id
    rows = [
        head + tokenizer(text, add_special_tokens=False)["input_ids"] + [stop]
        for head, text in zip(heads, texts, strict=True)
    ]
    longest = max(map(len, rows))
    ids = torch.tensor([row + [tokenizer.pad_token_id] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    labels = ids.masked_fill(mask == 0, -100)
    for i, head in enumerate(heads):
        labels[i, : len(head)] = -100
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=rate)
    network.train()
    inputs = {"pixel_values": pixels, "labels": labels}
    if not network.config.is_encoder_decoder:
        inputs |= {"input_ids": ids, "attention_mask": mask}
    for _ in range(n_steps):
        loss = network(**inputs).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.eval()


def make_lora(model: Path, folder: Path, scenes: dict[tuple[int, int, int], str]) -> None:
    """LoRA weights over a saved BLIP-2 that teach it other captions, saved by peft."""
    import peft
    import torch
    import transformers

    network = transformers.Blip2ForConditionalGeneration.from_pretrained(model, local_files_only=True)
    config = peft.LoraConfig(
        r=8,
        lora_alpha=16,
        lora_dropout=0.0,
        target_modules=["q_proj", "v_proj", "fc1", "language_projection"],
    )
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peft asks transformers by a name that is about to go
        torch.manual_seed(1)
        adapted = peft.get_peft_model(network, config)
        teach_blip2(adapted, scenes, n_steps=200, rate=2e-2)
    adapted.save_pretrained(folder)


def make_blip(folder: Path) -> None:
    """BLIP: a vision network and a text decoder that looks at it."""
    import transformers

    tokenizer = make_bert_tokenizer()
    start, stop, pad = tokenizer.convert_tokens_to_ids(["[DEC]", "[SEP]", "[PAD]"])
    config = transformers.BlipConfig(
        vision_config=_vision(),
        text_config={
            "vocab_size": len(tokenizer), "hidden_size": 32, "encoder_hidden_size": 32, "intermediate_size": 64,
            "num_hidden_layers": 1, "num_attention_heads": 2, "bos_token_id": start, "eos_token_id": stop,
            "sep_token_id": stop, "pad_token_id": pad, "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
        },
        projection_dim=32,
    )  # fmt: skip
    images = transformers.BlipImageProcessorPil(size={"height": SIDE, "width": SIDE})
    network = _seeded(lambda: transformers.BlipForConditionalGeneration(config))
    _teach_all(network, tokenizer, images, [start])
    _save(folder, network, tokenizer, images)


def make_git(folder: Path) -> None:
    """GIT: picture and text through one transformer."""
    import transformers

    tokenizer = make_bert_tokenizer()
    start, stop, pad = tokenizer.convert_tokens_to_ids(["[CLS]", "[SEP]", "[PAD]"])
    config = transformers.GitConfig(
        vision_config=_vision(), vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64,
        num_hidden_layers=2, num_attention_heads=2, bos_token_id=start, eos_token_id=stop, pad_token_id=pad,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, max_position_embeddings=64,
    )  # fmt: skip
    images = transformers.CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=SIDE)
    network = _seeded(lambda: transformers.GitForCausalLM(config))
    _teach_all(network, tokenizer, images, [start])
    _save(folder, network, tokenizer, images)


def make_encoder_decoder(folder: Path) -> None:
    """ViT and GPT-2, as `nlpconnect/vit-gpt2-image-captioning` joins them."""
    import transformers

    tokenizer = make_tokenizer()
    config = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        transformers.ViTConfig(**_vision(), hidden_dropout_prob=0.0),
        transformers.GPT2Config(
            vocab_size=len(tokenizer), n_embd=32, n_layer=1, n_head=2, n_positions=64, add_cross_attention=True,
            is_decoder=True, bos_token_id=_BOS, eos_token_id=_EOS,
        ),
    )  # fmt: skip
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = _BOS, _PAD, _EOS
    images = transformers.ViTImageProcessorPil(size={"height": SIDE, "width": SIDE})
    network = _seeded(lambda: transformers.VisionEncoderDecoderModel(config))
    network.generation_config.decoder_start_token_id = _BOS
    _teach_all(network, tokenizer, images, [])
    _save(folder, network, tokenizer, images)


def make_llava(folder: Path) -> None:
    """LLaVA: CLIP's vision network in front of LLaMA, asked by a chat template."""
    import transformers

    tokenizer = make_tokenizer()
    config = transformers.LlavaConfig(
        vision_config=_vision("clip_vision_model"),
        text_config=_llama("llama", len(tokenizer)),
        image_token_index=_IMAGE,
        vision_feature_layer=-1,
    )
    images = transformers.CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=SIDE)
    processor = transformers.LlavaProcessor(
        images,
        tokenizer,
        patch_size=16,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=_CHAT_TEMPLATE.replace("IMAGE", "<image>"),
    )
    network = _seeded(lambda: transformers.LlavaForConditionalGeneration(config))
    asked = [f"USER <image> {PROMPT} ASSISTANT"] * len(SCENES)
    batch = processor(images=[[paint(colour)] for colour in SCENES], text=asked, return_tensors="pt")
    _teach(
        network,
        tokenizer,
        batch["pixel_values"],
        batch["input_ids"].tolist(),
        list(SCENES.values()),
        200,
        5e-3,
    )
    _save(folder, network, processor)


def make_qwen2_vl(folder: Path) -> None:
    """Qwen2-VL, untaught: pictures of any size, and a processor that wants torchvision for films."""
    import transformers

    tokenizer = make_tokenizer()
    ids = dict(zip(_SPECIAL, range(len(_SPECIAL)), strict=True))
    config = transformers.Qwen2VLConfig(
        vision_config={"embed_dim": 32, "depth": 1, "hidden_size": 32, "num_heads": 2, "patch_size": 14},
        text_config={
            **_llama("qwen2_vl_text", len(tokenizer)),
            "rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 1e4},
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    network = _seeded(lambda: transformers.Qwen2VLForConditionalGeneration(config))
    images = transformers.Qwen2VLImageProcessorPil(min_pixels=28 * 28, max_pixels=56 * 56)
    tokenizer.chat_template = _CHAT_TEMPLATE.replace("IMAGE", "<|vision_start|><|image_pad|><|vision_end|>")
    _save(folder, network, tokenizer, images)


def _llama(kind: str, n_words: int) -> dict[str, Any]:
    return {
        "model_type": kind, "vocab_size": n_words, "hidden_size": 32, "intermediate_size": 64,
        "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2,
        "max_position_embeddings": 256, "bos_token_id": _BOS, "eos_token_id": _EOS, "pad_token_id": _PAD,
    }  # fmt: skip


def _teach_all(network: Any, tokenizer: Any, images: Any, head: list[int]) -> None:
    pixels = images([paint(colour) for colour in SCENES], return_tensors="pt")["pixel_values"]
    _teach(network, tokenizer, pixels, [head] * len(SCENES), list(SCENES.values()), 200, 5e-3)


def _seeded(make: Callable[[], Any]) -> Any:
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make()


def _save(folder: Path, network: Any, *parts: Any) -> None:
    network.save_pretrained(folder)
    for part in parts:
        part.save_pretrained(folder)
