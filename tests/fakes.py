"""Parts that stand in for real ones where a test must say exactly what happens; each implements the Protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import numpy as np

from hearth_core.command import Hypothesis
from hearth_intents.grammar import Grammar
from hearth_server.asr.engine import Ending

RATE = 16_000


def tone(seconds: float, amplitude: int = 8000) -> bytes:
    """Return a 440 Hz tone, 16 kHz s16le mono, which `LoudnessDetector` takes for speech."""
    t = np.arange(int(seconds * RATE)) / RATE
    return (amplitude * np.sin(2 * np.pi * 440 * t)).astype("<i2").tobytes()


def stand_still(seconds: float) -> None:
    """Let the running event loop be so much later at once, as one that stood still: no callback ran in between."""
    loop = asyncio.get_running_loop()
    time = loop.time
    loop.time = lambda: time() + seconds  # type: ignore[method-assign]


def silence(seconds: float) -> bytes:
    """Return digital silence, 16 kHz s16le mono."""
    return bytes(2 * int(seconds * RATE))


class LoudnessDetector:
    """A SpeechDetector to which loud is speech."""

    window_bytes = 1024

    def __call__(self, window: bytes) -> float:
        return 1.0 if np.abs(np.frombuffer(window, "<i2")).max() > 1000 else 0.0

    def reset(self) -> None:
        pass


class FakeStream:
    """A Stream that knows beforehand what is said."""

    def __init__(self, text: str, confidence: float | None) -> None:
        self._text = text
        self._confidence = confidence
        self.pcm = b""
        self.closed = False
        self.expected: tuple[str, ...] = ()
        self.near: tuple[str, ...] = ()
        self.replies = False

    def prefer(self, names: Sequence[str], near: Sequence[str]) -> None:
        assert not self.pcm, "names are told before the audio"
        self.expected = tuple(names)
        self.near = tuple(near)

    def reply(self) -> None:
        assert not self.pcm, "it is told before the audio"
        self.replies = True

    def feed(self, pcm: bytes) -> Hypothesis | None:
        self.pcm += pcm
        return Hypothesis(self._text[: len(self.pcm) // 8000]) if self._text else None

    def pause(self) -> None:
        pass

    def ending(self, unspoken_s: float) -> Ending:
        return Ending()

    def finish(self) -> tuple[Hypothesis, ...]:
        return (Hypothesis(self._text, self._confidence),) if self._text else ()

    def close(self) -> None:
        self.closed = True


class FakeEngine:
    """An Engine that hears these texts, one an utterance, and the last one for ever."""

    name = "fake"
    closed = False
    least_confidence = 0.0

    def __init__(self, texts: Iterable[str] = ("",), confidence: float | None = 0.9) -> None:
        self._texts = list(texts)
        self._confidence = confidence
        self.streams: list[FakeStream] = []
        self.grammars: list[Grammar] = []

    def use(self, grammar: Grammar) -> None:
        self.grammars.append(grammar)

    def open(self) -> FakeStream:
        text = self._texts[min(len(self.streams), len(self._texts) - 1)]
        self.streams.append(FakeStream(text, self._confidence))
        return self.streams[-1]

    def close(self) -> None:
        pass
