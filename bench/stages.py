"""What each stage of the satellite costs: CPU seconds for an audio second, and the memory that it adds."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import psutil

AUDIO_S = 60.0
CHUNK_BYTES = 1024

Feed = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage in a process of its own; `rss_mb` is what it adds to a process that has numpy and Hearth's core."""

    name: str
    cpu_s_per_s: float
    rss_mb: float


def _capture() -> Feed:
    from hearth_core.audio import Chunker, Converter, PcmFormat

    converter, chunker = Converter(PcmFormat(48_000, 2, 2)), Chunker(CHUNK_BYTES)

    def feed(pcm: bytes) -> object:
        # 32 ms at 48 kHz in two channels is six times the bytes.
        return list(chunker.feed(converter.feed(pcm * 6)))

    return feed


def _capture_native() -> Feed:
    from hearth_core.audio import SPEECH, Chunker, Converter

    converter, chunker = Converter(SPEECH), Chunker(CHUNK_BYTES)
    return lambda pcm: list(chunker.feed(converter.feed(pcm)))


def _echo() -> Feed:
    from hearth_satellite.front_end import EchoCanceller, FrontEnd, Reference

    reference = Reference()
    front = FrontEnd([EchoCanceller(reference)], reference)

    def feed(pcm: bytes) -> object:
        reference.add(pcm)
        return front.feed(pcm)

    return feed


def _noise() -> Feed:
    from hearth_satellite.front_end import FrontEnd, NoiseGain

    return FrontEnd([NoiseGain(2, 15)]).feed


def _wake_one() -> Feed:
    from hearth_satellite.wake import MicroWakeWord

    return MicroWakeWord(["okay_nabu"]).feed


def _wake_three() -> Feed:
    from hearth_satellite.wake import MicroWakeWord

    return MicroWakeWord(["okay_nabu", "hey_jarvis", "alexa"]).feed


def _vad() -> Feed:
    from hearth_core.speech import SileroDetector

    return SileroDetector()


STAGES: dict[str, Callable[[], Feed]] = {
    "capture, 16 kHz mono": _capture_native,
    "capture, 48 kHz stereo": _capture,
    "echo cancellation": _echo,
    "noise suppression, gain": _noise,
    "wake word, one": _wake_one,
    "wake words, three": _wake_three,
    "VAD (in a command only)": _vad,
}


def _measure(name: str) -> Stage:
    import hearth_satellite.microphone  # noqa: F401 - what every satellite has

    process = psutil.Process()
    quiet = np.random.default_rng(0).normal(0, 50, round(AUDIO_S * 16_000)).astype("<i2").tobytes()
    before = process.memory_info().rss
    feed = STAGES[name]()
    for start in range(0, 100 * CHUNK_BYTES, CHUNK_BYTES):  # caches and first allocations
        feed(quiet[start : start + CHUNK_BYTES])
    began = time.process_time()
    for start in range(0, len(quiet) - CHUNK_BYTES + 1, CHUNK_BYTES):
        feed(quiet[start : start + CHUNK_BYTES])
    cpu = (time.process_time() - began) / AUDIO_S
    return Stage(name, round(cpu, 5), round((process.memory_info().rss - before) / 1e6, 1))


def measure_stages() -> list[Stage]:
    """Return the stages, each measured in a fresh process, one after the other."""
    context = multiprocessing.get_context("spawn")
    found = []
    for name in STAGES:
        with context.Pool(1) as pool:
            found.append(pool.apply(_measure, (name,)))
    return found
