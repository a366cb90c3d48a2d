"""What is spoken in `bench/rooms.py`: wake words from the tests, commands from recordings, and noises."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import scipy.signal
import soundfile
from numpy.typing import NDArray

Sound = NDArray[np.float32]

RATE: Final = 16_000
_ROOT: Final = Path(__file__).parents[1]
_WAKE: Final = _ROOT / "tests" / "data" / "satellite"
_CORPORA: Final = ("home-commands", "home-commands-dev", "barista-dev")
# A voice at 1 m: about 60 dB of sound pressure, on a microphone whose full scale is at 90 dB.
_LEVEL_DBFS: Final = -30.0
_LONGEST_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Said:
    """A command as it leaves the mouth: wake word, pause and command, at the level of 1 m."""

    text: str
    sound: Sound
    command: Sound  # alone, without the wake word


@dataclass(frozen=True, slots=True)
class Speech:
    """Recordings: wake words by name, commands by file name."""

    wake: dict[str, list[Sound]]
    commands: dict[str, Sound]
    source: str
    folder: Path

    def say(self, random: np.random.Generator, wake: str) -> Said:
        """Return one of the commands after the wake word: sometimes at once, sometimes after a breath."""
        words = self.wake[wake]
        word = words[int(random.integers(len(words)))]
        faster = random.uniform(0.94, 1.06)
        word = np.asarray(scipy.signal.resample(word, int(len(word) / faster)), np.float32)
        name = str(random.choice(sorted(self.commands)))
        loud = 10 ** ((_LEVEL_DBFS + random.uniform(-5.0, 5.0)) / 20)
        command = _at_level(self.commands[name]) * np.float32(loud)
        pause = np.zeros(int(random.uniform(0.0, 0.5) * RATE), np.float32)
        return Said(name, np.concatenate((_at_level(word) * np.float32(loud), pause, command)), command)


def load_speech(folder: Path) -> Speech:
    """Return what is in a folder of corpora, one tar each; the examples' recordings if there is none."""
    wake: dict[str, list[Sound]] = {}
    for path in sorted(_WAKE.glob("*-*.flac")):
        wake.setdefault(path.stem.partition("-")[0], []).append(_trimmed(_read(path)))
    commands: dict[str, Sound] = {}
    for corpus in _CORPORA:
        path = folder / f"{corpus}.tar"
        if path.exists():
            commands |= {f"{corpus}/{name}": sound for name, sound in _in_tar(path).items()}
    source = ", ".join(corpus for corpus in _CORPORA if (folder / f"{corpus}.tar").exists())
    if not commands:
        source = "examples/recordings"
        commands = {path.stem: _read(path) for path in sorted((_ROOT / "examples" / "recordings").glob("*.flac"))}
    kept = {name: _trimmed(sound) for name, sound in commands.items()}
    return Speech(wake, {n: s for n, s in kept.items() if 0.4 * RATE < len(s) < _LONGEST_S * RATE}, source, folder)


def load_noises(folder: Path) -> list[Sound]:
    """Return recorded noises at a level of 1; none if the folder has none."""
    path = folder / "noise.tar"
    if not path.exists():
        return []
    sounds = [s for name, s in sorted(_in_tar(path).items()) if "pink" not in name and "white" not in name]
    return [np.asarray(s / np.std(s), np.float32) for s in sounds]


def pink(random: np.random.Generator, length: int) -> Sound:
    """Return pink noise at a level of 1."""
    spectrum = np.fft.rfft(random.normal(0.0, 1.0, length))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(length, 1 / RATE), 20.0))
    noise = np.fft.irfft(spectrum, length)
    return np.asarray(noise / np.std(noise), np.float32)


def _in_tar(path: Path) -> dict[str, Sound]:
    sounds: dict[str, Sound] = {}
    with tarfile.open(path) as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isfile() else None
            if file is not None and member.name.endswith((".flac", ".opus", ".wav")):
                sounds[Path(member.name).stem] = _read(io.BytesIO(file.read()))
    return sounds


def _read(file: Path | io.BytesIO) -> Sound:
    samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
    mono = samples.mean(axis=1)
    if rate != RATE:
        mono = scipy.signal.resample_poly(mono, RATE, rate)
    return np.asarray(mono, np.float32)


def _trimmed(sound: Sound) -> Sound:
    """Return it without the silence at its ends."""
    loud = np.flatnonzero(np.abs(sound) > 0.05 * np.abs(sound).max(initial=1e-9))
    margin = int(0.05 * RATE)
    return sound[max(0, loud[0] - margin) : loud[-1] + margin] if len(loud) else sound


def _at_level(sound: Sound) -> Sound:
    """Return it at a level of 1 where it is loud, whatever its pauses."""
    frames = np.square(sound[: len(sound) // 320 * 320].reshape(-1, 320)).mean(axis=1)
    return np.asarray(sound / np.sqrt(np.mean(frames[frames >= np.median(frames)]) + 1e-12), np.float32)
