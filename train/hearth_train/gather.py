"""Stage 1: the transcribed recordings of a manifest become shards of audio with phones.

    python -m hearth_train.gather

A folder with manifest.tsv (corpus, file, split, speaker, seconds, text) and a tar for each corpus. Only rows whose
split is `train` are learnt from; recordings without a text are kept apart as voices of others; noise likewise, and
the development corpora that `evaluate` reads. Every file named must be there and be as long as the manifest says.
"""

from __future__ import annotations

import csv
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hearth_core.audio import RATE, read_recording
from hearth_core.errors import InputError

from . import place, shard
from .pronounce import READ, SPELLED, phones, words
from .shard import Utterance

# Kept out of training altogether: the benches mix it into the commands, and what is measured must not have been learnt.
HELD_OUT = {"doing_the_dishes"}
KINDS = ("real", "voices", "noise")
KEEP_SILENCE_S = 0.3  # around the speech
DEV = ("an4-dev", "speechocean762-dev-adults", "home-commands-dev")  # what phone errors are told of


def main() -> None:
    """Run the stage."""
    from rich.progress import track

    rows = read_manifest(place.SPEECH / "manifest.tsv")
    for corpus in dict.fromkeys(row["corpus"] for row in rows if row["split"] == "train"):
        if any(shard.path_of(place.PCM / kind, corpus).exists() for kind in KINDS):
            continue
        folder = unpack(place.SPEECH / f"{corpus}.tar")
        chosen = [row for row in rows if row["corpus"] == corpus and row["split"] == "train"]
        items = list(track(utterances(corpus, chosen, folder), corpus, total=len(chosen)))
        kind = "real" if any(utterance.phones for utterance, _ in items) else "noise" if corpus == "noise" else "voices"
        shard.write(place.PCM / kind, corpus, items)
        seconds = sum(len(pcm) for _, pcm in items) / RATE
        print(f"{corpus}: {len(items)} of {len(chosen)} recordings, {seconds / 3600:.2f} h as {kind}", flush=True)
    for corpus in DEV:
        if not shard.path_of(place.PCM / "dev", corpus).exists():
            chosen = [row for row in rows if row["corpus"] == corpus]
            folder = unpack(place.SPEECH / f"{corpus}.tar")
            found = track(development(corpus, chosen, folder), corpus, total=len(chosen))
            shard.write(place.PCM / "dev", corpus, found)


def read_manifest(file: Path) -> list[dict[str, str]]:
    """Return the rows.

    Raises:
        InputError: the file is not there or lacks a column.
    """
    try:
        reader = csv.DictReader(file.read_text("utf-8").splitlines(), delimiter="\t")
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}", remedy="Name the folder in HEARTH_SPEECH") from error
    missing = {"corpus", "file", "split", "speaker", "seconds", "text"} - set(reader.fieldnames or ())
    if missing:
        raise InputError(f"{file}: no column {', '.join(sorted(missing))}", remedy="See the docstring")
    return list(reader)


def unpack(tar: Path) -> Path:
    """Unpack a corpus once; return its folder."""
    folder = place.AUDIO / tar.stem
    if not folder.exists():
        with tarfile.open(tar) as archive:
            archive.extractall(folder.with_suffix(".partial"), filter="data")
        folder.with_suffix(".partial").rename(folder)
    return folder


def utterances(corpus: str, rows: list[dict[str, str]], folder: Path) -> Iterator[tuple[Utterance, NDArray[np.int16]]]:
    """Yield what can be learnt from.

    Raises:
        InputError: a recording is missing or not as long as the manifest says.
    """
    files = {file.name: file for file in folder.rglob("*") if file.is_file()}
    for row in rows:
        name = row["file"]
        if name not in files:
            raise InputError(f"{folder}: {name} is missing", remedy="Get the corpus again")
        if any(held in name for held in HELD_OUT):
            continue
        pcm = np.frombuffer(read_recording(files[name]), "<i2")
        if abs(len(pcm) / RATE - float(row["seconds"])) > 0.1:
            raise InputError(f"{name} has {len(pcm) / RATE:.2f} s, not {row['seconds']}", remedy="Get the corpus again")
        said: tuple[int, ...] | None = ()
        if row["text"]:
            said = phones(row["text"], spelled=corpus in SPELLED, read=corpus in READ)
        if said is None:
            continue
        text = " ".join(words(row["text"]) or ()) or row["text"].lower()
        yield Utterance(name, corpus, row["speaker"], text, said), trimmed(pcm) if said else pcm


def development(corpus: str, rows: list[dict[str, str]], folder: Path) -> Iterator[tuple[Utterance, NDArray[np.int16]]]:
    """Yield the recordings whole, whose phones are known."""
    files = {file.name: file for file in folder.rglob("*")}
    for row in rows:
        said = phones(row["text"], spelled=corpus.replace("-dev", "-train") in SPELLED)
        if said:
            pcm = np.frombuffer(read_recording(files[row["file"]]), "<i2")
            yield Utterance(row["file"], corpus, row["speaker"], row["text"], said), pcm


def trimmed(pcm: NDArray[np.int16]) -> NDArray[np.int16]:
    """Take silence off both ends: what is 30 dB below the loudest 20 ms, but for KEEP_SILENCE_S."""
    hop = RATE // 50
    frames = pcm[: len(pcm) // hop * hop].reshape(-1, hop).astype(np.float32)
    power = (frames**2).mean(axis=1)
    loud = np.flatnonzero(power > max(power.max(initial=0.0) / 1000, 100.0))
    if not len(loud):
        return pcm
    keep = int(KEEP_SILENCE_S * RATE)
    return pcm[max(0, loud[0] * hop - keep) : (loud[-1] + 1) * hop + keep]


if __name__ == "__main__":
    main()
