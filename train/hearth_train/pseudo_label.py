"""Stage 1b: recordings without a text get one (pseudo-labels): what pocketsphinx' dictation hears in them.

    python -m hearth_train.pseudo_label

Its general language model is wrong about some words, less about the phones: 8 % of them on sentences that have a text.
That is little beside what more speakers give.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import place, shard
from .pronounce import phones, words
from .shard import Shard, Utterance

# As fast as it goes without hearing worse.
SEARCH = {"maxhmmpf": 4000, "maxwpf": 20, "fwdflat": False}


def main() -> None:
    """Run the stage."""
    from pocketsphinx import Decoder
    from rich.progress import track

    decoder = Decoder(loglevel="FATAL", **SEARCH)
    for index in sorted((place.PCM / "voices").glob("*.json")):
        if not shard.path_of(place.PCM / "real", index.stem).exists():
            recordings = shard.read(index)
            found = track(labelled(decoder, recordings), index.stem, total=len(recordings))
            shard.write(place.PCM / "real", index.stem, [item for item in found if item[0].phones])


def labelled(decoder: Any, recordings: Shard) -> Iterator[tuple[Utterance, NDArray[np.int16]]]:
    """Yield each recording with the words that were heard in it; none if there were none."""
    for number, utterance in enumerate(recordings.utterances):
        pcm = np.asarray(recordings.piece(number))
        decoder.start_utt()
        decoder.process_raw(pcm.tobytes(), full_utt=True)
        decoder.end_utt()
        heard = decoder.hyp().hypstr if decoder.hyp() else ""
        yield replace(utterance, text=" ".join(words(heard) or ()), phones=phones(heard) or ()), pcm


if __name__ == "__main__":
    main()
