"""A shard: many utterances in two files, audio or features one after the other and an index; complete or not there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .place import whole


@dataclass(frozen=True, slots=True)
class Utterance:
    """What is known of a recording.

    Attributes:
        name: of the recording, in its corpus.
        corpus: where it comes from; for synthetic speech, the kind of voice.
        speaker: who speaks, as far as known.
        text: what is said.
        phones: the same as phone numbers; empty if it is not known.
    """

    name: str
    corpus: str
    speaker: str
    text: str
    phones: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Shard:
    """Utterances and their data: audio, int16, shape (samples,); or features, float16, shape (frames, bands)."""

    utterances: tuple[Utterance, ...]
    starts: NDArray[np.int64]
    data: NDArray[Any]

    def __len__(self) -> int:
        return len(self.utterances)

    def piece(self, index: int) -> NDArray[Any]:
        """Return the data of one utterance."""
        piece: NDArray[Any] = self.data[self.starts[index] : self.starts[index + 1]]
        return piece


def path_of(folder: Path, name: str) -> Path:
    """Return the file by which a shard is known to be complete."""
    return folder / f"{name}.json"


def write(folder: Path, name: str, items: Iterable[tuple[Utterance, NDArray[Any]]]) -> None:
    """Write a shard; it is there at once and whole, or not at all."""
    pairs = list(items)
    starts = np.cumsum([0, *(len(data) for _, data in pairs)])
    folder.mkdir(parents=True, exist_ok=True)
    path_of(folder, name).unlink(missing_ok=True)  # of another shard of that name; its data are not these
    np.save(folder / f"{name}.npy", np.concatenate([data for _, data in pairs]))
    _index(path_of(folder, name), starts.tolist(), [utterance for utterance, _ in pairs])


def relabel(index: Path, utterances: Sequence[Utterance], by: str) -> None:
    """Write what is known of a shard's recordings anew, and by what it was found."""
    _index(index, json.loads(index.read_text("utf-8"))["starts"], utterances, by)


def relabelled_by(index: Path) -> str:
    """Return by what a shard was last relabelled; empty if it never was."""
    return str(json.loads(index.read_text("utf-8")).get("by", ""))


def _index(to: Path, starts: list[int], utterances: Sequence[Utterance], by: str = "") -> None:
    known = {"by": by, "starts": starts, "utterances": [asdict(each) for each in utterances]}
    with whole(to) as partial:
        partial.write_text(json.dumps(known), "utf-8")


def read(index: Path) -> Shard:
    """Read a shard by its index file; its data stays on the disk until it is used."""
    known = json.loads(index.read_text("utf-8"))
    utterances = tuple(Utterance(**{**u, "phones": tuple(u["phones"])}) for u in known["utterances"])
    return Shard(utterances, np.array(known["starts"]), np.load(index.with_suffix(".npy"), mmap_mode="r"))
