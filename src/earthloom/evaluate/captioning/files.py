"""Files of captions, in the forms in which they are handed around."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from earthloom.core.errors import UsageError

_KEYS = ("key", "file", "file_name", "filename", "image", "image_id", "id")
_TEXTS = ("caption", "text", "captions", "references")


def read_captions(path: Path) -> dict[str, list[str]]:
    """Captions by key, file name or number of their pictures, in the order of the file.

    Read are CSV with a header; lines of JSON; and JSON: a list of rows as COCO's results have it, COCO's annotations
    (an object with `annotations` and perhaps `images`, which give numbers their file names), an object from name to
    caption or captions.

    Raises:
        UsageError: the file is not there or in another form.

    """
    captions: dict[str, list[str]] = {}
    for key, texts in _read_rows(path):
        captions.setdefault(key, []).extend(texts)
    if not captions:
        raise UsageError(f"{path} holds no captions.")
    return captions


def _read_rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".csv":
            yield from _parse_rows(path, list(csv.DictReader(io.StringIO(text, newline=""))))
        elif path.suffix.lower() in {".jsonl", ".ndjson"}:
            yield from _parse_rows(path, list(_parse_lines(path, text)))
        else:
            yield from _parse_json(path, json.loads(text))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, csv.Error) as error:
        raise UsageError(f"{path} is no {path.suffix or 'JSON'} file: {error}.") from error


def _parse_lines(path: Path, text: str) -> Iterator[Any]:
    lines = text.split("\n")  # a caption may hold what `splitlines` splits at
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except json.JSONDecodeError as error:
            raise UsageError(
                f"{path}, line {number}, is no JSON: {error.msg} at column {error.colno}."
            ) from error


def _parse_json(path: Path, plain: Any) -> Iterator[tuple[str, list[str]]]:
    if isinstance(plain, list):
        yield from _parse_rows(path, plain)
    elif isinstance(plain, dict) and isinstance(plain.get("annotations"), list):
        images = plain.get("images") or ()
        names = {str(row["id"]): str(row["file_name"]) for row in images if {"id", "file_name"} <= set(row)}
        for key, texts in _parse_rows(path, plain["annotations"], first="image_id"):
            yield names.get(key, key), texts
    elif isinstance(plain, dict):
        for key, told in plain.items():
            yield str(key), _list_texts(path, told)
    else:
        raise UsageError(f"{path}: a list of rows or an object was wanted, got {type(plain).__name__}.")


def _parse_rows(path: Path, rows: Sequence[Any], first: str | None = None) -> Iterator[tuple[str, list[str]]]:
    names = _KEYS if first is None else (first, *_KEYS)
    for number, row in enumerate(rows, 1):
        key = _find(row, names)
        told = _find(row, _TEXTS)
        if key is None or told is None:
            raise UsageError(
                f"{path}, row {number}: one of {', '.join(_KEYS)} and one of {', '.join(_TEXTS)} were wanted, got "
                f"{_say_row(row)}."
            )
        yield str(key), _list_texts(path, told)


def _say_row(row: Any) -> str:
    if not isinstance(row, dict):
        return type(row).__name__
    return ", ".join(f"{name} (which is null)" if told is None else str(name) for name, told in row.items())


def _find(row: Any, names: Iterable[str]) -> Any:
    if not isinstance(row, dict):
        return None
    return next((row[name] for name in names if row.get(name) is not None), None)


def _list_texts(path: Path, told: Any) -> list[str]:
    texts = told if isinstance(told, list) else [told]
    if not all(isinstance(text, str) for text in texts):
        raise UsageError(f"{path}: captions were wanted as text, got {told!r:.80}.")
    return texts


def match_keys(captions: Mapping[str, list[str]], keys: Sequence[str]) -> dict[str, list[str]]:
    """Captions by the keys of pictures: those of the key itself, else of its file name, else of its stem.

    A name that several pictures have counts for none of them.
    """
    found = {key: captions[key] for key in keys if key in captions}
    for shorten in (_name, _stem):
        owners: dict[str, list[str]] = {}
        for key in keys:
            owners.setdefault(shorten(key), []).append(key)
        for name, texts in captions.items():
            if len(own := owners.get(shorten(name), [])) == 1:
                found.setdefault(own[0], texts)
    return found


def _name(key: str) -> str:
    return PurePosixPath(key).name


def _stem(key: str) -> str:
    return PurePosixPath(key).stem
