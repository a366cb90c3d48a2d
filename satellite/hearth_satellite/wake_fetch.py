"""Fetch openWakeWord's feature models, and its own wake words for whoever may use them; only when somebody asks."""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from hearth_core.errors import EngineError, InputError

from .wake_open import FEATURE_MODELS

RELEASE: Final = "https://github.com/dscripka/openWakeWord/releases/download/v0.5.1"
CHECKSUMS: Final = {
    "melspectrogram.onnx": "ba2b0e0f8b7b875369a2c89cb13360ff53bac436f2895cced9f479fa65eb176f",
    "embedding_model.onnx": "70d164290c1d095d1d4ee149bc5e00543250a7316b59f31d056cff7bd3075c1f",
}
"""SHA-256 of the feature models of `RELEASE`; the heads have none, because nobody needs a particular one."""

HEADS_LICENCE: Final = "CC BY-NC-SA 4.0"

_MAX_BYTES: Final = 16 * 1024 * 1024  # the largest, the embedding, has 1.3 MB
_TIMEOUT_S: Final = 30.0


def names(heads: tuple[str, ...], *, accept_licence: bool) -> list[str]:
    """Return the files to fetch: the feature models, and the heads that were asked for.

    Raises:
        InputError: a head is asked for without its licence, or is no name.
    """
    for head in heads:
        if not head.replace("_", "").replace(".", "").isalnum():
            raise InputError(f"{head!r} is not the name of a wake word", remedy="For example hey_rhasspy_v0.1")
    if heads and not accept_licence:
        raise InputError(
            f"openWakeWord's own wake words are under {HEADS_LICENCE}: not for commercial use",
            remedy="Say --accept-non-commercial if that suits you, or train a word of your own",
        )
    return [*FEATURE_MODELS, *(f"{head}.onnx" for head in heads)]


def fetch(
    wanted: list[str],
    folder: Path,
    *,
    release: str = RELEASE,
    checksums: Mapping[str, str] = CHECKSUMS,
    told: Callable[[str], None] = print,
) -> None:
    """Fetch files that are not there yet into a folder; each appears whole or not at all. Blocks.

    Raises:
        EngineError: the network or the disk fails, or what came is too large, no model, or another than it should be.
    """
    for name in wanted:
        target = folder / name
        if target.exists():
            told(f"{target} is there")
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write(target, _download(f"{release}/{name}", checksums.get(name)))
        except (OSError, urllib.error.URLError) as error:
            raise EngineError(
                f"cannot fetch {release}/{name} ({error})",
                remedy=f"Fetch it on another machine and copy it into {folder}",
            ) from error
        told(f"{target} fetched")


def _download(url: str, checksum: str | None) -> bytes:
    if not url.startswith(("https://", "http://127.0.0.1")):
        raise EngineError(f"{url} is not fetched", remedy="Give an https address")
    with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - the scheme is checked above
        raw: bytes = answer.read(_MAX_BYTES + 1)
    if len(raw) > _MAX_BYTES:
        raise EngineError(f"{url} is larger than {_MAX_BYTES} bytes", remedy="Check the address")
    # An ONNX model is a protobuf whose first field is its version; a page that says "not found" is none.
    if not raw.startswith(b"\x08"):
        raise EngineError(f"{url} is no ONNX model", remedy="Check the address")
    if checksum is not None and hashlib.sha256(raw).hexdigest() != checksum:
        raise EngineError(f"{url} is not the model that was expected", remedy="Do not use it; check the address")
    return raw


def _write(target: Path, raw: bytes) -> None:
    handle, partial = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(raw)
        Path(partial).replace(target)
    except OSError:
        Path(partial).unlink(missing_ok=True)
        raise
