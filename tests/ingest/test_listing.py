"""Walking files, folders and globs: against os.walk and glob, with every kind of odd name and link."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.core.errors import UsageError
from earthloom.core.records import Item, Part, Reason
from earthloom.ingest.listing import choose, list_files, locate

ODD_NAMES = [
    "a b.jpg",
    "line\nbreak.jpg",
    "Ünïcödé – 测试.jpg",
    "'quotes\".jpg",
    "100%.jpg",
    "*.jpg",
    "a[1].jpg",
]


def is_jpg(name: str) -> bool:
    return name.endswith(".jpg")


def listing(path: str | Path, root: Path) -> list[Item]:
    return list(list_files(locate(str(path), root), is_jpg))


def keys(path: str | Path, root: Path) -> list[str]:
    return [item.key for item in listing(path, root)]


def make_files(top: Path, names: list[str]) -> None:
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(name.encode())


TREE = [
    "b.jpg",
    "a/x.jpg",
    "a/b/y.jpg",
    "a.b/z.jpg",
    "a-1.jpg",
    "c.txt",
    ".hidden.jpg",
    ".git/w.jpg",
    "a/.v.jpg",
]


def test_a_folder_is_walked_in_the_order_of_its_keys(tmp_path: Path) -> None:
    make_files(tmp_path / "top", TREE)
    found = keys("top", tmp_path)
    assert found == sorted(found)
    walked = {
        str(Path(folder, name).relative_to(tmp_path / "top"))
        for folder, _, names in os.walk(tmp_path / "top")
        for name in names
    }
    assert set(found) == {name for name in walked if is_jpg(name) and "/." not in f"/{name}"}


def test_items_carry_where_size_and_time(tmp_path: Path) -> None:
    make_files(tmp_path, ["f/a.jpg"])
    path = tmp_path / "f/a.jpg"
    os.utime(path, ns=(1, 1_600_000_000_123_456_789))
    assert listing("f", tmp_path) == [
        Item(key="a.jpg", parts=(Part(uri=str(path), size=7, mtime_ns=1_600_000_000_123_456_789),))
    ]


@pytest.mark.parametrize(
    "pattern",
    ["*.jpg", "**/*.jpg", "a/**/*.jpg", "**/b/*.jpg", "a*/*.jpg", "a/?.jpg", "[ab].jpg", "**/x.jpg"],
)
def test_globs_find_what_pythons_glob_finds(tmp_path: Path, pattern: str) -> None:
    make_files(tmp_path, TREE)
    globbed = (str(path.relative_to(tmp_path)) for path in tmp_path.glob(pattern))
    wanted = {name for name in globbed if is_jpg(name) and "/." not in f"/{name}"}
    found = {str(Path(item.parts[0].uri).relative_to(tmp_path)) for item in listing(pattern, tmp_path)}
    assert found == wanted
    assert found


def test_a_glob_that_matches_folders_walks_them_whole(tmp_path: Path) -> None:
    make_files(tmp_path, ["s1/a/x.jpg", "s2/y.jpg", "t/z.jpg", "s3.jpg"])
    assert keys("s*", tmp_path) == ["s1/a/x.jpg", "s2/y.jpg", "s3.jpg"]
    assert keys("**", tmp_path) == ["s1/a/x.jpg", "s2/y.jpg", "s3.jpg", "t/z.jpg"]


def test_keys_of_a_glob_start_at_its_first_wildcard(tmp_path: Path) -> None:
    make_files(tmp_path, ["top/in/a.jpg", "top/in/deep/b.jpg"])
    assert keys("top/in/*.jpg", tmp_path) == ["a.jpg"]
    assert keys("top/*/*.jpg", tmp_path) == ["in/a.jpg"]
    assert keys(tmp_path / "top/**/*.jpg", Path("/nowhere")) == ["in/a.jpg", "in/deep/b.jpg"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_names(tmp_path: Path, name: str) -> None:
    make_files(tmp_path / "f", [name])
    (item,) = listing("f", tmp_path)
    assert item.key == name
    assert Path(item.parts[0].uri).read_bytes() == name.encode()
    (alone,) = listing(f"f/{name}", tmp_path)
    assert alone == item


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    make_files(tmp_path, ["a.jpg"])
    (tmp_path / "a.jpg").rename(tmp_path / os.fsdecode(b"caf\xe9.jpg"))
    (item,) = listing(".", tmp_path)
    assert (item.key, item.refused) == ("caf\\xe9.jpg", Reason.UNREADABLE)


@given(st.lists(st.lists(st.sampled_from("ab.-0"), min_size=1, max_size=3).map("".join), max_size=6))
def test_any_tree_is_sorted_by_key_and_complete(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        wanted = []
        for name in {name for name in names if not name.startswith(".")}:
            for key in (f"{name}.jpg", f"{name}/{name}.jpg"):
                make_files(top, [key])
                wanted.append(key)
        assert keys(".", top) == sorted(wanted)


def test_links_to_files_and_folders_are_followed(tmp_path: Path) -> None:
    make_files(tmp_path, ["real/a.jpg", "other/b.jpg"])
    (tmp_path / "real/link.jpg").symlink_to("../other/b.jpg")
    (tmp_path / "real/sub").symlink_to("../other")
    assert keys("real", tmp_path) == ["a.jpg", "link.jpg", "sub/b.jpg"]


def test_links_that_loop_are_refused_and_the_walk_ends(tmp_path: Path) -> None:
    make_files(tmp_path, ["a/x.jpg", "b/y.jpg"])
    (tmp_path / "a/up").symlink_to("..")
    (tmp_path / "a/self").symlink_to("self")
    (tmp_path / "a/beside").symlink_to("../b")
    (tmp_path / "b/back").symlink_to("../a")
    refused = {item.key: item.refused for item in listing(".", tmp_path) if item.refused}
    assert set(refused.values()) == {Reason.UNSAFE_PATH}
    assert {"a/up", "a/self", "a/beside/back", "b/back/beside"} <= refused.keys()
    assert [item.key for item in listing(".", tmp_path) if not item.refused] == [
        "a/beside/y.jpg", "a/x.jpg", "b/back/x.jpg", "b/y.jpg",
    ]  # fmt: skip


def test_a_dangling_link_is_missing(tmp_path: Path) -> None:
    make_files(tmp_path, ["f/a.jpg"])
    (tmp_path / "f/gone.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "f/gone.txt").symlink_to("nowhere.txt")
    assert [(item.key, item.refused) for item in listing("f", tmp_path)] == [
        ("a.jpg", None),
        ("gone.jpg", Reason.MISSING),
    ]


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert [item.refused for item in listing(".", tmp_path)] == [Reason.UNREADABLE]


def test_a_closed_folder_costs_only_itself(as_nobody: Callable[[], AbstractContextManager[None]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        top.chmod(0o755)
        make_files(top, ["a.jpg", "closed/b.jpg", "open/c.jpg"])
        (top / "closed").chmod(0)
        with as_nobody():
            found = {item.key: item.refused for item in listing(".", top)}
        (top / "closed").chmod(0o755)
    assert found == {"a.jpg": None, "closed": Reason.NO_PERMISSION, "open/c.jpg": None}


def test_a_closed_source_is_a_wrong_call(as_nobody: Callable[[], AbstractContextManager[None]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        top.chmod(0o755)
        make_files(top, ["closed/in/b.jpg"])
        (top / "closed").chmod(0)
        with as_nobody():
            for path in ("closed", "closed/in", "closed/*.jpg"):
                with pytest.raises(UsageError, match="ermission"):
                    listing(path, top)
        (top / "closed").chmod(0o755)


@pytest.mark.parametrize("path", ["none", "none/*.jpg", "a.jpg/b", "none.jpg"])
def test_a_source_that_is_not_there_is_a_wrong_call(tmp_path: Path, path: str) -> None:
    make_files(tmp_path, ["a.jpg"])
    with pytest.raises(UsageError, match="nothing there"):
        listing(path, tmp_path)


def test_very_deep_folders_do_not_exhaust_the_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    depth = 1050
    monkeypatch.chdir(tmp_path)
    for _ in range(depth):
        Path("d").mkdir()
        os.chdir("d")
    Path("x.jpg").touch()
    assert keys(".", tmp_path) == ["d/" * depth + "x.jpg"]
    Path("x.jpg").unlink()
    for _ in range(depth):  # what pytest uses to clean up is recursive
        os.chdir("..")
        Path("d").rmdir()


def items(n: int) -> list[Item]:
    return [Item(key=f"{i:05d}.jpg", parts=()) for i in range(n)]


def test_a_limit_is_a_stable_spread_sample_in_order() -> None:
    chosen = [item.key for item in choose(iter(items(1000)), None, 100)]
    assert len(chosen) == 100
    assert chosen == sorted(chosen)
    thirds = [sum(int(key[:5]) // 334 == third for key in chosen) for third in range(3)]
    assert min(thirds) > 15
    assert chosen == [item.key for item in choose(iter(items(1000)), None, 100)]


def test_a_sample_does_not_depend_on_order_and_nests() -> None:
    forward = {item.key for item in choose(items(500), None, 50)}
    backward = {item.key for item in choose(items(500)[::-1], None, 50)}
    assert forward == backward
    assert {item.key for item in choose(items(500), None, 20)} < forward
    assert len(forward & {item.key for item in choose(items(550), None, 50)}) > 35


def test_a_limit_beyond_the_source_takes_all() -> None:
    assert list(choose(items(5), None, 10)) == items(5)


def test_skipped_items_do_not_count_towards_the_limit() -> None:
    chosen = [item.key for item in choose(items(20), r"^0000", 10)]
    assert chosen == [f"{i:05d}.jpg" for i in range(10, 20)]
