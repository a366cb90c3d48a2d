"""Stage 2: synthetic voices say many texts; shards of audio, a few hundred utterances each.

    python -m hearth_train.synthesise [--hours 15] [--jobs 2]

The voices come from train/voices.sh. Each part of the work is a shard of its own, so an interrupted run goes on where
it stopped.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from hearth_core.audio import read_recording
from hearth_core.errors import EngineError

from . import place, shard
from .pronounce import phones
from .shard import Utterance
from .texts import texts

PART = 200  # utterances in a shard
SECONDS = 2.6  # a text takes about as long
ESPEAK = (
    [f"en-us+{v}" for v in ("f1", "f2", "f3", "f4", "f5", "m1", "m3", "m4", "m7", "Alicia", "linda", "max", "steph")]
    + [f"en-gb+{v}" for v in ("f2", "f4", "m2", "m6", "Andy", "Annie", "belinda")]
    + ["en-gb-scotland+m3", "en-gb-x-rp+f3", "en-gb-x-gbclan+m5", "en-gb-x-gbcwmd+f1", "en-029+m8"]
)


@dataclass(frozen=True, slots=True)
class Voice:
    """One speaker of one program; `share` is its part of all hours."""

    program: str
    name: str
    share: float


VOICES = (
    *(Voice("rhvoice", name, 0.085) for name in ("alan", "bdl", "clb", "slt")),
    *(Voice("pico", name, 0.10) for name in ("en-US", "en-GB")),
    *(Voice("flite", name, 0.07) for name in ("rms", "slt", "awb")),
    *(Voice("festival", name, 0.02) for name in ("voice_kal_diphone", "voice_ked_diphone")),
    *(Voice("espeak", name, 0.16 / len(ESPEAK)) for name in ESPEAK),
)


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--hours", type=float, default=15.0, help="of all voices together (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    from rich.progress import Progress

    parts = [
        (voice, part)
        for voice in VOICES
        for part in range(max(1, round(options.hours * 3600 * voice.share / SECONDS / PART)))
    ]
    Random(0).shuffle(parts)
    read = [u.text for index in sorted((place.PCM / "real").glob("*.json")) for u in shard.read(index).utterances]
    with get_context("spawn").Pool(options.jobs) as pool, Progress() as progress:
        task = progress.add_task("synthesise", total=len(parts))
        for _ in pool.imap_unordered(partial(speak_part, read), parts):
            progress.advance(task)


def speak_part(read: list[str], part: tuple[Voice, int]) -> None:
    """Make one shard, unless it is there.

    Raises:
        EngineError: the voice could speak no text at all.
    """
    voice, number = part
    name = f"{voice.program}-{voice.name.replace('+', '-')}-{number}"
    folder = place.PCM / "synthetic"
    if shard.path_of(folder, name).exists():
        return
    rng = Random(zlib.crc32(name.encode()))
    items = []
    for index, text in enumerate(itertools.islice(texts(rng, read), PART)):
        pcm = speak(voice, text, rng)
        said = phones(text)
        if said and len(pcm) > 1600:
            speaker = f"{voice.program}-{voice.name}"
            items.append((Utterance(f"{name}-{index}", voice.program, speaker, text, said), pcm))
    if not items:  # an empty shard would be there, and the voice missing from the training without a word
        raise EngineError(f"{voice.program} {voice.name} speaks nothing", remedy="Run train/voices.sh again")
    shard.write(folder, name, items)


def speak(voice: Voice, text: str, rng: Random) -> NDArray[np.int16]:
    """Return speech at a chance rate and pitch; empty if the program fails on this text."""
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "speech.wav"
        command, stdin = _PROGRAMS[voice.program](voice.name, text, wav, rng)
        try:
            result = subprocess.run(command, input=stdin.encode(), capture_output=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            return np.zeros(0, np.int16)
        if result.returncode or not wav.exists():
            return np.zeros(0, np.int16)
        return np.frombuffer(read_recording(wav), "<i2")


def _rhvoice(name: str, text: str, wav: Path, rng: Random) -> tuple[list[str], str]:
    rate, pitch = rng.randint(80, 130), rng.randint(85, 115)
    return [*_foreign("RHVoice-test"), "-p", name, "-r", str(rate), "-t", str(pitch), "-o", str(wav)], text


def _pico(name: str, text: str, wav: Path, rng: Random) -> tuple[list[str], str]:
    speed, pitch = rng.randint(80, 135), rng.randint(80, 125)
    said = f'<speed level="{speed}"><pitch level="{pitch}">{text}</pitch></speed>'
    return [*_foreign("pico2wave"), "-l", name, "-w", str(wav), said], ""


def _flite(name: str, text: str, wav: Path, rng: Random) -> tuple[list[str], str]:
    stretch = f"duration_stretch={rng.uniform(0.75, 1.25):.2f}"
    return ["flite", "-voice", name, "--setf", stretch, "-t", text, "-o", str(wav)], ""


def _festival(name: str, text: str, wav: Path, rng: Random) -> tuple[list[str], str]:
    stretch = f"(Parameter.set 'Duration_Stretch {rng.uniform(0.75, 1.2):.2f})"
    return ["text2wave", "-eval", f"({name})", "-eval", stretch, "-o", str(wav)], text


def _espeak(name: str, text: str, wav: Path, rng: Random) -> tuple[list[str], str]:
    speed, pitch = rng.randint(120, 210), rng.randint(20, 80)
    return ["espeak-ng", "-v", name, "-s", str(speed), "-p", str(pitch), "-w", str(wav), text], ""


def _foreign(program: str) -> list[str]:
    """Return how a program of another Debian is started: with its own loader and libraries."""
    libraries = place.VOICES / "usr/lib/x86_64-linux-gnu"
    loader = (place.VOICES / "usr/lib64/ld-linux-x86-64.so.2").resolve()
    return [
        str(loader),
        "--library-path",
        f"{libraries}:{libraries}/pulseaudio",
        str(place.VOICES / "usr/bin" / program),
    ]


_PROGRAMS: dict[str, Callable[[str, str, Path, Random], tuple[list[str], str]]] = {
    "rhvoice": _rhvoice,
    "pico": _pico,
    "flite": _flite,
    "festival": _festival,
    "espeak": _espeak,
}


if __name__ == "__main__":
    main()
