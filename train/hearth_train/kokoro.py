"""Stage 2b: a neural voice says the same kinds of text: Kokoro-82M, 28 English speakers and mixtures of two.

    python -m hearth_train.kokoro plan [--hours 4]                     what is said, by whom: ROOT/kokoro/plan.json
    python -m hearth_train.kokoro speak [--jobs 2] [--minutes 60]      shards of audio, as far as the time goes
    python -m hearth_train.kokoro say --text alexa --to FOLDER         one text by each English speaker, as WAV

An utterance takes as long as it lasts on one core, so this is for a machine with many (`pack` takes it there),
where it may run beside the training. An interrupted run goes on where it stopped. `train/voices.sh` gets the model.
Source: hexgrad/Kokoro-82M, Apache-2.0, StyleTTS 2 (Li et al. 2023) without diffusion.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hearth_core.audio import RATE, write_wav

from . import place, shard
from .pronounce import phones
from .shard import Utterance
from .texts import texts

FOLDER: Final = place.ROOT / "kokoro"
MODEL_RATE: Final = 24_000
PART: Final = 60  # utterances in a shard
SECONDS: Final = 2.6  # a text takes about as long
LONGEST: Final = 140  # of Kokoro's symbols; also the styles that are kept
ALONE: Final = 0.25  # of the utterances are of one speaker, the others of two mixed
SPEEDS: Final = (0.85, 1.0, 1.2)  # of what each speaker says for others to measure by
FOREIGN: Final = 0.2  # of the mixtures have a speaker of another language in them

# Kokoro writes with one letter what IPA, as espeak-ng has it, writes with two; both varieties, then each.
_SOUNDS: Final = {"a^ɪ": "I", "a^ʊ": "W", "d^ʒ": "ʤ", "e^ɪ": "A", "t^ʃ": "ʧ", "ɔ^ɪ": "Y", "ə^l": "ᵊl", "ʔˌn̩": "ʔn"}
_AMERICAN: Final = {"o^ʊ": "O", "ə^ʊ": "O", "əʊ": "O", "ɜːɹ": "ɜɹ", "ɜː": "ɜɹ", "ɪə": "iə", "ː": ""}
_BRITISH: Final = {"ə^ʊ": "Q", "əʊ": "Q", "o^ʊ": "Q"}
_LETTERS: Final = {"e": "A", "r": "ɹ", "x": "k", "ç": "k", "ɐ": "ə", "ɬ": "l", "ʔ": "t", "ʲ": "", "̃": "", "^": ""}


@dataclass(frozen=True, slots=True)
class Job:
    """One utterance.

    Attributes:
        text: what is said.
        symbols: the same as Kokoro's numbers.
        voices: name and weight of each speaker in the mixture.
        speed: 1 is usual.
    """

    text: str
    symbols: list[int]
    voices: list[tuple[str, float]]
    speed: float


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("step", choices=("plan", "speak", "say"))
    parser.add_argument("--hours", type=float, default=4.0, help="of the plan (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=1e6, help="most time to speak")
    parser.add_argument("--text", default="", help="what each speaker says")
    parser.add_argument("--to", type=Path, default=Path(), help="folder for what they say")
    options = parser.parse_args()
    from rich.progress import track

    if options.step == "plan":
        read = [u.text for index in sorted((place.PCM / "real").glob("*.json")) for u in shard.read(index).utterances]
        count = round(options.hours * 3600 / SECONDS)
        jobs = track(itertools.islice(plan(Random(7), read), count), "plan", total=count)
        with place.whole(FOLDER / "plan.json") as file:
            file.write_text(json.dumps([asdict(job) for job in jobs]), "utf-8")
        return
    if options.step == "say":
        options.to.mkdir(parents=True, exist_ok=True)
        for job in track(list(everybody(options.text)), "say"):
            write_wav(options.to / f"{job.voices[0][0]}-{job.speed}.wav", speak(job).astype("<i2").tobytes())
        return
    planned = [Job(**job) for job in json.loads((FOLDER / "plan.json").read_text("utf-8"))]
    parts = [(start // PART, planned[start : start + PART]) for start in range(0, len(planned), PART)]
    speak_until = partial(speak_part, time.time() + options.minutes * 60)
    with get_context("spawn").Pool(options.jobs) as pool:
        for _ in track(pool.imap_unordered(speak_until, parts), "speak", len(parts)):
            pass


def everybody(text: str) -> Iterator[Job]:
    """Yield a text for each English speaker, at each of the speeds."""
    for voice, speed in itertools.product(_english(), SPEEDS):
        yield Job(text, written(text, british=voice[0] == "b"), [(voice, 1.0)], speed)


def plan(rng: Random, read: list[str]) -> Iterator[Job]:
    """Yield jobs without end."""
    english = _english()
    foreign = sorted(file.stem for file in (FOLDER / "voices").glob("[!ab][fm]_*.npy"))
    for text in texts(rng, read):
        first = rng.choice(english)
        voices = [(first, 1.0)]
        if rng.random() > ALONE:
            other = rng.choice(foreign if rng.random() < FOREIGN else english)
            share = rng.uniform(0.25, 0.6)
            voices = [(first, round(1 - share, 3)), (other, round(share, 3))]
        symbols = written(text, british=first[0] == "b")
        if symbols and len(symbols) <= LONGEST and phones(text):
            yield Job(text, symbols, voices, round(rng.uniform(0.8, 1.35), 2))


def written(text: str, *, british: bool) -> list[int]:
    """Return a text as Kokoro's symbols."""
    said = _phonemizer("en-gb" if british else "en-us").phonemize([text])[0].strip()
    for ipa, letter in {**_SOUNDS, **(_BRITISH if british else _AMERICAN), **_LETTERS}.items():
        said = said.replace(ipa, letter)
    said = re.sub("(\\S)̩", r"ᵊ\1", said)  # a syllable without a vowel
    return [_vocabulary()[letter] for letter in said if letter in _vocabulary()]


def speak_part(until: float, part: tuple[int, list[Job]]) -> None:
    """Make one shard, unless it is there or the time is over."""
    number, jobs = part
    name, folder = f"kokoro-{number}", place.PCM / "synthetic"
    if time.time() > until or shard.path_of(folder, name).exists():
        return
    items = []
    for index, job in enumerate(jobs):
        said = phones(job.text)
        assert said  # the plan has no others
        speaker = "kokoro-" + "-".join(voice for voice, _ in job.voices)
        items.append((Utterance(f"{name}-{index}", "kokoro", speaker, job.text, said), speak(job)))
    shard.write(folder, name, items)


def speak(job: Job) -> NDArray[np.int16]:
    """Return the speech, 16 kHz."""
    from scipy.signal import resample_poly

    style = sum(weight * _style(voice)[len(job.symbols)].astype(np.float32) for voice, weight in job.voices)
    given = {
        "tokens": np.array([[0, *job.symbols, 0]]),
        "style": style,
        "speed": np.array([job.speed], np.float32),
    }
    sound = resample_poly(_session().run(None, given)[0].squeeze(), RATE, MODEL_RATE)
    return np.asarray(np.clip(sound * 32768 / max(1.0, float(np.abs(sound).max())), -32768, 32767), np.int16)


def keep_styles(source: Path) -> None:
    """Make the speakers' tables small: the styles of texts up to LONGEST symbols, float16."""
    (FOLDER / "voices").mkdir(parents=True, exist_ok=True)
    for file in sorted(source.glob("*.bin")):
        table = np.fromfile(file, "<f4").reshape(-1, 1, 256)
        np.save(FOLDER / "voices" / f"{file.stem}.npy", table[: LONGEST + 1].astype(np.float16))


def _english() -> list[str]:
    return sorted(file.stem for file in (FOLDER / "voices").glob("[ab][fm]_*.npy"))


@lru_cache(maxsize=64)
def _style(voice: str) -> NDArray[np.float16]:
    table: NDArray[np.float16] = np.load(FOLDER / "voices" / f"{voice}.npy")
    return table


@lru_cache(maxsize=1)
def _session() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(FOLDER / "kokoro.onnx"), options, providers=["CPUExecutionProvider"])


@lru_cache(maxsize=2)
def _phonemizer(language: str) -> Any:
    import espeakng_loader
    from phonemizer.backend import EspeakBackend
    from phonemizer.backend.espeak.wrapper import EspeakWrapper

    EspeakWrapper.set_library(espeakng_loader.get_library_path())
    EspeakWrapper.set_data_path(espeakng_loader.get_data_path())
    return EspeakBackend(language, preserve_punctuation=True, with_stress=True, tie="^")


@lru_cache(maxsize=1)
def _vocabulary() -> dict[str, int]:
    known: dict[str, int] = json.loads((FOLDER / "vocab.json").read_text("utf-8"))["vocab"]
    return known


if __name__ == "__main__":
    main()
