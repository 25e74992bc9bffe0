"""Common test sets are read in the layouts that users have; a wrong one is told with what was wanted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from fakes.benchmarks import (
    make_captions,
    write_classes,
    write_eurosat,
    write_karpathy,
    write_lines,
    write_picture,
    write_tar,
    write_ucm,
)
from pydantic import ValidationError

from earthloom.core.errors import RecordError, UsageError
from earthloom.evaluate.benchmarks.captions import list_captioned
from earthloom.evaluate.benchmarks.classes import list_classified
from earthloom.evaluate.benchmarks.config import BenchmarkSettings
from earthloom.evaluate.benchmarks.names import NAMES, find_benchmark, tabulate_measured
from earthloom.evaluate.benchmarks.opening import Chosen, open_tested
from earthloom.evaluate.benchmarks.words import (
    choose_templates,
    list_folders,
    list_template_sets,
    name_classes,
    split_name,
)
from earthloom.evaluate.work import Work

EUROSAT = find_benchmark("eurosat")
RSICD = find_benchmark("rsicd")


def open_for(base: Path, task: str = "captions", **told: object) -> Chosen:
    """Open a test set as a recipe tells it."""
    recipe = BenchmarkSettings.model_validate({"name": "t", **told})
    work = Work(base=base, folder=base / "out", seed=0, tell=lambda text: None)
    return open_tested(recipe, work, task)  # type: ignore[arg-type]


def test_every_name_has_its_entry_and_every_set_of_classes_its_words() -> None:
    counts = {"eurosat": 10, "resisc45": 45, "aid": 30, "ucm": 21}
    for name in NAMES:
        benchmark = find_benchmark(name)
        assert benchmark.source
        assert benchmark.count_published(()) is not None
        if benchmark.task == "classes":
            assert len(list_folders(name)) == counts[name]
            templates, named = choose_templates(str(benchmark.templates))
            assert all("{}" in template for template in templates)
            assert named.endswith("@1")
            names, wording = name_classes(
                list_folders(name), benchmark=name, wording=benchmark.wording, own={}
            )
            assert len(set(names)) == counts[name], "classes of equal words cannot be told apart"
            assert wording == f"{name}:{benchmark.wording}@1"
        table = tabulate_measured(benchmark)
        assert table is None or {len(row) for row in table.rows} == {len(table.columns)}


def test_the_published_counts_are_those_of_the_splits() -> None:
    assert RSICD.count_published(("test",)) == 1093
    assert RSICD.count_published(("val", "test")) == 2187, "the test set of Txt2Img-MHN"
    assert RSICD.count_published(()) == 10_921
    assert find_benchmark("rsitmd").count_published(("test",)) == 452
    assert find_benchmark("rsitmd").count_published(("val",)) is None


def test_the_templates_of_resisc45_are_eighteen_sentences() -> None:
    templates, _ = choose_templates("clip-resisc45")
    assert len(set(templates)) == 18
    assert "aerial view of the {}." in templates


@pytest.mark.parametrize("layout", ["unpacked", "classes", "tar", "folder of a tar", "spelt otherwise"])
def test_eurosat_is_read_as_it_lies(tmp_path: Path, layout: str) -> None:
    classes = list_folders("eurosat")
    place = tmp_path / "eurosat"
    if layout == "unpacked":
        write_eurosat(place, classes)
    elif layout == "classes":
        place = write_eurosat(place, classes) / "2750"
    elif layout == "spelt otherwise":
        write_classes(place, [split_name(name).title() for name in classes], "{number}.jpg")
    else:
        tar = write_tar(place / "eurosat_rgb.tar", classes)
        place = tar if layout == "tar" else place
    entries = list_classified(EUROSAT, place)
    assert len(entries) == 30
    assert {entry.label for entry in entries} == set(classes)
    assert entries[0].read().shape == (40, 40, 3)
    assert len({entry.key for entry in entries}) == 30


def test_ucm_is_tiff(tmp_path: Path) -> None:
    write_ucm(tmp_path, list_folders("ucm"), n=1)
    entries = list_classified(find_benchmark("ucm"), tmp_path)
    assert [entry.label for entry in entries] == sorted(list_folders("ucm"))
    assert entries[0].key == "UCMerced_LandUse/Images/agricultural/agricultural00.tif"


@pytest.mark.parametrize("name", ["resisc45", "aid"])
def test_the_other_sets_of_classes_are_read(tmp_path: Path, name: str) -> None:
    write_classes(tmp_path / name, list_folders(name), "{stem}_{number:03}.jpg", n=1)
    entries = list_classified(find_benchmark(name), tmp_path)
    assert sorted(str(entry.label) for entry in entries) == sorted(list_folders(name))


def test_hidden_files_and_those_of_other_formats_are_no_pictures_of_the_set(tmp_path: Path) -> None:
    write_eurosat(tmp_path, ["Forest", "River"])
    write_picture(tmp_path / "__MACOSX" / "Forest" / "x.jpg", 0, 0)
    write_picture(tmp_path / "2750" / "Forest" / "._Forest_1.jpg", 0, 0)
    write_picture(tmp_path / "allBands" / "Forest" / "Forest_1.tif", 0, 0)
    assert len(list_classified(EUROSAT, tmp_path)) == 6


def test_wrong_places_are_told_with_what_was_wanted(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"AnnualCrop/AnnualCrop_1.jpg.*holds no picture"):
        list_classified(EUROSAT, tmp_path / "empty")
    write_classes(tmp_path / "aid", ["Airport", "BareLand"], "{number}.jpg", n=2)
    with pytest.raises(UsageError, match=r"none of its classes: 'Airport' \(2 pictures\), 'BareLand'"):
        list_classified(EUROSAT, tmp_path / "aid")
    with pytest.raises(UsageError, match="There is no folder"):
        list_classified(EUROSAT, tmp_path / "nothing")
    packed = tmp_path / "EuroSAT.zip"
    packed.write_bytes(b"PK")
    with pytest.raises(UsageError, match="unpack it"):
        list_classified(EUROSAT, packed)
    broken = write_tar(tmp_path / "broken.tar", ["Forest"])
    broken.write_bytes(broken.read_bytes()[:1500])
    with pytest.raises(UsageError, match="cannot be read as a tar"):
        list_classified(EUROSAT, broken)


LAYOUTS = [
    ("rsicd", "dataset_rsicd.json", "RSICD_images", ".jpg"),
    ("rsitmd", "dataset_RSITMD.json", "images", ".tif"),
    ("ucm-captions", "UCM_captions/dataset.json", "UCM_captions/imgs", ".tif"),
    ("sydney-captions", "dataset.json", "imgs", ".tif"),
]


@pytest.mark.parametrize(("name", "file", "folder", "ending"), LAYOUTS)
@pytest.mark.parametrize("form", ["raw", "tokens"])
def test_karpathys_form_is_read(
    tmp_path: Path, name: str, file: str, folder: str, ending: str, form: str
) -> None:
    write_karpathy(tmp_path, file, folder, {"train": 3, "val": 1, "test": 2}, ending=ending)
    if form == "tokens":
        _drop_raw(tmp_path / file)
    entries = list_captioned(find_benchmark(name), tmp_path)
    assert [entry.shown.split for entry in entries] == ["train"] * 3 + ["val"] + ["test"] * 2
    assert [words.text for words in entries[4].captions] == make_captions(5)
    assert entries[4].read().shape == (40, 40, 3)
    tested = open_for(tmp_path.parent, test=name, path=tmp_path.name)
    assert len(tested.opened.entries) == 2
    assert "published" in tested.notes[0]


def _drop_raw(path: Path) -> None:
    """Leave tokens alone, as some copies have it."""
    told = json.loads(path.read_text())
    for row in told["images"]:
        row["sentences"] = [{"tokens": sentence["raw"].split(" ")} for sentence in row["sentences"]]
    path.write_text(json.dumps(told))


def test_captions_as_lines_beside_a_tar_are_read(tmp_path: Path) -> None:
    write_lines(tmp_path, "train", 3)
    write_lines(tmp_path, "test", 4)
    entries = list_captioned(RSICD, tmp_path)
    assert len(entries) == 7
    tested = open_for(tmp_path, test="rsicd", path=".")
    assert [entry.key for entry in tested.opened.entries] == [f"lake_{i}.jpg" for i in range(1, 5)]
    assert tested.opened.entries[0].read().shape == (40, 40, 3)


def test_captions_as_lines_may_hold_breaks_of_lines(tmp_path: Path) -> None:
    write_lines(tmp_path, "test", 2)
    path = tmp_path / "captions_test.jsonl"
    first, second = path.read_text(encoding="utf-8").split("\n")[:2]
    broken = json.dumps({**json.loads(first), "captions": ["a\u2028lake"]}, ensure_ascii=False)
    path.write_text(f"\ufeff{broken}\n\n{second}\n", encoding="utf-8")
    entries = list_captioned(RSICD, tmp_path)
    assert [words.text for words in entries[0].captions] == ["a\u2028lake"]
    assert len(entries) == 2
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"captions_test\.jsonl cannot be read"):
        list_captioned(RSICD, tmp_path)


def test_a_picture_that_is_named_twice_is_one(tmp_path: Path) -> None:
    write_karpathy(tmp_path, "dataset_rsicd.json", "images", {"test": 3})
    path = tmp_path / "dataset_rsicd.json"
    told = json.loads(path.read_text())
    told["images"].append({**told["images"][0], "sentences": [{"raw": " a sixth "}, {"raw": "  "}]})
    path.write_text(json.dumps(told))
    entries = list_captioned(RSICD, tmp_path)
    assert len(entries) == 3
    assert [words.text for words in entries[0].captions] == [*make_captions(1), "a sixth"]


def test_a_picture_that_is_missing_is_listed_and_told_when_it_is_read(tmp_path: Path) -> None:
    write_karpathy(tmp_path, "dataset_rsicd.json", "images", {"test": 3})
    (tmp_path / "images" / "2.jpg").unlink()
    entries = list_captioned(RSICD, tmp_path)
    assert len(entries) == 3
    with pytest.raises(RecordError, match="missing"):
        entries[1].read()


def test_pictures_come_from_the_folder_that_has_most_of_them(tmp_path: Path) -> None:
    write_karpathy(tmp_path, "dataset_rsicd.json", "images", {"test": 3})
    write_picture(tmp_path / "a thumbnail" / "1.jpg", 0, 0)
    assert list_captioned(RSICD, tmp_path)[0].key == "images/1.jpg"


def test_captions_in_another_form_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"dataset_rsicd\.json.*holds no dataset"):
        list_captioned(RSICD, tmp_path)
    path = tmp_path / "dataset_rsicd.json"
    path.write_text("[]")
    with pytest.raises(UsageError, match="Karpathy's form"):
        list_captioned(RSICD, tmp_path)
    path.write_text('{"images": [{"filename": "1.jpg"}]}')
    with pytest.raises(UsageError, match=r"images\[0\].*sentences"):
        list_captioned(RSICD, tmp_path)
    path.write_text("{")
    with pytest.raises(UsageError, match="no JSON"):
        list_captioned(RSICD, tmp_path)
    write_karpathy(tmp_path, "dataset_rsicd.json", "images", {"test": 3})
    shutil.rmtree(tmp_path / "images")
    with pytest.raises(UsageError, match=r"none of 3 pictures, such as '1\.jpg'"):
        list_captioned(RSICD, tmp_path)
    write_karpathy(tmp_path, "dataset_other.json", "images", {"test": 3})
    with pytest.raises(UsageError, match="several sets"):
        list_captioned(RSICD, tmp_path)
    (tmp_path / "captions_test.jsonl").write_text('{"file": "1.jpg"}\n')
    with pytest.raises(UsageError, match="line 1"):
        list_captioned(RSICD, tmp_path / "captions_test.jsonl")


def test_splits_and_limits_are_taken(tmp_path: Path) -> None:
    write_karpathy(tmp_path, "dataset_rsicd.json", "images", {"train": 6, "val": 2, "test": 4})
    both = open_for(tmp_path, test="rsicd", path=".", split=["val", "test"])
    assert len(both.opened.entries) == 6
    assert "RSITMD share pictures" in " ".join(both.notes)
    some = open_for(tmp_path, test="rsicd", path=".", split=["train"], limit=3)
    again = open_for(tmp_path, test="rsicd", path=".", split=["train"], limit=3)
    assert [e.key for e in some.opened.entries] == [e.key for e in again.opened.entries]
    assert len(some.opened.entries) == 3
    assert any("took 3 of 6 pictures" in note for note in some.notes)
    with pytest.raises(UsageError, match=r"test \(4\), train \(6\), val \(2\) there, none of nowhere"):
        open_for(tmp_path, test="rsicd", path=".", split=["nowhere"])
    with pytest.raises(UsageError, match="classes was wanted, RSICD has captions"):
        open_for(tmp_path, "classes", test="rsicd", path=".")


def test_folders_may_say_the_split(tmp_path: Path) -> None:
    write_classes(tmp_path / "train", ["Forest", "River"], "{folder}_{number}.jpg")
    write_classes(tmp_path / "test", ["Forest", "River"], "{folder}_{number}.jpg", n=1)
    tested = open_for(tmp_path, "classes", test="eurosat", path=".", split=["test"])
    assert len(tested.opened.entries) == 2


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "either `pictures` or `test`"),
        ({"test": "rsicd"}, "wants `path`"),
        ({"pictures": {"folder": "x"}, "path": "y"}, "wants `path`"),
        ({"pictures": {"folder": "x"}, "limit": 3}, "of `pictures` stand in it"),
        ({"test": "coco", "path": "x"}, "eurosat"),
    ],
)
def test_recipes_that_name_no_pictures_or_too_many_are_faults(told: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        BenchmarkSettings.model_validate({"name": "t", **told})


def test_words_of_classes() -> None:
    assert split_name("StorageTanks") == "storage tanks"
    assert split_name("baseball_diamond") == "baseball diamond"
    assert split_name("SAR") == "sar"
    names, told = name_classes(
        ["River", "SeaLake"], benchmark="eurosat", wording="clip", own={"River": "a creek"}
    )
    assert names == ("a creek", "lake or sea")
    assert "own" in told
    assert name_classes(["BareLand"], benchmark=None, wording=None, own={})[0] == ("bare land",)
    with pytest.raises(UsageError, match="plain, clip"):
        name_classes(["River"], benchmark="eurosat", wording="nice", own={})
    with pytest.raises(UsageError, match="got some for Creek, which is no class of eurosat"):
        name_classes(["River"], benchmark="eurosat", wording="plain", own={"Creek": "a creek"})
    with pytest.raises(UsageError, match=", ".join(list_template_sets())):
        choose_templates("nice")
    with pytest.raises(UsageError, match=r"\{\}"):
        choose_templates(["a photo"])
    assert choose_templates(["a photo of {}"]) == (("a photo of {}",), "own")


def test_the_real_eurosat_is_read(real_data: Path) -> None:
    tested = open_for(real_data, "classes", test="eurosat", path="eurosat")
    assert len(tested.opened.entries) == 24_243
    assert {entry.label for entry in tested.opened.entries} == set(list_folders("eurosat"))
    assert tested.opened.entries[-1].read().shape == (64, 64, 3)
    assert "27,000" in tested.notes[0]


def test_the_real_rsicd_is_read(real_data: Path) -> None:
    tested = open_for(real_data, test="rsicd", path="rsicd", split=["val"])
    assert len(tested.opened.entries) == 1094
    assert {len(entry.captions) for entry in tested.opened.entries} == {5}
    assert tested.opened.entries[0].read().shape == (128, 128, 3)
    assert "published" not in tested.notes[0]
