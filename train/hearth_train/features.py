"""Stage 3: shards of audio become shards of features, each recording several times: other speeds, rooms, codecs.

    python -m hearth_train.features [--jobs 2]

What has to be done to the waveform is done here, once; noise, gain, warped voices and masks are cheap on features and
new in every pass (`augment`). Features are kept without a floor, so that gain and noise can still be put under it.
"""

from __future__ import annotations

import argparse
import zlib
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hearth_core.audio import RATE
from hearth_core.log_mel import log_mel

from . import noises, place, shard
from .shard import Utterance

Samples = NDArray[np.float32]

# How often a recording is in the training. The real speakers are few and must stand for all others: once as they are,
# then changed. Synthetic ones are changed at once, and have other texts instead of copies.
COPIES = {"real": 3, "synthetic": 1}
SPEED = 0.14  # most change of speed and pitch
ROOM_CHANCE = 0.5
CODEC_CHANCE = 0.1
NOISE_CHANCE = 0.15  # most noise is mixed into features; some into the waveform, where phases meet
ROOMS = 160
# Most reflections of a sound. It cuts the tail: 3 x 3 x 2.5 m, asked for 0.5 s, decay by 10 dB as if it were 0.36 s and
# then (T20) 0.18 s; without it a response takes up to ten seconds to make.
ORDER = 14
TINY = 1e-10  # power under every sound


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    from rich.progress import Progress

    todo = [
        (index, copy)
        for kind, copies in COPIES.items()
        for index in sorted((place.PCM / kind).glob("*.json"))
        for copy in range(copies)
        if not shard.path_of(place.FEATURES / kind, f"{index.stem}-{copy}").exists()
    ]
    with get_context("spawn").Pool(options.jobs) as pool, Progress() as progress:
        task = progress.add_task("features", total=len(todo) + 1)
        background = pool.apply_async(make_background)
        for _ in pool.imap_unordered(make, todo):
            progress.advance(task)
        background.get()
        progress.advance(task)


def make(job: tuple[Path, int]) -> None:
    """Make one shard of features."""
    index, copy = job
    audio = shard.read(index)
    rng = np.random.default_rng(zlib.crc32(f"{index.stem} {copy}".encode()))
    plain = copy == 0 and index.parent.name == "real"
    pieces = (audio.piece(i) if plain else changed(audio.piece(i), rng) for i in range(len(audio)))
    items = [(utterance, mel(piece)) for utterance, piece in zip(audio.utterances, pieces, strict=True)]
    shard.write(place.FEATURES / index.parent.name, f"{index.stem}-{copy}", items)


def make_background() -> None:
    """Make what is mixed in, noises, talkers and babble, and what it is placed in; and the features of the first."""
    audio = shard.path_of(place.PCM, "background")
    if not audio.exists():
        rng = np.random.default_rng(0)
        items = [
            (Utterance(name, kind, "", "", ()), np.clip(sound, -32768, 32767).astype(np.int16))
            for kind, name, sound in noises.background(rng)
        ]
        shard.write(place.PCM, audio.stem, items)
    if not shard.path_of(place.PCM, "rooms").exists():
        shard.write(
            place.PCM, "rooms", [(Utterance(f"room-{n}", "rooms", "", "", ()), r) for n, r in enumerate(rooms())]
        )
    if not shard.path_of(place.FEATURES, "background").exists():
        of = shard.read(audio)
        shard.write(place.FEATURES, "background", [(sound, mel(of.piece(n))) for n, sound in enumerate(of.utterances)])


def mel(pcm: NDArray[np.int16]) -> NDArray[np.float16]:
    """Return features as they are kept: natural logarithms of power, no floor to speak of."""
    return log_mel(np.asarray(pcm), TINY).astype(np.float16)


def changed(pcm: NDArray[np.int16], rng: np.random.Generator) -> NDArray[np.int16]:
    """Return the recording at another speed, perhaps in another room, through a codec, with noise."""
    import soxr

    speed = 1 + rng.uniform(-SPEED, SPEED)
    samples: Samples = soxr.resample(pcm.astype(np.float32), RATE * speed, RATE, "MQ")
    if rng.random() < ROOM_CHANCE:
        room = rooms()[rng.integers(ROOMS)]
        samples = convolved(samples, room)[: len(samples) + RATE // 10]
    if rng.random() < CODEC_CHANCE:
        samples = narrow(samples, rng)
    if rng.random() < NOISE_CHANCE:
        noise = noises.anything(len(samples), rng)
        level = np.sqrt((np.sort(samples**2)[len(samples) // 2 :]).mean() / max((noise**2).mean(), 1e-9))
        samples = samples + noise * level * 10 ** (-rng.uniform(3, 30) / 20)
    return np.clip(samples, -32768, 32767).astype(np.int16)


def convolved(samples: Samples, response: Samples) -> Samples:
    """Return the sound in a room; the direct sound keeps its place and level."""
    from scipy.signal import fftconvolve

    wet: Samples = fftconvolve(samples, response)[int(np.argmax(np.abs(response))) :].astype(np.float32)
    return wet


def narrow(samples: Samples, rng: np.random.Generator) -> Samples:
    """Return the sound as a narrow line or a cheap codec leaves it: fewer Hz, 8 bits of mu-law."""
    import soxr

    if rng.random() < 0.5:
        rate = rng.choice((8000, 11025))
        return np.asarray(soxr.resample(soxr.resample(samples, RATE, rate), rate, RATE), np.float32)
    scaled = np.clip(samples / 32768, -1, 1)
    law = np.sign(scaled) * np.log1p(255 * np.abs(scaled)) / np.log(256)
    law = np.round(law * 127) / 127
    heard: Samples = (np.sign(law) * (256 ** np.abs(law) - 1) / 255 * 32768).astype(np.float32)
    return heard


@lru_cache(maxsize=1)
def rooms() -> list[Samples]:
    """Return impulse responses of rooms of a home, as `room` makes them."""
    rng = np.random.default_rng(1)
    found: list[Samples] = []
    while len(found) < ROOMS:
        size = rng.uniform((2.5, 2.5, 2.3), (8, 6, 3))
        reverberation_s = rng.uniform(0.2, 0.7)
        microphone = rng.uniform(0.3, size - 0.3)
        source = microphone + rng.normal(size=3) * (1, 1, 0.3) * rng.uniform(0.3, 2.0)
        if np.any(source < 0.2) or np.any(source > size - 0.2):
            continue
        found.append(room(size, reverberation_s, microphone, source))
    return found


def room(
    size: NDArray[np.float64], reverberation_s: float, microphone: NDArray[np.float64], source: NDArray[np.float64]
) -> Samples:
    """Return the impulse response of a room, simulated (image sources), the loudest tap 1.

    Args:
        size: shape (3,), metres; places likewise, from a corner of the floor.
        reverberation_s: until sound has decayed by 60 dB; the walls absorb what Sabine says, at most ORDER times.
        microphone: where it is.
        source: where the speaker is.
    """
    import pyroomacoustics

    absorption, order = pyroomacoustics.inverse_sabine(reverberation_s, size)
    walls = pyroomacoustics.Material(absorption)
    simulated = pyroomacoustics.ShoeBox(size, fs=RATE, materials=walls, max_order=min(order, ORDER))
    simulated.add_source(source)
    simulated.add_microphone(microphone)
    simulated.compute_rir()
    response: Samples = np.asarray(simulated.rir[0][0], np.float32)[: RATE // 2]
    response /= np.abs(response).max()
    return response


if __name__ == "__main__":
    main()
