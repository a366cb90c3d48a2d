"""The front end on a simulated room: how much of its own sound the satellite takes out, and who is heard over it.

    python bench/front_end.py [--wake DIR|TAR…] [--word alexa] [--speech DIR|TAR] [--json]

The room has 4 x 5 x 2.6 m, the satellite's speaker is 12 cm from its microphone, the person 2.4 m away (image sources
of pyroomacoustics). ERLE is the echo's power over what is left of it, after 5 s. `--wake` is said while the satellite
plays music, which is made here of chords and drums, or speech; at the microphone the echo is `--above` dB louder than
the person (levels as bench/sound.py has them); `nothing` is the same room with nothing played. With `--noise` also the
wake rate before it by degree of suppression.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyroomacoustics

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import sound  # noqa: E402 - found only now
from hearth_core.audio import RATE  # noqa: E402
from hearth_core.errors import HearthError  # noqa: E402
from hearth_satellite.front_end import EchoCanceller, FrontEnd, NoiseGain, Reference, Stage  # noqa: E402
from hearth_satellite.wake import MicroWakeWord  # noqa: E402

CHUNK = 1024
SETTLE_S = 5.0
DELAYS_MS = (20, 60, 150, 300)


@dataclass(frozen=True, slots=True)
class Erle:
    """Echo return loss enhancement."""

    played: str
    delay_ms: int
    erle_db: float


@dataclass(frozen=True, slots=True)
class WakeRate:
    """How many wake words were heard under one condition."""

    behind: str
    above_db: float
    front_end: str
    heard: int
    said: int


def impulses() -> tuple[sound.Samples, sound.Samples]:
    """Return the responses from the satellite's speaker and from the person to the microphone."""
    room = pyroomacoustics.ShoeBox(
        [4.0, 5.0, 2.6], fs=RATE, materials=pyroomacoustics.Material(0.3), max_order=12, use_rand_ism=False
    )
    room.add_source([1.0, 1.0, 1.0])
    room.add_source([2.6, 2.9, 1.5])
    room.add_microphone([1.1, 1.06, 1.0])
    room.compute_rir()
    own, person = (np.asarray(room.rir[0][index], np.float32) for index in (0, 1))
    return own, person


def music(seconds: float) -> sound.Samples:
    """Return chords with drums, 100 beats a minute: tones, attacks and noise, as music has them; nobody's work."""
    choice = np.random.default_rng(7)
    time = np.arange(round(0.6 * RATE)) / RATE
    beats = []
    for beat in range(round(seconds / 0.6) + 1):
        root = 110.0 * 2 ** (choice.choice([0, 3, 5, 7, 10]) / 12)
        chord = sum(
            np.sin(2 * np.pi * root * ratio * harmonic * time) / harmonic
            for ratio in (1, 1.26, 1.5, 2)
            for harmonic in (1, 2, 3, 4, 5)
        )
        drum = choice.normal(0, 6, len(time)) * np.exp(-time * (12 if beat % 2 else 40))
        beats.append(chord * np.exp(-time * 2) + drum)
    return (1500.0 * np.concatenate(beats)[: round(seconds * RATE)]).astype(np.float32)


def heard_of(played: sound.Samples, response: sound.Samples, delay_ms: int = 60) -> sound.Samples:
    """Return what reaches the microphone."""
    delayed = np.concatenate([np.zeros(delay_ms * RATE // 1000, np.float32), np.convolve(played, response)])
    return delayed[: len(played)].astype(np.float32)


def cleaned(microphone: sound.Samples, played: sound.Samples | None, stages: Sequence[Stage] = ()) -> bytes:
    """Return the microphone's sound behind the front end; echo is cancelled if `played` is given."""
    reference = Reference()
    front = FrontEnd([*([] if played is None else [EchoCanceller(reference)]), *stages], reference)
    raw, far = sound.pcm(microphone), b"" if played is None else sound.pcm(played)
    done = bytearray()
    for start in range(0, len(raw), CHUNK):
        reference.add(far[start : start + CHUNK])
        done += front.feed(raw[start : start + CHUNK])
    return bytes(done)


def measure_erle(played: sound.Samples, name: str) -> list[Erle]:
    """Return the ERLE at each delay of the device."""
    own, _ = impulses()
    found = []
    for delay in DELAYS_MS:
        echo = heard_of(played, own, delay)
        echo *= np.float32(8000.0 / np.abs(echo).max())
        echo += np.random.default_rng(0).normal(0, 3, len(echo)).astype(np.float32)
        left = np.frombuffer(cleaned(echo, played), "<i2").astype(np.float32)
        settled = slice(round(SETTLE_S * RATE), len(left))
        found.append(Erle(name, delay, round(sound.noise_db(echo[settled]) - sound.noise_db(left[settled]), 1)))
    return found


def wakes(pcm: bytes, word: str, since_s: float) -> bool:
    """Say whether the word is detected after a moment."""
    wake = MicroWakeWord([word])
    for start in range(0, len(pcm), CHUNK):
        if wake.feed(pcm[start : start + CHUNK]) is not None and start / (2 * RATE) > since_s:
            return True
    return False


@dataclass(frozen=True, slots=True)
class Task:
    """One wake word said while something plays."""

    path: Path
    word: str
    played: sound.Samples
    behind: str
    above_db: float  # -inf plays nothing


def say(task: Task) -> list[tuple[str, str, float, bool]]:
    """Return whether it was heard without and with echo cancellation."""
    own, person = impulses()
    word = heard_of(np.concatenate([sound.load(task.path), np.zeros(RATE, np.float32)]), person, 0)
    word *= np.float32(1500.0 / 10 ** (sound.speech_db(word) / 20))  # as loud as somebody 2.5 m away
    played = task.played[: round(SETTLE_S * RATE) + len(word) + RATE]
    echo = heard_of(played, own)
    echo *= np.float32(10 ** ((sound.speech_db(word) + task.above_db - sound.noise_db(echo)) / 20))  # -inf makes it 0
    played = played if np.isfinite(task.above_db) else np.zeros_like(played)
    microphone = echo + np.random.default_rng(0).normal(0, 3, len(echo)).astype(np.float32)
    at = round(SETTLE_S * RATE)
    microphone[at : at + len(word)] += word[: len(microphone) - at]
    return [
        (task.behind, name, task.above_db, wakes(cleaned(microphone, far), task.word, SETTLE_S))
        for name, far in (("none", None), ("echo cancellation", played))
    ]


def in_noise(task: tuple[Path, str, Path, float]) -> list[tuple[str, str, float, bool]]:
    """Return whether a word was heard before a noise with each degree of suppression."""
    path, word, noise, snr_db = task
    speech = sound.load(path)
    pad = np.zeros(2 * RATE, np.float32)
    room = np.concatenate([pad, speech, pad])
    back = sound.part(sound.load(noise), len(room), len(speech))
    mixed = sound.add(room, back, speech_level=sound.speech_db(speech), level=sound.noise_db(back), snr_db=snr_db)
    stages: dict[str, list[Stage]] = {
        "none": [],
        "suppression 2": [NoiseGain(2, 0)],
        "suppression 4": [NoiseGain(4, 0)],
    }
    stages["suppression 2, gain 10"] = [NoiseGain(2, 10)]
    name = f"{noise.stem} {snr_db:g} dB"
    return [(name, kind, 0.0, wakes(cleaned(mixed, None, with_), word, 0.0)) for kind, with_ in stages.items()]


def rates(found: list[tuple[str, str, float, bool]]) -> list[WakeRate]:
    """Return one row for each condition and front end."""
    rows = []
    for behind, kind, above in dict.fromkeys((row[0], row[1], row[2]) for row in found):
        of = [heard for *key, heard in found if key == [behind, kind, above]]
        rows.append(WakeRate(behind, above, kind, sum(of), len(of)))
    return rows


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wake", type=Path, nargs="+", default=sorted((ROOT / "tests/data/satellite").glob("alexa-*")))
    parser.add_argument("--word", default="alexa")
    parser.add_argument("--speech", type=Path, default=sound.at_hand("librispeech-excerpts"))
    parser.add_argument("--noise", type=Path)
    parser.add_argument("--snr", type=float, default=10.0)
    parser.add_argument("--above", type=float, nargs="+", default=[-10.0, -5.0, 0.0, 10.0])
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as unpacked, multiprocessing.Pool() as pool:
        try:
            words = sound.find(arguments.wake, Path(unpacked))
            talk = np.concatenate([sound.load(path) for path in sound.find([arguments.speech], Path(unpacked))[:4]])
        except HearthError as error:
            sys.exit(str(error))
        plays = {"music": music(30.0), "speech": np.resize(talk, 30 * RATE)}
        erles = [row for name, played in plays.items() for row in measure_erle(played, name)]
        tasks = [Task(path, arguments.word, plays["music"], "nothing", -np.inf) for path in words]
        tasks += [
            Task(path, arguments.word, played, name, above)
            for name, played in plays.items()
            for above in arguments.above
            for path in words
        ]
        heard = [row for rows in pool.imap(say, tasks) for row in rows]
        if arguments.noise:
            noisy = [(path, arguments.word, arguments.noise, arguments.snr) for path in words]
            heard += [row for rows in pool.imap(in_noise, noisy) for row in rows]
    found = rates(heard)
    if arguments.json:
        print(json.dumps({"erle": [asdict(e) for e in erles], "wake": [asdict(r) for r in found]}, indent=1))
        return
    for erle in erles:
        print(f"{erle.played:8} delay {erle.delay_ms:4} ms   ERLE {erle.erle_db:5.1f} dB")
    for row in found:
        rate = f"{row.heard} of {row.said}, {100 * row.heard / row.said:.1f} %"
        print(f"{row.behind:24} echo {row.above_db:+4.0f} dB  {row.front_end:24} {rate}")


if __name__ == "__main__":
    main()
