"""The run: what is drawn, what is kept, what is refused, whatever happens in between."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_generators import NoiseGenerator, make_settings, with_about
from PIL import Image

from earthloom.core.errors import LockedError, RunError, StoppedError, UsageError
from earthloom.core.images import encode_png
from earthloom.generate.folder import PictureFolder
from earthloom.generate.generating import generate, split_strength
from earthloom.generate.looking import look_at
from earthloom.generate.summary import GenerateSummary
from earthloom.models.generators.briefs import Brief

PROMPTS = ["a lake", "a river in fog", "a forest"]


def draw(folder: Path, generator: Any = None, **fields: Any) -> GenerateSummary:
    """Draw the usual prompts, or what is said."""
    told = {} if {"prompt", "prompts", "release"} & set(fields) else {"prompt": PROMPTS}
    return generate(
        make_settings(**told, **fields), folder, open_model=lambda _: generator or NoiseGenerator()
    )


def read_pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.png")) if "grid" not in path.name}


def read_rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]


def test_pictures_are_written_with_a_list_and_a_grid(tmp_path: Path) -> None:
    summary = draw(tmp_path, n=2, gsd_m=10, seed=3)
    assert (summary.n_asked, summary.n_drawn, summary.n_kept, summary.n_listed) == (6, 6, 0, 6)
    assert summary.grids == (tmp_path / "grid.png",)
    rows = read_rows(tmp_path)
    assert [row["prompt"] for row in rows] == [text for text in PROMPTS for _ in range(2)]
    assert [row["seed"] for row in rows] == [3, 4] * 3
    assert {row["file_name"] for row in rows} == set(read_pictures(tmp_path))
    first = rows[0]
    assert (first["model"], first["licence"], first["fingerprint"]) == (
        "noise",
        "CC0-1.0",
        "0123456789abcdef",
    )
    assert (first["gsd_m"], first["steps"], first["guidance"], first["generated"]) == (10.0, 3, 1.5, True)
    assert first["told"] == "told a lake"
    shown = look_at(tmp_path / first["file_name"])
    assert shown.to_json()["prompt"] == "a lake"
    assert "seed 3, 3 steps, guidance 1.5" in shown.to_text()
    with Image.open(tmp_path / first["file_name"]) as image:
        assert image.size == (16, 16)


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_a_picture_does_not_depend_on_its_batch(tmp_path: Path, batch: int) -> None:
    draw(tmp_path / "usual", n=3)
    generator = NoiseGenerator()
    draw(tmp_path / "other", generator, n=3, batch=batch)
    assert [len(keys) for keys in generator.batches][:-1] == [batch] * (len(generator.batches) - 1)
    assert read_pictures(tmp_path / "other") == read_pictures(tmp_path / "usual")


def test_a_second_run_draws_nothing_and_changes_nothing(tmp_path: Path) -> None:
    draw(tmp_path)
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.glob("*-s*.png")}
    generator = NoiseGenerator()
    summary = draw(tmp_path, generator)
    assert (summary.n_drawn, summary.n_kept, generator.batches) == (0, 3, [])
    assert {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in tmp_path.glob("*-s*.png")} == before


def test_broken_and_missing_pictures_are_drawn_again(tmp_path: Path) -> None:
    draw(tmp_path)
    before = read_pictures(tmp_path)
    first, second, third = (tmp_path / name for name in before)
    first.unlink()
    second.write_bytes(second.read_bytes()[:-30])
    third.write_bytes(b"")
    assert draw(tmp_path).n_drawn == 3
    assert read_pictures(tmp_path) == before


@pytest.mark.parametrize(
    "change", [{"steps": 4}, {"guidance": 1.0}, {"size": (8, 8)}, {"origins": 1}, {"precision": "bfloat16"}]
)
def test_another_recipe_is_drawn_anew(tmp_path: Path, change: dict[str, Any]) -> None:
    (tmp_path / "p.txt").write_text("\n".join(PROMPTS))
    fields: dict[str, Any] = {"prompts": str(tmp_path / "p.txt")}
    draw(tmp_path / "out", **fields)
    generator = NoiseGenerator()
    if "origins" in change:
        generator = with_about(origins=(*generator.about.origins, generator.about.origins[0]))
    elif "precision" in change:
        generator = with_about(**change)
    else:
        fields |= change
    summary = draw(tmp_path / "out", generator, **fields)
    assert (summary.n_drawn, summary.n_kept, summary.n_listed) == (3, 0, 3)


def test_pictures_of_other_prompts_stay_and_are_listed_after(tmp_path: Path) -> None:
    draw(tmp_path)
    summary = draw(tmp_path, prompt=["a desert"], n=2)
    assert (summary.n_drawn, summary.n_listed) == (2, 5)
    assert [row["prompt"] for row in read_rows(tmp_path)] == ["a desert"] * 2 + sorted(PROMPTS)
    assert "5 in its metadata.jsonl, with those of other runs" in summary.to_text()


def test_nothing_of_others_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"prompt": "a", "key": "holiday"}\n')
    holiday = encode_png(np.zeros((4, 4, 3), np.uint8))
    (tmp_path / "holiday.png").write_bytes(holiday)
    (tmp_path / "download.part").touch()
    generator = NoiseGenerator()
    for output in (tmp_path, tmp_path / "holiday.png"):
        with pytest.raises(UsageError, match=r"holiday\.png was not generated by earthloom"):
            draw(output, generator, prompts=str(tmp_path / "p.jsonl"))
    assert generator.batches == []
    assert (tmp_path / "holiday.png").read_bytes() == holiday
    draw(tmp_path)
    assert (tmp_path / "download.part").exists()
    assert {row["prompt"] for row in read_rows(tmp_path)} == set(PROMPTS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metadata.jsonl", b'{"file_name": "beach.jpg", "text": "mine"}\n'),
        ("metadata.jsonl", b"file_name,text\n"),
        ("refused.json", b"[1]"),
        ("grid.png", encode_png(np.zeros((4, 4, 3), np.uint8))),
        ("grid-007.png", encode_png(np.zeros((4, 4, 3), np.uint8))),
    ],
)
def test_lists_and_sheets_of_others_are_not_overwritten(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    generator = NoiseGenerator()
    with pytest.raises(UsageError, match=f"{name} was not .* choose another folder"):
        draw(tmp_path, generator)
    assert generator.batches == []
    assert (tmp_path / name).read_bytes() == content


def test_sheets_say_that_they_are_generated_and_pictures_are_not_named_as_they(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"prompt": "a", "key": "grid"}\n{"prompt": "b", "key": "Grid-001"}\n')
    summary = draw(tmp_path / "out", prompts=str(tmp_path / "p.jsonl"))
    assert (summary.n_drawn, summary.n_listed) == (2, 2)
    names = [row["file_name"] for row in read_rows(tmp_path / "out")]
    shown = look_at(tmp_path / "out" / "grid.png")
    assert shown.recipe["sheet"] == names
    assert shown.recipe["generated"] is True
    assert all(name in shown.to_text() for name in names)
    assert look_at(tmp_path / "out" / names[0]).recipe["key"] == names[0].removesuffix(".png")


def test_parts_tell_together_what_could_not_be_used(tmp_path: Path) -> None:
    """A picture to draw from that breaks after it was checked is told by the part that wanted it."""
    for number in range(4):
        Image.new("RGB", (16, 16)).save(tmp_path / f"{number}.png")
    rows = [f'{{"prompt": "a", "key": "k{number}", "control": "{number}.png"}}' for number in range(4)]
    (tmp_path / "p.jsonl").write_text("\n".join(rows))

    class Breaking(NoiseGenerator):
        def find_faults(self, brief: Brief, *, has_control: bool) -> list[str]:
            return ["too dark."] if brief.control is not None and brief.key in {"k0", "k1"} else []

    def draw_part(number: int) -> GenerateSummary:
        fields: dict[str, Any] = {"prompts": str(tmp_path / "p.jsonl"), "share": (number, 2)}
        return draw(tmp_path / "out", Breaking(about=with_about(control_channels=3).about), **fields)

    for number in (0, 1):
        summary = draw_part(number)
        assert (summary.n_drawn, set(summary.refused)) == (1, {f"k{number}"})
    assert json.loads((tmp_path / "out" / "refused.json").read_text()) == {
        "k0": "too dark.",
        "k1": "too dark.",
    }


def test_one_picture_goes_into_one_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lake.PNG"
    summary = draw(path, prompt=["a lake"])
    assert (summary.output, summary.grids) == (path, ())
    assert [entry.name for entry in path.parent.iterdir()] == ["lake.PNG"]
    assert look_at(path).recipe["prompt"] == "a lake"
    before = path.read_bytes()
    assert draw(path, prompt=["a lake"]).n_kept == 1
    assert draw(path, prompt=["a hill"]).n_drawn == 1
    assert path.read_bytes() != before
    with pytest.raises(UsageError, match="is one picture, and 3 are asked for"):
        draw(path)


def test_all_faults_are_told_before_anything_is_drawn(tmp_path: Path) -> None:
    rows = [{"prompt": str(i), "scene": "sand" if i > 2 else "fog"} for i in range(9)]
    rows[0]["control"] = "none.png"
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, rows)))
    generator = NoiseGenerator()
    with pytest.raises(UsageError) as told:
        draw(tmp_path / "out", generator, prompts=str(tmp_path / "p.jsonl"))
    message = str(told.value)
    assert (
        "scene: no sand here. (line 4 of p.jsonl, line 5 of p.jsonl, line 6 of p.jsonl and 3 more)" in message
    )
    assert "control: takes none. (line 1 of p.jsonl)" in message
    assert "none.png: No such file" in message
    assert generator.batches == []
    assert not (tmp_path / "out").exists()


def test_parts_of_a_run_share_a_folder(tmp_path: Path) -> None:
    draw(tmp_path / "whole", n=3, sheets=1)
    parts = [draw(tmp_path / "parts", n=3, share=(number, 4), sheets=1) for number in range(4)]
    assert [part.n_drawn for part in parts] == [3, 2, 2, 2]
    assert [part.n_listed for part in parts] == [3, 5, 7, 9]
    assert read_pictures(tmp_path / "parts") == read_pictures(tmp_path / "whole")
    assert read_rows(tmp_path / "parts") == read_rows(tmp_path / "whole")
    assert (tmp_path / "parts" / "grid.png").read_bytes() == (tmp_path / "whole" / "grid.png").read_bytes()


def test_two_runs_do_not_draw_the_same(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path)
    with folder.hold((0, 1)), pytest.raises(LockedError):
        draw(tmp_path)
    with folder.hold((0, 2)):
        for share in ((0, 1), (0, 2)):
            with pytest.raises(LockedError):
                draw(tmp_path, share=share)
        assert draw(tmp_path, share=(1, 2)).n_drawn == 1


def test_pictures_to_draw_from_are_read_and_hashed(tmp_path: Path) -> None:
    for name, level in (("dark", 9), ("bright", 250)):
        (tmp_path / f"{name}.png").write_bytes(encode_png(np.full((16, 16, 3), level, np.uint8)))
    (tmp_path / "gray.png").write_bytes(encode_png(np.zeros((16, 16, 1), np.uint8)))
    rows = [{"key": name, "control": f"{name}.png"} for name in ("dark", "bright", "gray")]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, rows)))
    fields = {"prompts": str(tmp_path / "p.jsonl")}
    summary = draw(tmp_path / "out", with_about(control_channels=3), **fields)
    assert summary.refused == {"gray": "control: 1 channels."}
    assert (summary.n_drawn, summary.n_listed) == (2, 2)
    assert json.loads((tmp_path / "out" / "refused.json").read_text()) == summary.refused
    levels = [np.asarray(Image.open(tmp_path / "out" / f"{key}.png"))[0, 0, 0] for key in ("dark", "bright")]
    assert levels == [9, 250]
    (tmp_path / "dark.png").write_bytes((tmp_path / "bright.png").read_bytes())
    again = draw(tmp_path / "out", with_about(control_channels=3), **fields)
    assert (again.n_drawn, again.n_kept) == (1, 1)


def test_errors_leave_what_is_done(tmp_path: Path) -> None:
    class Stops(NoiseGenerator):
        def draw(self, briefs: Any, *, steps: int, guidance: float) -> Any:
            if len(self.batches) == 2:
                raise error
            return super().draw(briefs, steps=steps, guidance=guidance)

    errors: list[tuple[BaseException, type[Exception]]] = [
        (KeyboardInterrupt(), StoppedError),
        (RunError("no memory"), RunError),
    ]
    for error, wanted in errors:  # noqa: B007  (the class above raises it)
        with pytest.raises(wanted):
            draw(tmp_path / wanted.__name__, Stops(), batch=1)
        assert len(read_pictures(tmp_path / wanted.__name__)) == 2
        assert draw(tmp_path / wanted.__name__, batch=1).n_drawn == 1


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    prompts = tmp_path / "p.txt"
    prompts.write_text("\n".join(f"prompt {number}" for number in range(24)))
    draw(tmp_path / "whole", prompts=str(prompts))
    rng = random.Random(0)
    command = [
        sys.executable,
        str(Path(__file__).parent / "made_generators.py"),
        str(prompts),
        str(tmp_path / "killed"),
    ]
    for _ in range(3):
        child = subprocess.Popen([*command, "0.02"])
        deadline = time.monotonic() + 60
        n_before = len(list((tmp_path / "killed").glob("*.png"))) if (tmp_path / "killed").exists() else 0
        while child.poll() is None and time.monotonic() < deadline:
            if len(list((tmp_path / "killed").glob("*.png"))) > n_before + rng.randint(1, 5):
                break
            time.sleep(0.002)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    (tmp_path / "killed" / "some.png.123.part").touch()
    summary = draw(tmp_path / "killed", prompts=str(prompts))
    assert summary.n_kept > 0
    assert summary.n_kept + summary.n_drawn == 24
    assert read_pictures(tmp_path / "killed") == read_pictures(tmp_path / "whole")
    assert read_rows(tmp_path / "killed") == read_rows(tmp_path / "whole")
    assert list((tmp_path / "killed").glob("*.part")) == []


def test_datasets_loads_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    draw(tmp_path / "pictures", n=2, gsd_m=0.5)
    loaded = datasets.load_dataset(
        "imagefolder", data_dir=str(tmp_path / "pictures"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert loaded["prompt"][:] == [text for text in PROMPTS for _ in range(2)]
    assert loaded[0]["gsd_m"] == 0.5
    with Image.open(tmp_path / "pictures" / read_rows(tmp_path / "pictures")[0]["file_name"]) as image:
        np.testing.assert_array_equal(np.asarray(loaded[0]["image"]), np.asarray(image))


def test_strengths_of_lora_are_told_from_paths(tmp_path: Path) -> None:
    odd = tmp_path / "a:1"
    odd.touch()
    assert split_strength("x/lora.safetensors", tmp_path) == ("x/lora.safetensors", 1.0)
    assert split_strength("x/lora.safetensors:0.5", tmp_path) == ("x/lora.safetensors", 0.5)
    assert split_strength("C:x", tmp_path) == ("C:x", 1.0)
    assert split_strength(str(odd), Path("elsewhere")) == (str(odd), 1.0)
    assert split_strength(odd.name, tmp_path) == (odd.name, 1.0)
    assert split_strength(f"{odd}:2", tmp_path) == (str(odd), 2.0)
    for text in ("nan", "inf", "-inf"):
        with pytest.raises(UsageError, match="wants a finite number"):
            split_strength(f"x/lora.safetensors:{text}", tmp_path)


def test_what_is_no_generated_picture_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(np.zeros((4, 4, 3), np.uint8)))
    (tmp_path / "b.png").write_bytes(b"GIF")
    for name, said in (("a.png", "no recipe"), ("b.png", "no PNG"), ("c.png", "cannot be read")):
        with pytest.raises(UsageError, match=said):
            look_at(tmp_path / name)
