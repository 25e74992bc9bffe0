"""Features of pictures by encoders: each picture is read once, and never again while its content stays the same.

Threads read, decode and resize ahead of the network, which is what takes the time. Features are rounded to float32
before anybody sees them, and every batch has the same size, so that what is kept and what is fresh are equal to the
last bit.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import PIL
import pyarrow as pa

from earthloom.core.blobs import translate_read_errors
from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import Reason
from earthloom.models.encoders.encoder import Encoder, Features, Prepared, name_encoder
from earthloom.store.features import FeatureCache, Row, default_feature_cache
from earthloom.store.shown import Shown, decode_display

Tell = Callable[[str], None]
_STEPS = 20
"""Times that progress is told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SetAside:
    """A picture that cannot be used."""

    shown: Shown
    reason: Reason
    detail: str
    """What was wanted and what was got."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Described:
    """Pictures with their features."""

    pictures: tuple[Shown, ...]
    """Those that can be used, N, in the order in which they were given."""
    features: Mapping[str, Features]
    """`name@version` of each encoder to N x D, rows as `pictures`."""
    resize: Mapping[str, str]
    """`name@version` of each encoder to its rule in words."""
    set_aside: tuple[SetAside, ...]
    n_cached: int
    """Of the pictures, those of which every encoder's features were kept from an earlier run."""

    @property
    def groups(self) -> tuple[str, ...]:
        """What must not be split, of each picture."""
        return tuple(shown.group for shown in self.pictures)


def describe(
    pictures: Sequence[Shown],
    encoders: Sequence[Encoder],
    *,
    cache: Path | None = None,
    keep: bool = True,
    tell: Tell = lambda text: None,
    threads: int | None = None,
) -> Described:
    """Describe pictures by encoders.

    Args:
        pictures: as `earthloom.store.selection.select` lists them.
        encoders: of different names or versions.
        cache: folder of features that are kept; `~/.cache/earthloom/features` where none is given.
        keep: look for and leave features in that folder.
        tell: is told in a few words how far the work is.
        threads: that read and resize ahead; as many as there are cores, at most 8, where none is given.

    Returns:
        Features of those pictures that every encoder can use. The others are set aside, each with its reason.

    Raises:
        UsageError: two encoders are the same.
        RunError: the folder of the cache cannot be used.

    """
    names = [name_encoder(encoder) for encoder in encoders]
    if len(set(names)) < len(names):
        raise UsageError(f"Encoders of different names or versions were wanted, got {', '.join(names)}.")
    folder = cache or default_feature_cache()
    with ExitStack() as stack:
        lines = [
            _Line(encoder, len(pictures), stack.enter_context(_open(folder, encoder)) if keep else None)
            for encoder in encoders
        ]
        found = list(_read_all(pictures, lines, tell, threads or min(8, os.cpu_count() or 1)))
        for line in lines:
            line.finish()
    for line in lines:
        for place in line.broken:
            if not isinstance(found[place], SetAside):
                found[place] = _set_broken_aside(pictures[place], line.encoder)
    good = [i for i, problem in enumerate(found) if not isinstance(problem, SetAside)]
    return Described(
        pictures=tuple(pictures[i] for i in good),
        features={name: line.rows[good].astype(np.float64) for name, line in zip(names, lines, strict=True)},
        resize={name: encoder.resize for name, encoder in zip(names, encoders, strict=True)},
        set_aside=tuple(problem for problem in found if isinstance(problem, SetAside)),
        n_cached=sum(problem is True for problem in found),
    )


def _set_broken_aside(shown: Shown, encoder: Encoder) -> SetAside:
    return SetAside(
        shown=shown,
        reason=Reason.NOT_FINITE,
        detail=f"finite features were wanted, got some of {name_encoder(encoder)} that are not",
    )


def _open(folder: Path, encoder: Encoder) -> closing[FeatureCache]:
    # Pillow 13 resizes tall pictures in another order than older ones, and decoders differ by a grey step.
    resize = f"{encoder.resize} (Pillow {PIL.__version__}, OpenCV {cv2.__version__})"
    return closing(FeatureCache(folder, encoder=name_encoder(encoder), resize=resize, width=encoder.width))


@dataclass(slots=True)
class _Line:
    """One encoder's pictures on their way through it."""

    encoder: Encoder
    n: int
    cache: FeatureCache | None
    rows: npt.NDArray[np.float32] = field(init=False)
    broken: list[int] = field(default_factory=list)
    """Places of pictures whose features are not all finite; these are not kept."""
    _waiting: list[tuple[int, bytes, Prepared]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows = np.zeros((self.n, self.encoder.width), np.float32)

    def look(self, data: bytes, shown: Shown) -> tuple[bytes, Row | None]:
        """Key of a picture, and its features where they are kept."""
        if self.cache is None:
            return b"", None
        key = self.cache.make_key(data, is_linear=shown.is_linear)
        return key, self.cache.find(key)

    def take(self, place: int, looked: _Looked) -> None:
        """Put a picture's features in their place, or the picture into the next batch."""
        if looked.row is not None:
            self.rows[place] = looked.row
            return
        assert looked.prepared is not None
        self._waiting.append((place, looked.key, looked.prepared))
        if len(self._waiting) == self.encoder.batch:
            self.finish()

    def finish(self) -> None:
        """Encode what waits. A batch that is not full is filled up: networks round otherwise in smaller batches."""
        if not self._waiting:
            return
        places, keys, prepared = zip(*self._waiting, strict=True)
        filled = [*prepared, *[prepared[-1]] * (self.encoder.batch - len(prepared))]
        with np.errstate(over="ignore"):  # what float32 cannot hold is told of below
            self.rows[list(places)] = self.encoder.encode(filled)[: len(prepared)]
        is_finite = [bool(np.isfinite(self.rows[place]).all()) for place in places]
        self.broken += [place for place, is_good in zip(places, is_finite, strict=True) if not is_good]
        if self.cache is not None:
            self.cache.keep(
                (key, self.rows[place])
                for place, key, is_good in zip(places, keys, is_finite, strict=True)
                if is_good
            )
        self._waiting.clear()


@dataclass(frozen=True, slots=True)
class _Looked:
    """A picture for one encoder: its features, or what they are to be computed from."""

    key: bytes
    row: Row | None
    prepared: Prepared | None


def _read_all(
    pictures: Sequence[Shown], lines: Sequence[_Line], tell: Tell, threads: int
) -> Iterator[SetAside | bool]:
    """Hand every picture to every encoder; gives for each why it is set aside, or whether all was kept already."""
    ahead = threads + max((line.encoder.batch for line in lines), default=1)
    waiting: deque[Future[Sequence[_Looked] | SetAside]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="features") as pool:
        try:
            for place in range(len(pictures)):
                while len(waiting) < ahead and place + len(waiting) < len(pictures):
                    waiting.append(pool.submit(_prepare, pictures[place + len(waiting)], lines))
                found = waiting.popleft().result()
                _tell_progress(place, len(pictures), tell)
                if isinstance(found, SetAside):
                    yield found
                    continue
                for line, looked in zip(lines, found, strict=True):
                    line.take(place, looked)
                yield all(looked.row is not None for looked in found)
        finally:
            for future in waiting:
                future.cancel()


def _tell_progress(place: int, n: int, tell: Tell) -> None:
    if place % max(1, n // _STEPS) == 0:
        tell(f"features: picture {place + 1:,} of {n:,}")


def _prepare(shown: Shown, lines: Sequence[_Line]) -> Sequence[_Looked] | SetAside:
    """Read a picture, look for its features, and make it ready for those encoders that have none of it."""
    try:
        with translate_read_errors(str(shown.path)):
            data = shown.read_bytes()
        kept = [line.look(data, shown) for line in lines]
        if all(row is not None for _, row in kept):
            return [_Looked(key, row, None) for key, row in kept]
        picture = decode_display(data, is_linear=shown.is_linear)
        return [
            _Looked(key, row, None if row is not None else line.encoder.prepare(picture))
            for line, (key, row) in zip(lines, kept, strict=True)
        ]
    except RecordError as error:
        return SetAside(shown=shown, reason=error.reason, detail=error.detail)
    except pa.ArrowException as error:
        return SetAside(shown=shown, reason=Reason.UNREADABLE, detail=f"the Parquet file is broken: {error}")
    except UsageError as error:
        # An encoder that cannot use a picture of this shape says so as it does to any caller.
        return SetAside(shown=shown, reason=Reason.TOO_SMALL, detail=str(error))
