"""Both stages of a wake word: a satellite that is not always sure, and the server's model that hears the word again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hearth_core.audio import BYTES_PER_SECOND
from hearth_core.settings import MicroConfig
from hearth_satellite.attention import Attention
from hearth_satellite.wake import WakeWords
from hearth_satellite.wake_word import WakeEngine
from hearth_server.asr.micro.engine import MicroEngine
from hearth_server.wake_check import said

CHUNK_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Verified:
    """What both stages made of a sound.

    Attributes:
        accepted: how often a word was taken to be said.
        sure: of how many words the satellite was sure.
        unsure: of how many it was not.
        audio_s: length of the sound.
    """

    accepted: int
    sure: int
    unsure: int
    audio_s: float


def hear_both(
    engine: WakeEngine, sounds: Iterable[bytes], model: Path | None, before: Iterable[bytes] = ()
) -> Verified:
    """Hear sounds, one after the other, as a satellite and its server do.

    Args:
        engine: of the satellite.
        sounds: 16 kHz s16le mono.
        model: of the server; None is the shipped one.
        before: what is heard first, and does not count.
    """
    attention = Attention(WakeWords([engine], {}, unsure=True))
    phrases = {phrase.name: phrase.phrase for phrase in attention.phrases}
    recogniser = _recogniser(model)
    for pcm in before:
        for start in range(0, len(pcm), CHUNK_BYTES):
            attention.listen(pcm[start : start + CHUNK_BYTES])
    accepted = sure = unsure = heard = 0
    for pcm in sounds:
        heard += len(pcm)
        for start in range(0, len(pcm), CHUNK_BYTES):
            detection = attention.listen(pcm[start : start + CHUNK_BYTES])
            if detection is None:
                continue
            sure, unsure = sure + detection.sure, unsure + (not detection.sure)
            phrase = phrases[detection.wake_word]
            fit = recogniser.phrase_fit(phrase, attention.word())
            accepted += detection.sure if fit is None else said(phrase, fit, sure=detection.sure)
    return Verified(accepted, sure, unsure, heard / BYTES_PER_SECOND)


@lru_cache(maxsize=1)
def _recogniser(model: Path | None) -> MicroEngine:
    return MicroEngine(MicroConfig(model=str(model)) if model else None)
