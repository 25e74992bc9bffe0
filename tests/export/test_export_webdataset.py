"""The WebDataset form through tar, webdataset and datasets."""

from __future__ import annotations

import base64
import dataclasses
import gc
import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely
from conftest import Small
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from release_inputs import expected_pairs, make_inputs, write_release

from earthloom.core.records import Caption, Captioned, Label, Modality, Stretch
from earthloom.export import pair_schema, write_card
from earthloom.export.webdataset import TarSink, choose_text, from_geojson, iter_facts, to_geojson, to_json

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

HOSTILE = (
    'a "quoted" <script>alert(1)</script>\n\ttab, \\ backslash, \u2028 separator, \x00 null, Ümläut, 北京, 🛰'
)


leaves_files_open = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""webdataset leaves closing its files to the garbage collector, which warns."""


def list_tars(release: Path, pattern: str = "*") -> list[str]:
    return [str(path) for path in sorted((release / "data").glob(f"{pattern}.tar"))]


def read_samples(path: str) -> dict[str, dict[str, bytes]]:
    samples: dict[str, dict[str, bytes]] = {}
    with tarfile.open(path, "r:", format=tarfile.USTAR_FORMAT) as archive:
        for member in archive:
            key, _, suffix = member.name.partition(".")
            samples.setdefault(key, {})[suffix] = archive.extractfile(member).read()
    return samples


@leaves_files_open
def test_webdataset_gives_pictures_facts_and_texts(small: Small) -> None:
    import webdataset

    pairs = expected_pairs(*small.inputs)
    seen = []
    for modality, suffix in (("rgb", "jpg"), ("nir", "jpg"), ("sar", "png")):
        urls = list_tars(small.folder, f"*-{modality}-*")
        samples = webdataset.WebDataset(urls, shardshuffle=False).decode("rgb8")
        for key, image, facts, text in samples.to_tuple("__key__", suffix, "json", "txt"):
            scene, tile, captioned, verdict = pairs[key]
            wanted = np.asarray(Image.open(io.BytesIO(tile.image)).convert("RGB"))
            assert np.array_equal(image, wanted)
            assert (facts["split"], facts["modality"]) == (verdict.split, modality)
            assert [c["text"] for c in facts["captions"]] == [c.text for c in captioned.captions]
            assert text == captioned.captions[1].text, "the prompt comes before other roles"
            assert facts["acquired"] == scene.acquired
            seen.append(key)
    gc.collect()
    assert sorted(seen) == sorted(pairs)


def test_every_sample_has_the_same_members_and_keys(small: Small) -> None:
    columns = [name for name in pair_schema().names if name != "image"]
    for path in list_tars(small.folder):
        suffix = "png" if "-sar-" in path else "jpg"
        for key, sample in read_samples(path).items():
            assert list(sample) == [suffix, "json", "txt"]
            facts = json.loads(sample["json"])
            assert list(facts) == columns
            assert facts["id"] == key


def test_masks_and_footprints_survive_json(small: Small) -> None:
    pairs = expected_pairs(*small.inputs)
    n_masks = 0
    for path in list_tars(small.folder):
        for key, sample in read_samples(path).items():
            facts, tile = json.loads(sample["json"]), pairs[key][1]
            for name in ("valid_mask", "class_mask"):
                wanted = getattr(tile, name)
                assert (facts[name] and base64.b64decode(facts[name])) == wanted
                n_masks += wanted is not None
            assert facts["footprint"]["type"] == "MultiPolygon"
            shape = shapely.geometry.shape(facts["footprint"])
            assert shape.equals(shapely.from_wkb(tile.footprint))
    assert n_masks > 50


def test_headers_say_nothing_of_this_machine(small: Small) -> None:
    for path in list_tars(small.folder):
        assert Path(path).stat().st_size % tarfile.RECORDSIZE == 0
        with tarfile.open(path) as archive:
            for member in archive:
                assert (member.mtime, member.uid, member.gid, member.uname, member.gname) == (0, 0, 0, "", "")
                assert (member.mode, member.isreg(), member.pax_headers) == (0o644, True, {})


def test_system_tar_reads_it(small: Small, tmp_path: Path) -> None:
    tar = shutil.which("tar")
    if tar is None:
        pytest.skip("no tar program")
    path = list_tars(small.folder)[0]
    done = subprocess.run(
        [tar, "-xvf", path, "-C", str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    names = done.stdout.split()
    assert len(names) == 30
    assert (tmp_path / names[0]).read_bytes() == expected_pairs(*small.inputs)[names[0].split(".")[0]][
        1
    ].image


def test_datasets_loads_the_tars_beside_parquet(small: Small, tmp_path: Path) -> None:
    from datasets import load_dataset

    write_card(small.folder, "small")
    pairs = expected_pairs(*small.inputs)
    loaded = load_dataset(str(small.folder / "data"), "webdataset-sar", cache_dir=str(tmp_path))
    assert {name: rows.num_rows for name, rows in loaded.items()} == {
        "train": 16,
        "validation": 16,
        "test": 16,
    }
    for row in loaded["validation"]:
        tile = pairs[row["json"]["id"]][1]
        assert np.array_equal(np.asarray(row["png"]), np.asarray(Image.open(io.BytesIO(tile.image))))
        assert row["json"]["gsd_m"] == tile.gsd_m


def test_datasets_loads_a_release_of_tars_alone(tmp_path: Path) -> None:
    from datasets import load_dataset

    inputs = make_inputs(3, 2)
    release = write_release(tmp_path, inputs, formats=("webdataset",))
    write_card(release, "tars")
    rows = load_dataset(str(release), "webdataset-rgb", split="validation", cache_dir=str(tmp_path / "cache"))
    pairs = expected_pairs(inputs)
    assert {row["json"]["id"] for row in rows} == {
        key for key, (scene, _, _, v) in pairs.items() if (v.split, scene.modality.value) == ("val", "rgb")
    }


def test_datasets_loads_facts_that_are_null_at_first_and_known_later(tmp_path: Path) -> None:
    """Inferred types would stop at the sixth sample: the card declares them."""
    from datasets import load_dataset

    inputs = make_inputs(2, 8, (Modality.RGB,), ("train",))
    late = Label(name="late", kind="class", origin="sidecar file")
    inputs.tiles = [
        dataclasses.replace(
            tile,
            labels=(late,) if i >= 8 else (),
            gsd_m=1.5 if i >= 8 else None,
            footprint=tile.footprint if i >= 8 else None,
            valid_mask=tile.valid_mask if i >= 8 else None,
        )
        for i, tile in enumerate(inputs.tiles)
    ]
    release = write_release(tmp_path, inputs, formats=("webdataset",))
    write_card(release, "late")
    rows = load_dataset(str(release), split="train", cache_dir=str(tmp_path / "cache"))
    assert [row["json"]["gsd_m"] for row in rows] == [None] * 8 + [1.5] * 8
    assert [len(row["json"]["labels"]) for row in rows] == [0] * 8 + [1] * 8


def test_datasets_loads_jpeg_and_png_of_one_modality(tmp_path: Path) -> None:
    from datasets import load_dataset

    inputs = make_inputs(2, 4, (Modality.RGB,), ("train",))
    png = make_inputs(2, 4, (Modality.RGB,), ("train",))
    inputs.tiles[4:] = [
        dataclasses.replace(tile, media="png", image=other.valid_mask or tile.class_mask or tile.image)
        for tile, other in zip(inputs.tiles[4:], png.tiles[4:], strict=True)
    ]
    release = write_release(tmp_path, inputs, formats=("webdataset",))
    write_card(release, "mixed")
    rows = load_dataset(str(release), split="train", cache_dir=str(tmp_path / "cache"))
    assert [row["jpg"] is not None for row in rows] == [True] * 4 + [False] * 4
    assert [row["png"] is not None for row in rows] == [False] * 4 + [True] * 4


@leaves_files_open
def test_hostile_texts_come_back_as_they_were(tmp_path: Path) -> None:
    import webdataset

    inputs = make_inputs(1, 2, (Modality.RGB,), ("train",))
    inputs.scenes = [dataclasses.replace(inputs.scenes[0], source_key=HOSTILE, place=HOSTILE, credit=HOSTILE)]
    hostile = Caption(text=HOSTILE, style="source", role="prompt", author="source")
    inputs.captions = [Captioned(id=c.id, captions=(hostile,)) for c in inputs.captions]
    release = write_release(tmp_path, inputs)
    samples = list(webdataset.WebDataset(list_tars(release), shardshuffle=False).decode())
    gc.collect()
    assert [sample["txt"] for sample in samples] == [HOSTILE, HOSTILE]
    for sample in samples:
        assert sample["json"]["source_key"] == sample["json"]["credit"] == HOSTILE
        assert sample["json"]["captions"] == [dataclasses.asdict(hostile) | {"checks": []}]


def test_numbers_that_json_lacks_become_null(tmp_path: Path) -> None:
    inputs = make_inputs(1, 1, (Modality.RGB,), ("train",))
    stretch = Stretch(method="range", low=(float("-inf"), 0.25), high=(1.0, float("nan")))
    inputs.tiles = [dataclasses.replace(inputs.tiles[0], stretch=stretch, gsd_m=float("nan"))]
    release = write_release(tmp_path, inputs)
    (sample,) = read_samples(list_tars(release)[0]).values()
    facts = json.loads(sample["json"], parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert facts["gsd_m"] is None
    assert facts["stretch"] == {"method": "range", "low": [None, 0.25], "high": [1.0, None]}
    assert facts["pixel_m"] == 10.0


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.dictionaries(st.text(), st.one_of(finite, st.text(), st.none(), st.lists(finite)), max_size=8))
def test_json_round_trip(facts: dict[str, object]) -> None:
    assert json.loads(to_json(facts)) == facts


@given(
    st.lists(st.tuples(st.floats(-179, 178), st.floats(-89, 88)), min_size=1, max_size=3),
    st.floats(1e-6, 0.9),
)
def test_geojson_round_trip(corners: list[tuple[float, float]], size: float) -> None:
    polygons = [shapely.box(x, y, x + size, y + size) for x, y in corners]
    shape = polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)
    wkb = shapely.to_wkb(shape)
    assert from_geojson(json.loads(json.dumps(to_geojson(wkb)))) == wkb


def test_choose_text() -> None:
    def say(text: str, role: str) -> dict[str, str]:
        return {"text": text, "role": role, "style": "plain", "author": "rules@1"}

    assert choose_text([say("a", "overview"), say("b", "prompt"), say("c", "prompt")]) == "b"
    assert choose_text([say("a", "overview"), say("b", "scale")]) == "a"
    assert choose_text([]) == ""


@given(st.lists(st.integers(0, 2000), max_size=5))
def test_tar_of_any_sizes_is_read_back(sizes: list[int]) -> None:
    """Members of every length, to and over the edges of the 512-byte blocks."""
    file = io.BytesIO()
    sink = TarSink(file)
    contents = [bytes([i]) * size for i, size in enumerate(sizes)]
    for i, content in enumerate(contents):
        sink._add(f"{i}.bin", content)
    sink.close()
    file.seek(0)
    with tarfile.open(fileobj=file, mode="r:") as archive:
        assert [archive.extractfile(member).read() for member in archive] == contents
    assert len(file.getvalue()) % tarfile.RECORDSIZE == 0


def test_facts_leave_out_the_pixels(small: Small) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(sorted((small.folder / "data").glob("*.parquet"))[0])
    batch = pa.RecordBatch.from_struct_array(table.to_struct_array().combine_chunks())
    for facts in iter_facts(batch):
        assert "image" not in facts
        json.loads(to_json(facts))
