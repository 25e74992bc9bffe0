"""From a sample to what a captioner learns from: pixels as its processor makes them, tokens of one of its captions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.models.captioners.captioner import BREAKS, explain_break
from earthloom.store.stream.sample import Sample, Words
from earthloom.train.blip2.config import Blip2Settings
from earthloom.train.blip2.teaching import IGNORED, Teaching


class PrepareCaption:
    """Makes `pixels` (float32, 3 x H x W) and `answer` (int64, `max_tokens` + 1) of a sample: `train.batches.Prepare`.

    Of a caption that is too long the beginning is learnt, without the token that would end it. That is said once.
    """

    def __init__(self, teaching: Teaching, settings: Blip2Settings, say: Callable[[str], None]) -> None:
        self._teaching = teaching
        self._settings = settings
        self._say = say
        self._lock = Lock()
        self.n_cut = 0
        """Captions that were too long so far, each time they were drawn."""

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Mapping[str, npt.NDArray[Any]]:
        """Draw one of the captions. Raises RecordError where there is none, or the picture cannot be used."""
        caption = self._draw(sample, rng)
        return {"pixels": self._show(sample), "answer": self._spell(sample.key, caption)}

    def _draw(self, sample: Sample, rng: np.random.Generator) -> str:
        styles = self._settings.styles
        texts = [words.text.strip() for words in sample.captions if _is_wanted(words, styles)]
        found = [text for text in texts if text]
        if not found:
            of = f" of style {' or '.join(styles)}" if styles else ""
            raise RecordError(Reason.NO_CAPTION, f"a caption{of} was wanted, there is none")
        return found[int(rng.integers(len(found)))]

    def _show(self, sample: Sample) -> npt.NDArray[np.float32]:
        picture = sample.picture()
        captioner = self._teaching.captioner
        try:
            pixels = captioner.show([picture])
        except BREAKS as error:
            raise RecordError(
                Reason.UNSUPPORTED_PIXELS, f"the model's processor: {explain_break(error)}"
            ) from error
        return np.asarray(pixels[0].numpy(), np.float32)

    def _spell(self, key: str, caption: str) -> npt.NDArray[np.int64]:
        room = self._settings.max_tokens + 1
        with self._lock:  # the tokenizers of transformers are not for several threads
            tokens = self._teaching.tokenize(caption)
        if len(tokens) > room:
            self._note_cut(key, len(tokens) - 1)
            tokens = tokens[: room - 1]
        answer = np.full(room, IGNORED, np.int64)
        answer[: len(tokens)] = tokens
        return answer

    def _note_cut(self, key: str, n: int) -> None:
        with self._lock:
            self.n_cut += 1
            is_first = self.n_cut == 1
        if is_first:
            self._say(
                f"a caption of {key} has {n} tokens: of those with more than {self._settings.max_tokens} "
                f"(`max_tokens`) the beginning is learnt"
            )


def _is_wanted(words: Words, styles: tuple[str, ...]) -> bool:
    return not styles or words.style in styles
