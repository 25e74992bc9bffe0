"""Batches of pictures: crops of one or more sets, drawn so that every step finds the same ones whenever it is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import RecordError, RunError
from earthloom.core.ids import make_id
from earthloom.core.records import Reason
from earthloom.core.seeds import make_rng
from earthloom.store.shown import Shown
from earthloom.train.pictures import Picture, crop_anywhere, crop_middle, scale_shorter, turn
from earthloom.train.samples import to_tensor
from earthloom.train.step import Batch, Share
from earthloom.train.translation.config import CropSettings

_TRIES = 100
"""Pictures that are tried for one crop before training is given up."""


class PictureSet:
    """The pictures of one set, each decoded when it is first drawn; as many as fit are kept in memory.

    In every round each picture comes once, in an order of that round's own. A picture that cannot be used is set aside,
    and another one is drawn in its place.
    """

    def __init__(self, place: str, pictures: Sequence[Shown], crop: CropSettings, seed: int) -> None:
        self.place = place
        self.pictures = pictures
        self.refused: dict[str, str] = {}
        self._crop = crop
        self._seed = seed
        self._kept: dict[int, Picture] = {}
        self._room = crop.memory_mb * 2**20
        self._round = -1
        self._order: npt.NDArray[np.int64] = np.zeros(0, np.int64)

    def draw(self, position: int) -> Picture:
        """Cut the crop at a position, from 0, of the endless row of crops. Raises `RunError` when none can be had."""
        for index in self._candidates(position):
            picture = self._read(index)
            if picture is not None:
                return self._cut(picture, make_rng(self._seed, "crop", self.place, str(position)))
        raise self._give_up()

    def show(self, n: int) -> list[Picture]:
        """Middles of the first `n` usable pictures of a fixed order; fewer where there are fewer."""
        order = make_rng(self._seed, "show", self.place).permutation(len(self.pictures))
        found: list[Picture] = []
        for index in order[: _TRIES + n]:
            picture = self._read(int(index))
            if picture is not None:
                found.append(crop_middle(picture, self._crop.crop))
            if len(found) == n:
                break
        if not found:
            raise self._give_up()
        return found

    def identify(self) -> str:
        """Hash of the pictures' keys and of the sizes of their files, where they have their own."""
        keys: list[str | int] = []
        for shown in self.pictures:
            keys.append(shown.key)
            if shown.row is None and shown.within is None and shown.path.exists():
                keys.append(shown.path.stat().st_size)
        return make_id("pictures", *keys)

    def _candidates(self, position: int) -> Iterator[int]:
        n = len(self.pictures)
        number, place = divmod(position, n)
        if number != self._round:
            self._order = make_rng(self._seed, "round", self.place, str(number)).permutation(n)
            self._round = number
        yield int(self._order[place])
        instead = make_rng(self._seed, "instead", self.place, str(position))
        for _ in range(_TRIES):
            yield int(instead.integers(n))

    def _read(self, index: int) -> Picture | None:
        if index in self._kept:
            return self._kept[index]
        shown = self.pictures[index]
        if shown.key in self.refused:
            return None
        try:
            picture = _prepare(shown.show(), self._crop)
        except RecordError as error:
            self.refused[shown.key] = str(error)
            return None
        if picture.nbytes <= self._room:
            self._room -= picture.nbytes
            self._kept[index] = picture
        return picture

    def _cut(self, picture: Picture, rng: np.random.Generator) -> Picture:
        piece = crop_anywhere(picture, self._crop.crop, rng)
        return turn(piece, rng) if self._crop.turn else piece

    def _give_up(self) -> RunError:
        last = next(reversed(self.refused.items()))
        return RunError(
            f"None of {_TRIES} pictures drawn from `{self.place}` could be used; {last[0]!r} because of {last[1]}. "
            f"Check what the recipe selects."
        )


class PictureBatches:
    """Batches of crops of several sets, drawn independently: pictures without partners."""

    def __init__(
        self,
        sets: Mapping[str, Sequence[Shown]],
        crop: CropSettings,
        *,
        seed: int,
        names: Mapping[str, str],
        share: Share | None = None,
        n_shown: int = 4,
    ) -> None:
        """Take sets by their place in the recipe, and what a batch calls each of them."""
        self._sets = {names[place]: PictureSet(place, shown, crop, seed) for place, shown in sets.items()}
        self._size = crop.batch
        self._share = share or Share()
        self._n_shown = n_shown

    def draw(self, number: int) -> Batch:
        """Make one micro-batch: by name of the set, float32, N x 3 x H x W, -1 to 1."""
        first = ((number - 1) * self._share.world + self._share.rank) * self._size
        return {
            name: to_tensor([pictures.draw(first + slot) for slot in range(self._size)])
            for name, pictures in self._sets.items()
        }

    def show(self) -> Batch:
        """Make the batch of which samples are made: as many pictures of each set."""
        shown = {name: pictures.show(self._n_shown) for name, pictures in self._sets.items()}
        n = min(len(pictures) for pictures in shown.values())
        return {name: to_tensor(pictures[:n]) for name, pictures in shown.items()}

    @property
    def identity(self) -> str:
        """Hash of the pictures of all sets."""
        return make_id(*(part for s in self._sets.values() for part in (s.place, s.identify())))

    def held(self) -> tuple[Batch, ...]:
        """Nothing is held out."""
        return ()

    @property
    def counts(self) -> Mapping[str, int]:
        """Pictures of each set."""
        return {s.place: len(s.pictures) for s in self._sets.values()}

    @property
    def refused(self) -> Mapping[str, Mapping[str, str]]:
        """What turned out to be unusable so far."""
        found = {
            s.place: s.refused.copy() for s in self._sets.values()
        }  # copies: a thread may be adding to them
        return {place: dict(sorted(reasons.items())) for place, reasons in found.items() if reasons}


def _prepare(picture: Picture, crop: CropSettings) -> Picture:
    """Scale a picture as the settings say. Raises `RecordError` where it is too small for a crop."""
    shorter = min(picture.shape[:2])
    if crop.load is not None:
        return scale_shorter(picture, crop.load)
    if shorter >= crop.crop:
        return picture
    if crop.small == "drop":
        height, width = picture.shape[:2]
        raise RecordError(
            Reason.TOO_SMALL, f"wants {crop.crop} pixels on each side for a crop, got {width} x {height}"
        )
    return scale_shorter(picture, crop.crop)
