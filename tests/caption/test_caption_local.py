"""The local author: what becomes of an answer, and batches of real answers from a tiny BLIP-2."""

from __future__ import annotations

import io
import json
import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from caption_records import make_scene, make_tile
from fakes.tiny_captioners import (
    OTHER_SCENES,
    PROMPT,
    SCENES,
    make_blip2,
    make_lora,
    paint,
)
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from earthloom.caption.asking import Answer, Asked, Request, Talk, Written, follow
from earthloom.caption.config import LocalSettings
from earthloom.caption.facts import gather
from earthloom.caption.ledger import Ledger
from earthloom.caption.local import ask_local, check_local, fingerprint_local, name_author, write_local
from earthloom.caption.local import conversation as local_words
from earthloom.caption.local import driver as local
from earthloom.core.errors import RecordError, RunError, UsageError
from earthloom.core.ids import hash_bytes
from earthloom.core.images import encode_jpeg, encode_png
from earthloom.core.records import Modality, Reason, Scene, Tile

pytest.importorskip("torch")
pytest.importorskip("transformers")

FINGERPRINT = "0123456789abcdef"
PLAIN = LocalSettings(model="Salesforce/blip2-opt-2.7b")


def write(
    answer: Answer | str, settings: LocalSettings = PLAIN, tile: Tile | None = None, **facts: Any
) -> Written:
    said = gather(make_scene(**facts), tile or make_tile())
    given = answer if isinstance(answer, Answer) else Answer(text=answer)
    return follow(write_local(said, tile or make_tile(), settings, FINGERPRINT, 77), lambda _: given)


def ask(settings: LocalSettings = PLAIN, fingerprint: str = FINGERPRINT, **tile: Any) -> Request:
    made = make_tile(**{"sha256": "f" * 64, **tile})
    return next(write_local(gather(make_scene(), made), made, settings, fingerprint, 77))


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("a green field with a narrow road\n", "A green field with a narrow road."),
        ("  a green   field\twith a\x00 narrow road. ", "A green field with a narrow road."),
        ("Many boats lie in the harbor!", "Many boats lie in the harbor!"),
        ("two fields beside a river,", "Two fields beside a river."),
    ],
)
def test_an_answer_becomes_a_sentence(said: str, wanted: str) -> None:
    (caption,) = write(said).captions
    assert caption.text == wanted
    assert (caption.style, caption.role) == ("plain", "overview")


def test_the_prompt_is_no_part_of_the_caption() -> None:
    settings = PLAIN.model_copy(update={"prompt": "Question: what is shown? Answer:"})
    (caption,) = write("question: what is shown? answer: a forest beside a lake", settings).captions
    assert caption.text == "A forest beside a lake."


@given(text=st.text(max_size=60))
def test_no_text_breaks_the_conversation(text: str) -> None:
    try:
        written = write(text)
    except RecordError as error:
        assert error.reason is Reason.BAD_ANSWER
        return
    (only,) = (*written.captions, *written.dropped)
    assert only.text.isprintable()
    assert only.text == " ".join(only.text.split())
    assert only.text.endswith((".", "!", "?"))


@pytest.mark.parametrize("said", ["", "  \n", " , "])
def test_an_empty_answer_is_refused(said: str) -> None:
    with pytest.raises(RecordError, match="said nothing") as error:
        write(said)
    assert error.value.reason is Reason.BAD_ANSWER


def test_what_was_cut_off_ends_with_its_last_sentence() -> None:
    cut = Answer(text="A river crosses green fields. On its north ba", finish="length")
    assert [caption.text for caption in write(cut).captions] == ["A river crosses green fields."]
    (dropped,) = write(Answer(text="a river that crosses green fie", finish="length")).dropped
    assert dropped.check == "length"
    assert "40 tokens" in dropped.evidence


def test_what_contradicts_the_facts_is_dropped_with_its_evidence() -> None:
    written = write("a radar image of a harbor with ships", modality=Modality.RGB)
    assert written.captions == ()
    (dropped,) = written.dropped
    assert dropped.check == "modality"
    assert "radar" in dropped.evidence
    assert dropped.author == write("a harbor with many ships").captions[0].author


def test_a_model_that_says_one_thing_of_all_is_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[int, int, str]] = []

    def suspect(n_same: int, n_all: int, author: str) -> bool:
        heard.append((n_same, n_all, author))
        return True

    monkeypatch.setattr(local_words, "is_parroted", suspect)
    answer = Answer(text="an aerial view of a green field", n_same=90, n_all=100)
    (dropped,) = write(answer).dropped
    assert dropped.check == "alike"
    assert "90 of 100" in dropped.evidence
    assert heard == [(90, 100, "blip2")]


def test_the_author_says_who_wrote_and_what_was_asked() -> None:
    (caption,) = write("a green field with a narrow road").captions
    assert caption.author == "blip2-opt-2.7b@01234567/unprompted"
    pinned = PLAIN.model_copy(update={"revision": "59a1ef6c", "prompt": "a photo of"})
    author = name_author(pinned, f"{FINGERPRINT}+fedcba9876543210")
    name, _, prompt = author.partition("/")
    assert name == "blip2-opt-2.7b@59a1ef6c+fedcba98"
    assert len(prompt) == 8
    assert (
        name_author(pinned.model_copy(update={"prompt": "a view of"}), FINGERPRINT).partition("/")[2]
        != prompt
    )


def test_a_question_is_told_apart_by_what_changes_its_answer() -> None:
    same = [ask(), ask(id="other"), ask(PLAIN.model_copy(update={"batch": 3, "device": "cpu"}))]
    same.append(ask(PLAIN.model_copy(update={"model": "/elsewhere/blip2-opt-2.7b"})))
    assert len({request.key for request in same}) == 1
    changes: list[dict[str, Any]] = [
        {"prompt": "a photo of"},
        {"beams": 1},
        {"max_new_tokens": 20},
        {"length_penalty": 2.0},
        {"precision": "bfloat16"},
        {"revision": "abc"},
    ]
    others = [ask(PLAIN.model_copy(update=change)) for change in changes]
    others += [ask(fingerprint="fedcba9876543210"), ask(sha256="e" * 64)]
    assert len({request.key for request in (*same, *others)}) == 1 + len(others)
    assert ask().picture == "f" * 64
    assert "picture:sha256:" + "f" * 64 in ask().to_json()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny-blip2"
    make_blip2(folder)
    return folder


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


class Tiles:
    """Tiles with their pictures, and what was read of them."""

    def __init__(self, pictures: Sequence[tuple[bytes, str]], scene: Scene | None = None) -> None:
        self.pictures = list(pictures)
        self.scene = scene or make_scene()
        self.n_read = 0
        self.tiles = [
            make_tile(id=f"tile{i}", image=data, media=media, sha256=hash_bytes(data))
            for i, (data, media) in enumerate(pictures)
        ]

    def talks(self, settings: LocalSettings) -> Iterator[Talk]:
        fingerprint = fingerprint_local(settings)
        for i, tile in enumerate(self.tiles):
            yield Talk(
                id=tile.id,
                start=lambda tile=tile: write_local(
                    gather(self.scene, tile), tile, settings, fingerprint, 77
                ),
                read_picture=lambda i=i: self._read(i),
            )

    def _read(self, i: int) -> tuple[bytes, str]:
        self.n_read += 1
        return self.pictures[i]

    def captions(self, settings: LocalSettings, ledger: Ledger) -> list[str]:
        """What the workers write: from the ledger alone."""

        def find(request: Request) -> Answer:
            answer = ledger.find(request)
            if answer is None:
                raise RecordError(Reason.UNREACHABLE, "not answered")
            return answer

        texts = []
        for talk in self.talks(settings):
            try:
                written = follow(talk.start(), find)
            except RecordError as error:
                texts.append(error.reason.value)
                continue
            texts += [caption.text for caption in (*written.captions, *written.dropped)]
        return texts


def picture(colour: tuple[int, int, int], seed: int, media: str = "jpg") -> tuple[bytes, str]:
    pixels = paint(colour, side=64, seed=seed)
    return (encode_jpeg(pixels, 95) if media == "jpg" else encode_png(pixels)), media


def scenes(n: int = 8) -> Tiles:
    colours = list(SCENES)
    return Tiles([picture(colours[i % 4], i, "jpg" if i % 2 else "png") for i in range(n)])


def sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def run(tiles: Tiles, ledger: Ledger, settings: LocalSettings) -> tuple[Asked, int]:
    ended: list[int] = []
    asked = ask_local(tiles.talks(settings), ledger, settings, advance=ended.append)
    return asked, sum(ended)


def settings_for(model: Path, **changes: Any) -> LocalSettings:
    return LocalSettings(**{"model": str(model), "batch": 3, "device": "cpu", **changes})


def test_every_tile_gets_the_caption_of_its_picture(model: Path, ledger: Ledger) -> None:
    tiles, settings = scenes(), settings_for(model)
    assert run(tiles, ledger, settings) == (Asked(n_sent=8, n_answered=8), 8)
    texts = list(map(sentence, SCENES.values()))
    texts[2] = "Dry fields."  # two words are no caption, and are dropped with their text
    assert tiles.captions(settings, ledger) == texts * 2
    totals = ledger.totals()
    assert (totals.all.n_answered, totals.spent) == (8, 0)


def test_what_is_in_the_ledger_loads_no_model(
    model: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiles, settings = scenes(), settings_for(model)
    run(tiles, ledger, settings)
    read = tiles.n_read
    monkeypatch.setattr(local, "_open", lambda _: pytest.fail("the model was loaded"))
    again = settings_for(model, batch=8)
    assert run(tiles, ledger, again) == (Asked(), 8)
    assert tiles.n_read == read


def test_only_what_is_missing_is_asked(model: Path, ledger: Ledger) -> None:
    settings = settings_for(model)
    run(scenes(5), ledger, settings)
    assert run(scenes(8), ledger, settings) == (Asked(n_sent=3, n_answered=3), 8)


def test_equal_pictures_are_asked_once(model: Path, ledger: Ledger) -> None:
    one, other = picture(next(iter(SCENES)), 1), picture(list(SCENES)[3], 2)
    tiles, settings = Tiles([one, other, one, one, other]), settings_for(model, batch=4)
    assert run(tiles, ledger, settings) == (Asked(n_sent=2, n_answered=2), 5)
    forest, houses = (sentence(list(SCENES.values())[i]) for i in (0, 3))
    assert tiles.captions(settings, ledger) == [forest, houses, forest, forest, houses]


def test_lora_weights_from_a_file_are_another_author(model: Path, ledger: Ledger, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    make_lora(model, tmp_path / "lora", OTHER_SCENES)
    tiles, plain = scenes(4), settings_for(model)
    tuned = settings_for(model, adapter=str(tmp_path / "lora"))
    assert check_local(tuned) == []
    run(tiles, ledger, plain)
    assert run(tiles, ledger, tuned) == (Asked(n_sent=4, n_answered=4), 4)
    wanted = list(map(sentence, OTHER_SCENES.values()))
    assert tiles.captions(tuned, ledger) == wanted
    assert tiles.captions(plain, ledger) == list(map(sentence, SCENES.values()))


def test_grey_pictures_are_shown_in_three_equal_channels(model: Path, ledger: Ledger) -> None:
    """The houses are grey: what has no colour is them, as radar and near infrared come."""
    grey = paint((120, 120, 120), side=64)[:, :, :1]
    tiles = Tiles(
        [(encode_png(grey), "png"), (encode_jpeg(grey, 95), "jpg")], make_scene(modality=Modality.SAR)
    )
    settings = settings_for(model)
    run(tiles, ledger, settings)
    assert tiles.captions(settings, ledger) == [sentence(list(SCENES.values())[3])] * 2


def test_a_picture_that_cannot_be_shown_costs_itself_alone(model: Path, ledger: Ledger) -> None:
    tiles, settings = scenes(6), settings_for(model)
    broken = tiles.pictures[1][0][:-200]
    tiles.pictures[1] = (broken, "jpg")
    tiles.tiles[1] = replace(tiles.tiles[1], sha256=hash_bytes(broken))
    tiles.pictures[4] = tiles.pictures[0]
    asked, ended = run(tiles, ledger, settings)
    assert (asked, ended) == (Asked(n_sent=4, n_answered=4, n_failed=2), 6)
    texts = tiles.captions(settings, ledger)
    assert [i for i, text in enumerate(texts) if text == "unreachable"] == [1, 4]


def test_a_picture_that_breaks_the_model_is_not_asked_for_again(
    model: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    from earthloom.models.captioners.captioner import Captioner

    tiles, settings = scenes(6), settings_for(model)
    describe = Captioner.describe
    sizes: list[int] = []

    def fail_on_water(self: Captioner, pictures: Sequence[np.ndarray], prompt: str = "") -> Any:
        sizes.append(len(pictures))
        if any(shown[0, 0, 2] > 140 for shown in pictures):
            raise ValueError("water cannot be divided into patches")
        return describe(self, pictures, prompt)

    monkeypatch.setattr(Captioner, "describe", fail_on_water)
    asked, ended = run(tiles, ledger, settings)
    assert (asked, ended) == (Asked(n_sent=6, n_answered=4, n_failed=2), 6)
    (first, *_) = (talk.start() for talk in list(tiles.talks(settings))[1:])
    assert ledger.why_not(next(first)) == "ValueError: water cannot be divided into patches"
    assert run(tiles, ledger, settings) == (Asked(), 6)


def test_too_little_memory_halves_the_batches_that_follow(
    model: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from earthloom.models.captioners.captioner import Captioner

    describe, sizes = Captioner.describe, []

    def hold_two(self: Captioner, pictures: Sequence[np.ndarray], prompt: str = "") -> Any:
        sizes.append(len(pictures))
        if len(pictures) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return describe(self, pictures, prompt)

    monkeypatch.setattr(Captioner, "describe", hold_two)
    tiles, settings = scenes(12), settings_for(model, batch=8)
    assert run(tiles, ledger, settings) == (Asked(n_sent=12, n_answered=12), 12)
    assert sizes == [1, 8, 4, 2, 2, 4, 2, 2, 2, 2]  # the first is the trial when it is loaded


def test_what_was_said_before_a_stop_is_kept(
    model: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiles, settings = scenes(8), settings_for(model)

    def stop(n: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask_local(tiles.talks(settings), ledger, settings, advance=stop)
    assert ledger.totals().all.n_answered == 3
    assert run(tiles, ledger, settings) == (Asked(n_sent=5, n_answered=5), 8)


@pytest.mark.parametrize("error", [RuntimeError("CUDA error: no access"), ValueError("no access to patches")])
def test_a_model_that_breaks_on_everything_ends_the_run(
    model: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Nothing of that is held against the pictures: once it is mended, all of them are asked."""
    from earthloom.models.captioners.captioner import Captioner

    monkeypatch.setattr(Captioner, "check", lambda *_: None)

    def fail(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(Captioner, "describe", fail)
    tiles, settings = scenes(80), settings_for(model, batch=8)
    with pytest.raises(RunError, match=r"5\d pictures in a row.*no access"):
        run(tiles, ledger, settings)
    monkeypatch.undo()
    assert run(tiles, ledger, settings) == (Asked(n_sent=80, n_answered=80), 80)


def test_files_that_change_under_a_run_are_found_out(model: Path, ledger: Ledger) -> None:
    tiles, settings = scenes(2), settings_for(model)
    talks = [
        Talk(
            id=tile.id,
            start=lambda tile=tile: write_local(
                gather(tiles.scene, tile), tile, settings, "an older fingerprint", 77
            ),
            read_picture=lambda: tiles.pictures[0],
        )
        for tile in tiles.tiles
    ]
    with pytest.raises(RunError, match="start it again"):
        ask_local(talks, ledger, settings, advance=lambda _: None)


def test_loading_says_one_line(
    model: Path, ledger: Ledger, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO):
        run(scenes(2), ledger, settings_for(model))
    assert [record.getMessage().partition(", ")[0] for record in caplog.records] == [
        f"loaded tiny-blip2 with transformers {pytest.importorskip('transformers').__version__}"
    ]
    assert capfd.readouterr() == ("", "")


def test_the_ledger_keeps_what_ran(model: Path, ledger: Ledger) -> None:
    tiles, settings = scenes(1), settings_for(model)
    run(tiles, ledger, settings)
    answer = ledger.find(next(next(tiles.talks(settings)).start()))
    assert answer is not None
    assert answer.text == "a dense forest with a narrow path"
    assert (answer.tokens_in, answer.tokens_out, answer.finish) == (3, 8, "stop")
    assert "cpu float32" in answer.served


def test_settings_are_checked_without_loading_anything(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_local(settings_for(model)) == []
    faults = check_local(settings_for(tmp_path / "nothing", adapter=str(tmp_path / "no lora")))
    assert [fault.place for fault in faults] == ["caption.blip2.model", "caption.blip2.adapter"]
    for kind, prompt, said in (
        ("vision-encoder-decoder", PROMPT, "leave `prompt` empty"),
        ("llava", "", "Describe this satellite image"),
    ):
        other = Path(shutil.copytree(model, tmp_path / kind))
        config = json.loads((model / "config.json").read_text())
        (other / "config.json").write_text(json.dumps({**config, "model_type": kind}))
        (fault,) = check_local(settings_for(other, prompt=prompt))
        assert said in fault.problem
    monkeypatch.setattr(local, "find_spec", lambda name: None if name == "peft" else object())
    assert check_local(settings_for(model)) == []
    (fault,) = check_local(settings_for(model, adapter="lora"))
    assert (fault.place, fault.remedy) == ("caption.blip2", "pip install 'earthloom[models]'")


def test_a_model_that_is_not_there_stops_before_any_picture(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="hf download nobody/nothing"):
        fingerprint_local(LocalSettings(model="nobody/nothing", revision="abc"))


def test_pictures_are_told_by_content(model: Path, ledger: Ledger) -> None:
    """A PNG that calls itself a JPEG is read as what it is."""
    data = io.BytesIO()
    Image.fromarray(paint(list(SCENES)[1], side=64)).save(data, "PNG")
    tiles, settings = Tiles([(data.getvalue(), "jpg")]), settings_for(model)
    run(tiles, ledger, settings)
    assert tiles.captions(settings, ledger) == [sentence(list(SCENES.values())[1])]
