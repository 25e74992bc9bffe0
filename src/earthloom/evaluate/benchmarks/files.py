"""The pictures below a folder and in its tars, by their names; nothing is unpacked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import ByteRange
from earthloom.store.selection import PICTURES
from earthloom.store.shown import Shown
from earthloom.store.tar_members import list_members

_PACKED = (".zip", ".rar", ".7z", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureFile:
    """One picture, in a folder or in a tar."""

    key: str
    """Path below the folder, or name in the tar."""
    path: Path
    within: ByteRange | None = None

    @property
    def name(self) -> str:
        """Of the file."""
        return PurePosixPath(self.key).name

    @property
    def folder(self) -> str:
        """Name of the folder that it lies in; empty at the top."""
        return PurePosixPath(self.key).parent.name

    def show(self, *, split: str | None = None, source: str | None = None) -> Shown:
        """What reads the picture."""
        return Shown(
            key=self.key,
            base_key=self.key,
            group=self.key,
            path=self.path,
            within=self.within,
            split=split,
            source=source,
        )


def list_pictures(place: Path, endings: tuple[str, ...] = ()) -> list[PictureFile]:
    """List the pictures of a folder and all below it, or of a tar; of the tars in a folder without pictures.

    Args:
        place: a folder or a tar.
        endings: of files that count, lower case; empty for all that can be read.

    Returns:
        In the order of their keys; hidden files, such as macOS lays beside others, are none of them.

    Raises:
        UsageError: it is not there, a tar is cut short or broken, or it is an archive of another kind.

    """
    if place.is_file():
        found = list(_list_tar(place))
    elif place.is_dir():
        found = list(_list_folder(place)) or [
            picture for tar in sorted(place.glob("*.tar")) for picture in _list_tar(tar)
        ]
    else:
        raise UsageError(f"There is no folder or tar {str(place)!r}.")
    wanted = frozenset(endings) or PICTURES
    chosen = (picture for picture in found if PurePosixPath(picture.key).suffix.lower() in wanted)
    return sorted(chosen, key=lambda picture: picture.key)


def _list_folder(root: Path) -> Iterator[PictureFile]:
    for path in root.rglob("*"):
        key = path.relative_to(root).as_posix()
        if _is_picture(key) and path.is_file():
            yield PictureFile(key=key, path=path)


def _list_tar(path: Path) -> Iterator[PictureFile]:
    if path.name.lower().endswith(_PACKED):
        raise UsageError(f"{path} is a packed archive: unpack it, and give the folder or a plain .tar.")
    try:
        members, error = list_members(path)
        if error is not None:
            raise error
    except RecordError as error:
        raise UsageError(f"{path} cannot be read as a tar of pictures: {error.detail}.") from error
    for member in members:
        if _is_picture(member.name):
            place = ByteRange(offset=member.offset, size=member.size)
            yield PictureFile(key=member.name.removeprefix("./"), path=path, within=place)


def _is_picture(key: str) -> bool:
    parts = PurePosixPath(key).parts
    is_hidden = any(part.startswith((".", "__MACOSX")) for part in parts if part not in {".", ".."})
    return not is_hidden and PurePosixPath(key).suffix.lower() in PICTURES
