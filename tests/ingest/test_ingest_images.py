"""Pictures in folders and archives: what is listed, what a scene says, what is refused."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.ids import fingerprint_file, make_id
from earthloom.core.images import encode_jpeg, encode_png
from earthloom.core.records import Item, Modality, Provenance, Quantity, Reason, Scene
from earthloom.ingest import list_items, read_item
from earthloom.ingest.config import ImagesSettings
from earthloom.ingest.images import find_class

RGB = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
JPEG = encode_jpeg(RGB, 90)


def source(path: str = "f", **options: object) -> ImagesSettings:
    return ImagesSettings.model_validate({"kind": "images", "name": "pics", "path": path} | options)


def write(root: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)


def listed(root: Path, settings: ImagesSettings) -> list[Item]:
    return list(list_items(settings, root))


def read(root: Path, settings: ImagesSettings) -> dict[str, Scene | Reason]:
    """Every item's one scene, or why there is none."""
    out: dict[str, Scene | Reason] = {}
    for item in listed(root, settings):
        try:
            (out[item.key],) = read_item(settings, item, root, root)
        except RecordError as error:
            out[item.key] = error.reason
    return out


def read_one(root: Path, data: bytes, file: str = "a.png", **options: object) -> Scene:
    write(root, {f"f/{file}": data})
    (scene,) = read(root, source(**options)).values()
    assert isinstance(scene, Scene)
    return scene


def test_pictures_are_listed_by_suffix(tmp_path: Path) -> None:
    names = ["a.jpg", "b.JPEG", "c.png", "d.webp", "e.TIF", "g.tiff", "h.bmp"]
    write(
        tmp_path, {f"f/{name}": b"x" for name in [*names, "n.txt", "m.gif", "jpg", "o.jpg.aux.xml", "p.csv"]}
    )
    assert [item.key for item in listed(tmp_path, source())] == sorted(names)


def test_a_scene_of_a_picture(tmp_path: Path) -> None:
    scene = read_one(tmp_path, JPEG, "a.jpg")
    assert (scene.width, scene.height, scene.dtype, scene.modality) == (30, 20, "uint8", Modality.RGB)
    assert [(b.uri, b.index, b.within) for b in scene.bands] == [
        (str(tmp_path / "f/a.jpg"), i, None) for i in (1, 2, 3)
    ]
    assert (scene.crs, scene.transform, scene.gsd_x_m, scene.acquired, scene.lon) == (None,) * 5
    assert (scene.source, scene.source_key, scene.dataset) == ("pics", "a.jpg", "pics")
    assert scene.item_id == scene.pair_key == make_id("item", "pics", "a.jpg")
    assert scene.group == "pics:a.jpg"
    assert scene.provenance == (Provenance(fact="modality", origin="recipe"),)


def test_the_id_follows_content_key_and_source_but_not_the_place(tmp_path: Path) -> None:
    first = read_one(tmp_path / "one", JPEG, "a.jpg")
    assert read_one(tmp_path / "two/deeper", JPEG, "a.jpg").id == first.id
    others = [
        read_one(tmp_path / "three", encode_jpeg(RGB, 91), "a.jpg"),
        read_one(tmp_path / "four", JPEG, "b.jpg"),
        read_one(tmp_path / "five", JPEG, "a.jpg", name="else"),
        read_one(tmp_path / "six", JPEG, "a.jpg", modality="nir"),
    ]
    assert len({first.id, *(scene.id for scene in others)}) == 5
    print_of_file = fingerprint_file(tmp_path / "one/f/a.jpg")
    assert first.id == make_id("scene", "pics", "a.jpg", print_of_file, "rgb", None, "1,2,3")


def test_facts_of_the_recipe_and_their_origin(tmp_path: Path) -> None:
    scene = read_one(
        tmp_path, JPEG, "t_20190904.jpg", date=r"_(\d{8})", gsd_m=10, platform="S2", place="Kiel", licence="CC0-1.0",
        credit="ESA", dataset="Baltic",
    )  # fmt: skip
    assert (scene.acquired, scene.gsd_x_m, scene.gsd_y_m, scene.place) == ("2019-09-04", 10, 10, "Kiel")
    assert (scene.platform, scene.sensor, scene.dataset) == ("Sentinel-2", "MSI", "Baltic")
    origins = {entry.fact: entry.origin for entry in scene.provenance}
    assert origins == {
        "acquired": "file name", "sensor": "dataset documentation", "gsd_x_m": "recipe", "gsd_y_m": "recipe",
        "platform": "recipe", "place": "recipe", "licence": "recipe", "credit": "recipe", "dataset": "recipe",
        "modality": "recipe",
    }  # fmt: skip


def test_a_constant_date_comes_from_the_recipe(tmp_path: Path) -> None:
    scene = read_one(tmp_path, JPEG, date="2017-08")
    assert scene.acquired == "2017-08"
    assert Provenance(fact="acquired", origin="recipe") in scene.provenance


def test_a_captured_date_that_is_none_refuses_the_picture(tmp_path: Path) -> None:
    write(tmp_path, {"f/a_20191345.jpg": JPEG, "f/b_20191231.jpg": JPEG, "f/c.jpg": JPEG})
    found = read(tmp_path, source(date=r"_(\d{8})"))
    assert found["a_20191345.jpg"] is Reason.BAD_FACTS
    assert [s.acquired for s in found.values() if isinstance(s, Scene)] == ["2019-12-31", None]


def test_sidecar_facts_outrank_the_recipe(tmp_path: Path) -> None:
    write(
        tmp_path, {"facts.jsonl": b'{"file": "a.png", "gsd_m": 0.5, "platform": "GF2", "lon": 1, "lat": 2}\n'}
    )
    scene = read_one(tmp_path, JPEG, facts="facts.jsonl", gsd_m=10, platform="S2", place="Kiel")
    assert (scene.gsd_x_m, scene.platform, scene.lon, scene.lat, scene.place) == (
        0.5,
        "Gaofen-2",
        1,
        2,
        "Kiel",
    )
    origins = {entry.fact: entry.origin for entry in scene.provenance}
    assert (origins["gsd_x_m"], origins["place"], origins["lon"]) == (
        "sidecar file",
        "recipe",
        "sidecar file",
    )


def test_captions_and_labels_of_a_sidecar(tmp_path: Path) -> None:
    row = b'{"file": "a.png", "captions": ["A .", "A .", "b"], "label": "SeaLake", "labels": ["Old_Town"]}\n'
    write(tmp_path, {"facts.jsonl": row})
    scene = read_one(tmp_path, JPEG, facts="facts.jsonl", class_names={"SeaLake": "lake"})
    assert [(text.text, text.role) for text in scene.texts] == [
        ("A .", "caption"),
        ("A .", "caption"),
        ("b", "caption"),
    ]
    assert [(label.name, label.kind, label.origin) for label in scene.labels] == [
        ("lake", "class", "sidecar file"),
        ("old town", "class", "sidecar file"),
    ]


def test_a_malformed_row_refuses_its_picture_and_no_other(tmp_path: Path) -> None:
    write(tmp_path, {"f/a.jpg": JPEG, "f/b.jpg": JPEG})
    write(
        tmp_path, {"facts.jsonl": b'{"file": "a.jpg", "lon": 999, "lat": 0}\n{"file": "b.jpg"}\ngibberish\n'}
    )
    found = read(tmp_path, source(facts="facts.jsonl"))
    assert (found["a.jpg"], found["facts.jsonl:3"]) == (Reason.BAD_FACTS, Reason.BAD_FACTS)
    assert isinstance(found["b.jpg"], Scene)
    stray = next(item for item in listed(tmp_path, source(facts="facts.jsonl")) if item.refused)
    assert "line 3: it is no JSON" in stray.detail


def test_folders_name_classes(tmp_path: Path) -> None:
    write(tmp_path, {f"f/{name}": JPEG for name in ("AnnualCrop/1.jpg", "in/Old/2.jpg", "top.jpg")})
    found = read(tmp_path, source(classes=True, class_names={"Old": "ancient forest"}))
    labels = {key: [label.name for label in s.labels] for key, s in found.items() if isinstance(s, Scene)}
    assert labels == {"AnnualCrop/1.jpg": ["annual crop"], "in/Old/2.jpg": ["ancient forest"], "top.jpg": []}
    assert all(not scene.labels for scene in read(tmp_path, source()).values() if isinstance(scene, Scene))


def test_an_archive_is_no_class() -> None:
    assert find_class("shards/a.tar/x.jpg", {}) is None
    assert find_class("shards/a.tar/SeaLake/x.jpg", {}) == "sea lake"


def packed(root: Path, files: dict[str, bytes]) -> None:
    with (
        tarfile.open(root / "a.tar", "w") as tar,
        zipfile.ZipFile(root / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
            archive.writestr(name, data)


@pytest.mark.parametrize("name", ["a.tar", "a.zip"])
def test_pictures_straight_out_of_an_archive(tmp_path: Path, name: str) -> None:
    packed(
        tmp_path, {"SeaLake/1.jpg": JPEG, "SeaLake/2.png": encode_png(RGB), "read.me": b"x", "3.jpg": b"no"}
    )
    found = read(tmp_path, source(name, classes=True))
    assert found.pop("3.jpg") is Reason.NOT_AN_IMAGE
    scenes = [scene for scene in found.values() if isinstance(scene, Scene)]
    assert [scene.source_key for scene in scenes] == ["SeaLake/1.jpg", "SeaLake/2.png"]
    assert {label.name for scene in scenes for label in scene.labels} == {"sea lake"}
    assert all(band.within is not None for scene in scenes for band in scene.bands)
    assert scenes[0].id == make_id("scene", "pics", "SeaLake/1.jpg", scenes_print(JPEG), "rgb", None, "1,2,3")


def scenes_print(data: bytes) -> str:
    from earthloom.core.ids import fingerprint_bytes

    return fingerprint_bytes(data)


def test_archives_in_a_folder_stand_before_their_members(tmp_path: Path) -> None:
    packed(tmp_path, {"1.jpg": JPEG})
    write(tmp_path, {"b/2.jpg": JPEG, "c.tar.gz": b"x"})
    items = {item.key: item.refused for item in listed(tmp_path, source("."))}
    assert items == {"a.tar/1.jpg": None, "a.zip/1.jpg": None, "b/2.jpg": None, "c.tar.gz": Reason.UNREADABLE}


def test_a_compressed_tar_as_a_source_is_a_wrong_call(tmp_path: Path) -> None:
    write(tmp_path, {"c.tar.gz": b"x"})
    with pytest.raises(UsageError, match="Decompress"):
        listed(tmp_path, source("c.tar.gz"))


def test_a_source_with_no_picture_is_a_wrong_call(tmp_path: Path) -> None:
    write(tmp_path, {"f/a.txt": b"x"})
    with pytest.raises(UsageError, match="no pictures"):
        listed(tmp_path, source())


def test_limit_and_skip(tmp_path: Path) -> None:
    write(tmp_path, {f"f/{kind}{i:02d}.jpg": JPEG for i in range(30) for kind in "ab"})
    keys = [item.key for item in listed(tmp_path, source(limit=10, skip=r"^b"))]
    assert len(keys) == 10
    assert keys == sorted(keys)
    assert all(key.startswith("a") for key in keys)


@pytest.mark.parametrize(
    ("picture", "bands", "alpha", "dtype", "quantity"),
    [
        (RGB[:, :, 0], (1, 1, 1), None, "uint8", Quantity.DISPLAY),
        (RGB, (1, 2, 3), None, "uint8", Quantity.DISPLAY),
        (np.dstack([RGB, RGB[:, :, 0]]), (1, 2, 3), 4, "uint8", Quantity.DISPLAY),
        (RGB[:, :, 0].astype(np.uint16) * 200, (1, 1, 1), None, "uint16", Quantity.COUNTS),
        (RGB.astype(np.uint16) * 200, (1, 2, 3), None, "uint16", Quantity.COUNTS),
    ],
    ids=["gray", "rgb", "rgba", "gray 16", "rgb 16"],
)
def test_channels_of_an_rgb_scene(
    tmp_path: Path,
    picture: np.ndarray,
    bands: tuple[int, ...],
    alpha: int | None,
    dtype: str,
    quantity: Quantity,
) -> None:
    scene = read_one(tmp_path, encode_png(picture))
    assert tuple(band.index for band in scene.bands) == bands
    assert (scene.alpha.index if scene.alpha else None) == alpha
    assert (scene.dtype, scene.quantity) == (dtype, quantity)


def test_gray_with_alpha(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(RGB).convert("LA").save(buffer, "PNG")
    scene = read_one(tmp_path, buffer.getvalue())
    assert [band.index for band in scene.bands] == [1, 1, 1]
    assert scene.alpha is not None
    assert scene.alpha.index == 2


@pytest.mark.parametrize("modality", ["nir", "sar"])
@pytest.mark.parametrize("picture", [RGB[:, :, 0], RGB], ids=["gray", "rgb"])
def test_nir_and_sar_take_the_first_channel(tmp_path: Path, modality: str, picture: np.ndarray) -> None:
    polarisation = {"polarisation": "VV"} if modality == "sar" else {}
    scene = read_one(tmp_path, encode_png(picture), modality=modality, **polarisation)
    assert (scene.modality, [band.index for band in scene.bands]) == (Modality(modality), [1])
    assert scene.polarisation == (polarisation.get("polarisation"))


def test_a_stated_quantity_holds_for_16_bits_too(tmp_path: Path) -> None:
    picture = encode_png(RGB[:, :, 0].astype(np.uint16))
    assert read_one(tmp_path, picture, modality="sar", quantity="amplitude").quantity is Quantity.AMPLITUDE


def test_pairs_across_sources_share_group_and_pair_key(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"s1/x_s1_7.png": encode_png(RGB[:, :, 0]), "s2/x_s2_7.png": encode_png(RGB), "s2/other.png": JPEG},
    )
    shared = {"dataset": "SEN1-2", "pair": r"_s[12]_(\d+)"}
    sar = read(tmp_path, source("s1", name="a", modality="sar", **shared))["x_s1_7.png"]
    rgb = read(tmp_path, source("s2", name="b", **shared))
    assert isinstance(sar, Scene)
    match, other = rgb["x_s2_7.png"], rgb["other.png"]
    assert isinstance(match, Scene)
    assert isinstance(other, Scene)
    assert sar.pair_key == match.pair_key == sar.group == match.group == "SEN1-2:7"
    assert (other.group, other.pair_key) == ("b:other.png", other.item_id)


def test_group_outranks_pair(tmp_path: Path) -> None:
    scene = read_one(tmp_path, JPEG, "town_7.jpg", pair=r"_(\d)", group=r"^(\w+)_")
    assert (scene.group, scene.pair_key) == ("pics:town", "pics:7")


def animated() -> bytes:
    buffer = io.BytesIO()
    frames = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.jpg", b"", Reason.EMPTY),
        ("page.jpg", b"<html><body>404 Not Found", Reason.NOT_AN_IMAGE),
        ("text.tif", b"hello", Reason.NOT_AN_IMAGE),
        ("cut.jpg", JPEG[:100], Reason.UNREADABLE),
        ("cut.png", encode_png(RGB)[:30], Reason.UNREADABLE),
        ("moving.png", animated(), Reason.ANIMATED),
    ],
)
def test_bad_pictures_are_refused_and_the_rest_is_read(
    tmp_path: Path, name: str, data: bytes, reason: Reason
) -> None:
    write(tmp_path, {f"f/{name}": data, "f/good.jpg": JPEG})
    found = read(tmp_path, source())
    assert found[name] is reason
    assert isinstance(found["good.jpg"], Scene)


@pytest.mark.parametrize(("name", "data"), [("png.jpg", encode_png(RGB)), ("jpg.bmp", JPEG)])
def test_the_content_decides_not_the_suffix(tmp_path: Path, name: str, data: bytes) -> None:
    assert read_one(tmp_path, data, name).width == 30


def test_cmyk_and_palettes_are_rgb(tmp_path: Path) -> None:
    for name, mode in (("a.jpg", "CMYK"), ("a.png", "P")):
        buffer = io.BytesIO()
        Image.fromarray(RGB).convert(mode).save(buffer, "JPEG" if mode == "CMYK" else "PNG")
        scene = read_one(tmp_path / mode, buffer.getvalue(), name)
        assert [band.index for band in scene.bands] == [1, 2, 3]
        assert scene.alpha is None


def test_one_pixel_is_a_scene_for_tile_to_judge(tmp_path: Path) -> None:
    scene = read_one(tmp_path, encode_png(RGB[:1, :1]))
    assert (scene.width, scene.height) == (1, 1)


def test_a_file_that_vanished_or_closed_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"f/a.jpg": JPEG})
    (item,) = listed(tmp_path, source())
    (tmp_path / "f/a.jpg").unlink()
    with pytest.raises(RecordError, match="missing"):
        read_item(source(), item, tmp_path, tmp_path)


def test_refused_items_raise_their_reason(tmp_path: Path) -> None:
    item = Item(key="x", parts=(), refused=Reason.UNSAFE_PATH, detail="why")
    with pytest.raises(RecordError, match="unsafe_path: why"):
        read_item(source(), item, tmp_path, tmp_path)


def test_messages_hold_no_absolute_path(tmp_path: Path) -> None:
    write(tmp_path, {"f/a.jpg": JPEG, "f/b.jpg": b"x"})
    items = listed(tmp_path, source())
    os.truncate(tmp_path / "f/a.jpg", 0)
    (tmp_path / "f/b.jpg").unlink()
    for item in items:
        with pytest.raises(RecordError) as caught:
            read_item(source(), item, tmp_path, tmp_path)
        assert str(tmp_path) not in caught.value.detail
