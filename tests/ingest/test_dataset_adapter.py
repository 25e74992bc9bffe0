"""Listing a published dataset: which files belong together, what is missing, what is no part of it."""

from __future__ import annotations

import re
import tarfile
import zipfile
from pathlib import Path

import pytest

from earthloom.core.errors import UsageError
from earthloom.core.records import Item, Reason, Scene
from earthloom.ingest.about import About
from earthloom.ingest.datasets.adapter import (
    Adapter,
    DatasetSettings,
    Place,
    Strays,
    list_dataset,
    part_of,
)

ABOUT = About(
    title="Toy", what="toys", layout=("images/NAME.png", "notes/NAME.xml"), example="", in_archives=True
)
NAME = re.compile(r"(?P<base>(?:.*/)?)(?P<role>images|notes)/(?P<stem>\w+)\.(png|xml)")


def place(settings: DatasetSettings, key: str) -> Place | None:
    match = NAME.fullmatch(key)
    if match is None:
        return None
    base, stem = match["base"], match["stem"]
    return Place(
        item=f"{base}{stem}",
        role={"images": "image", "notes": "note"}[match["role"]],
        files={"image": (f"{base}images/{stem}.png",), "note": (f"{base}notes/{stem}.xml",)},
        carriers=("image",),
        needed=("note",),
        lists=(("train", f"{base}train.txt"), ("test", f"{base}test.txt")),
        name=stem,
    )


def read(settings: DatasetSettings, item: Item) -> list[Scene]:
    return []


TOY = Adapter(about=ABOUT, suffixes=frozenset((".png", ".xml")), place=place, read=read)


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


def list_toys(folder: Path, strays: Strays | None = None, **settings: object) -> list[Item]:
    made = DatasetSettings.model_validate({"path": str(folder), **settings})
    return list(list_dataset(TOY, made, folder.parent, strays))


def show(items: list[Item]) -> list[tuple[str, tuple[str, ...], Reason | None, str]]:
    return [(i.key, tuple(part.role for part in i.parts), i.refused, i.document) for i in items]


def test_files_of_one_item_come_together(tmp_path: Path) -> None:
    write(tmp_path, "images/a.png", "images/b.png", "notes/a.xml", "notes/b.xml")
    items = list_toys(tmp_path)
    assert show(items) == [("a", ("image", "note"), None, ""), ("b", ("image", "note"), None, "")]
    note = part_of(items[0], "note")
    assert note is not None
    assert Path(note.uri) == tmp_path / "notes/a.xml"
    assert note.size == len("notes/a.xml")


def test_halves_are_reported_once_under_the_key_that_is_missing(tmp_path: Path) -> None:
    write(tmp_path, "images/a.png", "notes/b.xml")
    assert show(list_toys(tmp_path)) == [
        ("a", ("image",), None, ""),
        ("notes/a.xml", (), Reason.MISSING, ""),
        ("images/b.png", (), Reason.MISSING, ""),
    ]


def test_the_first_list_that_names_an_item_says_its_split(tmp_path: Path) -> None:
    write(tmp_path, "images/a.png", "images/b.png", "images/c.png")
    (tmp_path / "train.txt").write_text("a 1\nb -1\n", encoding="utf-8-sig")
    (tmp_path / "test.txt").write_text("b\r\nc\r\n")
    found = {item.key: item.document for item in list_toys(tmp_path) if item.refused is None}
    assert found == {"a": "train", "b": "train", "c": "test"}


@pytest.mark.parametrize("suffix", [".zip", ".tar"])
def test_members_of_archives_find_each_other_and_their_lists(tmp_path: Path, suffix: str) -> None:
    folder = tmp_path / "in"
    write(folder, "d/images/a.png", "d/notes/a.xml", "d/images/b.png", "d/test.txt")
    (folder / "d/test.txt").write_text("a\n")
    out = tmp_path / "out"
    out.mkdir()
    if suffix == ".zip":
        with zipfile.ZipFile(out / "d.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*.*")):
                archive.write(path, path.relative_to(folder))
    else:
        with tarfile.open(out / "d.tar", "w") as archive:
            archive.add(folder / "d", "d")
    assert show(list_toys(out)) == [
        (f"d{suffix}/d/a", ("image", "note"), None, "test"),
        (f"d{suffix}/d/b", ("image",), None, ""),
        (f"d{suffix}/d/notes/b.xml", (), Reason.MISSING, ""),
    ]


def test_what_cannot_be_read_in_place_is_reported_with_what_to_do(tmp_path: Path) -> None:
    write(tmp_path, "images/a.png", "notes/a.xml", "more.rar", "more.tar.gz", "rest.zip.part", "p.7z.001")
    refused = {item.key: (item.refused, item.detail) for item in list_toys(tmp_path) if item.refused}
    assert {reason for reason, _ in refused.values()} == {Reason.UNREADABLE}
    assert set(refused) == {"more.rar", "more.tar.gz", "rest.zip.part", "p.7z.001"}
    assert "unpack" in refused["more.rar"][1]
    assert "unfinished" in refused["rest.zip.part"][1]


def test_strays_are_counted(tmp_path: Path) -> None:
    write(tmp_path, "images/a.png", "notes/a.xml", *(f"other/{n}.png" for n in range(7)))
    strays = Strays()
    assert len(list_toys(tmp_path, strays)) == 1
    assert (strays.n, strays.keys) == (7, [f"other/{n}.png" for n in range(5)])


def test_a_wrong_folder_is_an_error_that_says_what_was_looked_for(tmp_path: Path) -> None:
    write(tmp_path / "toys", "images/a.png", "notes/a.xml")
    with pytest.raises(UsageError, match=r"nothing of Toy") as caught:
        list_toys(tmp_path / "toys/images")
    assert "images/NAME.png" in str(caught.value)
    assert str(caught.value).endswith(f"Give the folder above as `path`: {tmp_path / 'toys'}")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="nothing of Toy") as caught:
        list_toys(tmp_path / "empty")
    assert "folder above" not in str(caught.value)


def test_a_limit_takes_whole_items(tmp_path: Path) -> None:
    write(tmp_path, *(f"images/{n}.png" for n in range(20)), *(f"notes/{n}.xml" for n in range(20)))
    items = list_toys(tmp_path, limit=5)
    assert len(items) == 5
    assert all(len(item.parts) == 2 for item in items)
    assert list_toys(tmp_path, skip="^1")[0].key == "0"
