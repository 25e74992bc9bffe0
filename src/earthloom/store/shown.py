"""One picture of a folder or of a release: where it lies, what is known of it, and its pixels as they are displayed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from earthloom.core.errors import RecordError
from earthloom.core.images import decode_image, to_rgb
from earthloom.core.light import Light, to_display, to_light
from earthloom.core.records import ByteRange, Effect, Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One selected picture: where it lies and what is known of it."""

    key: str
    """Id of the pair; path below the folder for a file."""
    base_key: str
    """Id of the pair that it is a variant of; its own key where it is none."""
    group: str
    """What must never be split; the key of a file."""
    path: Path
    within: ByteRange | None = None
    """Where in a tar."""
    row: tuple[int, int] | None = None
    """Row group of a Parquet file and row in it."""
    source: str | None = None
    gsd_m: float | None = None
    split: str | None = None
    effect: Effect | None = None
    is_linear: bool = False
    """True where stored values are linear in light, as those of stretched counts are; False for sRGB and for radar."""

    def show(self) -> npt.NDArray[np.uint8]:
        """The picture as it is displayed, whatever its stored values mean: H x W x 3, 8-bit sRGB.

        Raises `RecordError` as `read` does, and where the file cannot be read any more.
        """
        try:
            return decode_display(self.read_bytes(), is_linear=self.is_linear)
        except FileNotFoundError as error:
            raise RecordError(Reason.MISSING, "the file was there when pictures were listed") from error
        except PermissionError as error:
            raise RecordError(Reason.NO_PERMISSION, "the system does not let us read the file") from error
        except OSError as error:
            raise RecordError(Reason.UNREADABLE, f"the system says {error}") from error

    def read_light(self) -> Light:
        """Decode the picture to linear light: H x W x 3, 0 to 1. Raises `RecordError` as `read` does."""
        picture = self.read()
        return _scale_light(picture) if self.is_linear else to_light(picture)

    def read(self) -> npt.NDArray[np.uint8]:
        """Decode the picture: H x W x 3 (gray repeated, alpha dropped), 8 bits. Raises `RecordError` as the decoder."""
        return to_rgb(decode_image(self.read_bytes()))

    def read_bytes(self) -> bytes:
        """The encoded picture."""
        if self.row is not None:
            group, row = self.row
            column = _read_group(self.path, self.path.stat().st_mtime_ns, group)
            return bytes(column[row].as_py())
        if self.within is not None:
            with self.path.open("rb") as file:
                file.seek(self.within.offset)
                return file.read(self.within.size)
        return self.path.read_bytes()


def decode_display(data: bytes, *, is_linear: bool, at_least: int = 0) -> npt.NDArray[np.uint8]:
    """Decode a picture as it is displayed: H x W x 3, 8-bit sRGB; `at_least` as `decode_image` has it.

    is_linear: stored values are linear in light. Raises `RecordError` as `decode_image` does.
    """
    picture = to_rgb(decode_image(data, at_least))
    return to_display(_scale_light(picture)) if is_linear else picture


def _scale_light(picture: npt.NDArray[np.uint8]) -> Light:
    return np.asarray(picture / np.float32(255), np.float32)


@lru_cache(maxsize=4)
def _read_group(path: Path, _mtime_ns: int, group: int) -> pa.ChunkedArray:
    """The pictures of one row group; a few are kept, since neighbours are mostly read together."""
    with pq.ParquetFile(path) as file:
        table = file.read_row_group(group, columns=["image.bytes"], use_threads=False)
    return table.flatten().column(0)
