"""The atlas as a source: what is listed, what is written, what the scenes say; against rasterio and pyproj."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from pydantic import ValidationError
from pyproj import Geod, Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info

from earthloom.core.errors import RecordError, WriteError
from earthloom.core.records import Item, Modality, Origin, Quantity, Reason, Scene
from earthloom.ingest import list_items, read_item
from earthloom.ingest.config import AtlasSettings

ROOT = Path()
GEOD = Geod(ellps="WGS84")


def make_settings(**fields: object) -> AtlasSettings:
    return AtlasSettings.model_validate(
        {"kind": "atlas", "name": "atlas", "scenes": 4, "size": 160, **fields}
    )


def read(settings: AtlasSettings, assets: Path, number: int = 0) -> list[Scene]:
    return read_item(settings, list(list_items(settings, ROOT))[number], ROOT, assets)


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("assets")


@pytest.fixture(scope="module")
def scenes(assets: Path) -> dict[Modality, Scene]:
    return {scene.modality: scene for scene in read(make_settings(), assets, 3)}


class TestListing:
    def test_items_are_numbered_and_have_no_files(self) -> None:
        items = list(list_items(make_settings(scenes=3, seed=5), ROOT))
        assert [item.key for item in items] == [f"seed-5/scene-00000{k}" for k in range(3)]
        assert all(item.refused is None for item in items)

    def test_a_landscape_is_the_same_however_many_are_asked_for(self, tmp_path: Path) -> None:
        few, many = make_settings(scenes=3), make_settings(scenes=500)
        assert list(list_items(few, ROOT)) == list(list_items(many, ROOT))[:3]
        first = [read(few, tmp_path / "few", k) for k in (0, 2)]
        second = [read(many, tmp_path / "many", k) for k in (2, 0)][::-1]
        assert [[s.id for s in group] for group in first] == [[s.id for s in group] for group in second]
        assert digests(tmp_path / "few") == digests(tmp_path / "many")

    def test_a_limit_takes_some(self) -> None:
        everything = list(list_items(make_settings(scenes=50), ROOT))
        some = list(list_items(make_settings(scenes=50, limit=7), ROOT))
        assert len(some) == 7
        assert set(some) < set(everything)
        assert [everything.index(item) for item in some] == sorted(everything.index(item) for item in some)

    def test_listing_a_million_is_lazy(self) -> None:
        assert next(iter(list_items(make_settings(scenes=1_000_000), ROOT))).key == "seed-0/scene-000000"

    @pytest.mark.parametrize("key", ["scene-000001", "seed-0/scene-1", "seed-0/scene-000001/", "../x", ""])
    def test_an_unknown_key_is_refused(self, key: str, tmp_path: Path) -> None:
        with pytest.raises(RecordError) as caught:
            read_item(make_settings(), Item(key=key, parts=()), ROOT, tmp_path)
        assert caught.value.reason is Reason.MISSING


class TestDeterminism:
    def test_two_calls_write_the_same_bytes(self, tmp_path: Path) -> None:
        first = read(make_settings(), tmp_path / "a")
        second = read(make_settings(), tmp_path / "b")
        assert digests(tmp_path / "a") == digests(tmp_path / "b")
        assert [s.id for s in first] == [s.id for s in second]

    def test_processes_with_other_instructions_write_the_same_bytes(self, tmp_path: Path) -> None:
        read(make_settings(), tmp_path / "here")
        code = (
            "from pathlib import Path\n"
            "from earthloom.ingest import list_items, read_item\n"
            "from earthloom.ingest.config import AtlasSettings\n"
            "settings = AtlasSettings(kind='atlas', name='atlas', scenes=4, size=160)\n"
            f"read_item(settings, next(list_items(settings, Path())), Path(), Path({str(tmp_path / 'there')!r}))\n"
        )
        plain = {"NPY_DISABLE_CPU_FEATURES": _advanced_features(), "PYTHONHASHSEED": "7"}
        subprocess.run(
            [sys.executable, "-c", code], check=True, env=os.environ | plain, stderr=subprocess.DEVNULL
        )
        assert digests(tmp_path / "here") == digests(tmp_path / "there")

    def test_what_is_there_is_not_made_again(self, tmp_path: Path) -> None:
        first = read(make_settings(), tmp_path)
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.tif")}
        assert read(make_settings(), tmp_path) == first
        assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.tif")} == before

    def test_what_a_killed_run_left_out_is_made_again(self, tmp_path: Path) -> None:
        read(make_settings(), tmp_path)
        before = digests(tmp_path)
        next(tmp_path.rglob("nir.tif")).unlink()
        read(make_settings(), tmp_path)
        assert digests(tmp_path) == before

    @pytest.mark.parametrize("change", [{"seed": 1}, {"size": 161}, {"gsd_m": 2.5}])
    def test_other_settings_make_other_landscapes(self, change: dict[str, object], tmp_path: Path) -> None:
        one, other = read(make_settings(), tmp_path), read(make_settings(**change), tmp_path)
        assert not {s.id for s in one} & {s.id for s in other}
        assert len(digests(tmp_path)) == 8

    def test_looks_change_the_radar_alone(self, tmp_path: Path) -> None:
        four, nine = ({s.modality: s for s in read(make_settings(looks=looks), tmp_path)} for looks in (4, 9))
        same = {m for m in Modality if four[m].id == nine[m].id}
        assert same == {Modality.RGB, Modality.NIR}
        assert sorted(path.name for path in tmp_path.rglob("*.tif")) == [
            "cover.tif",
            "nir.tif",
            "rgb.tif",
            "sar-4.tif",
            "sar-9.tif",
        ]


def _advanced_features() -> str:
    """Instruction sets beyond AVX2 that NumPy would use here: disabled, it takes other code for exp, log and sin."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return " ".join(name for name in __cpu_dispatch__ if __cpu_features__.get(name) and name != "X86_V3")


class TestRecords:
    def test_each_modality_says_what_it_is(self, scenes: dict[Modality, Scene]) -> None:
        assert {m: (s.quantity, s.dtype, len(s.bands)) for m, s in scenes.items()} == {
            Modality.RGB: (Quantity.DISPLAY, "uint8", 3),
            Modality.NIR: (Quantity.DISPLAY, "uint8", 1),
            Modality.SAR: (Quantity.DB, "float32", 1),
        }
        assert {m: (s.polarisation, s.looks) for m, s in scenes.items()} == {
            Modality.RGB: (None, None),
            Modality.NIR: (None, None),
            Modality.SAR: ("VV", 4.0),
        }

    def test_scenes_say_that_they_are_synthetic(self, scenes: dict[Modality, Scene]) -> None:
        for scene in scenes.values():
            assert scene.synthetic
            assert "synthetic" in (scene.platform or "")
            assert "synthetic" in scene.dataset
            assert scene.place is None
            assert {p.origin for p in scene.provenance} == {Origin.SYNTHETIC.value}
            assert {label.origin for label in scene.labels} == {Origin.SYNTHETIC.value}
            known = {p.fact for p in scene.provenance}
            assert {
                "acquired",
                "lon",
                "lat",
                "gsd_x_m",
                "footprint",
                "platform",
                "licence",
                "credit",
            } <= known

    def test_scenes_of_one_landscape_belong_together(self, scenes: dict[Modality, Scene]) -> None:
        assert len({s.id for s in scenes.values()}) == 3
        assert len({(s.item_id, s.group, s.pair_key, s.crs, s.transform) for s in scenes.values()}) == 1
        one = scenes[Modality.RGB]
        assert one.group == "atlas:seed-0/scene-000003"
        assert one.pair_key == one.item_id

    def test_the_recipe_has_the_last_word(self, tmp_path: Path) -> None:
        scene = read(make_settings(credit="me", date="2001", modalities=["nir"]), tmp_path)[0]
        origins = {p.fact: p.origin for p in scene.provenance}
        assert (scene.credit, origins["credit"]) == ("me", "recipe")
        assert (scene.acquired, origins["acquired"]) == ("2001", "recipe")
        assert origins["platform"] == "synthetic"

    @pytest.mark.parametrize("wanted", [["sar"], ["nir", "rgb"], ["rgb", "nir", "sar"]])
    def test_only_the_modalities_asked_for_are_made(self, wanted: list[str], tmp_path: Path) -> None:
        made = read(make_settings(modalities=wanted), tmp_path)
        assert [scene.modality.value for scene in made] == wanted
        names = {path.stem.split("-")[0] for path in tmp_path.rglob("*.tif")}
        assert names == {*wanted, "cover"}

    @pytest.mark.parametrize(
        "fault",
        [{"modalities": []}, {"modalities": ["rgb", "rgb"]}, {"size": 8192, "gsd_m": 100}, {"looks": 0}],
    )
    def test_settings_that_cannot_be_are_faults(self, fault: dict[str, object]) -> None:
        with pytest.raises(ValidationError):
            make_settings(**fault)

    def test_a_folder_that_cannot_be_written_is_a_write_error(self, tmp_path: Path) -> None:
        blocked = tmp_path / "file"
        blocked.write_text("")
        with pytest.raises(WriteError):
            read(make_settings(), blocked)


class TestFiles:
    def test_rasterio_reads_what_the_record_says(self, scenes: dict[Modality, Scene]) -> None:
        for scene in scenes.values():
            with rasterio.open(scene.bands[0].uri) as dataset:
                assert (dataset.width, dataset.height) == (scene.width, scene.height) == (160, 160)
                assert dataset.crs.to_string() == scene.crs
                assert tuple(dataset.transform)[:6] == scene.transform
                assert set(dataset.dtypes) == {scene.dtype}
                assert dataset.count == len(scene.bands)
                assert set(dataset.block_shapes) == {(160, 160)}
                assert dataset.nodata is None
                assert "exists nowhere" in dataset.tags()["TIFFTAG_IMAGEDESCRIPTION"]

    def test_the_grid_lies_where_the_record_says(self, scenes: dict[Modality, Scene]) -> None:
        scene = scenes[Modality.RGB]
        assert scene.transform is not None
        assert scene.footprint is not None
        assert scene.gsd_x_m is not None
        a, _, left, _, e, top = scene.transform
        to_degrees = Transformer.from_crs(scene.crs, "EPSG:4326", always_xy=True)
        lon, lat = to_degrees.transform(left + 80 * a, top + 80 * e)
        assert (scene.lon, scene.lat) == pytest.approx((lon, lat), abs=1e-8)
        corners = [
            to_degrees.transform(left + c * a, top + r * e)
            for c, r in ((0, 0), (0, 160), (160, 160), (160, 0))
        ]
        outline = shapely.from_wkb(scene.footprint)
        assert shapely.hausdorff_distance(outline, shapely.Polygon(corners)) < 1e-7
        side = GEOD.inv(*corners[0], *corners[3])[2]
        assert scene.gsd_x_m == pytest.approx(side / 160, rel=1e-4)
        assert scene.gsd_x_m == pytest.approx(2.0, rel=0.001)

    @pytest.mark.parametrize("number", range(8))
    def test_the_crs_is_the_utm_zone_of_the_place(self, number: int, tmp_path: Path) -> None:
        scene = read(make_settings(scenes=8, size=64, modalities=["nir"]), tmp_path, number)[0]
        assert scene.lon is not None
        assert scene.lat is not None
        area = AreaOfInterest(scene.lon, scene.lat, scene.lon, scene.lat)
        zones = {f"EPSG:{info.code}" for info in query_utm_crs_info("WGS 84", area)}
        assert scene.crs in zones

    def test_labels_are_the_shares_of_the_mask(self, scenes: dict[Modality, Scene]) -> None:
        scene = scenes[Modality.SAR]
        assert scene.mask is not None
        with rasterio.open(scene.mask.band.uri) as dataset:
            mask = dataset.read(scene.mask.band.index)
        names = {entry.value: entry.name for entry in scene.mask.legend}
        assert set(np.unique(mask)) <= set(names)
        shares = {label.name: label.share for label in scene.labels}
        assert shares == {names[v]: pytest.approx((mask == v).mean()) for v in np.unique(mask)}
        assert sum(filter(None, shares.values())) == pytest.approx(1.0)
        assert [label.share for label in scene.labels] == sorted(filter(None, shares.values()), reverse=True)
        assert {label.kind for label in scene.labels} == {"cover"}


def test_places_times_and_archetypes_vary(tmp_path: Path) -> None:
    from earthloom.ingest.atlas.frame import Frame
    from earthloom.ingest.atlas.ground import find_site
    from earthloom.ingest.atlas.site import utm_epsg

    sites = [find_site(Frame(64, 2.0, 0, k)) for k in range(60)]
    assert len({utm_epsg(s.lon, s.lat) for s in sites}) > 20
    assert {s.lat > 0 for s in sites} == {True, False}
    assert len({s.archetype for s in sites[:16]}) >= 7
    assert {s.date.year for s in sites} >= set(range(2015, 2025))
    assert len({s.climate for s in sites}) == 7
