"""A house of several satellites that hear one speaker, played through with a clock that jumps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from bench.virtual_time import run_virtually

from hearth_core.command import Context, EndReason, Hypothesis, Stopwatch, Transcription
from hearth_core.speech import Endpointer, EndpointSettings
from hearth_server.arbitration import Arbitration, Rules
from hearth_server.hearing import Ear, Hearing, Verdict, WakeFacts, Word
from tests.fakes import LoudnessDetector

RATE = 16_000
CHUNK_S = 0.032
FLOOR = 30  # amplitude of the rooms' noise


def speech(seed: int, seconds: float = 2.0, silence_s: float = 1.5, lead_s: float = 0.3) -> np.ndarray:
    """Return something that rises and falls as speech does: noise in syllables of random length, and then silence."""
    random = np.random.default_rng(seed)
    samples = random.normal(0, 1, int(seconds * RATE))
    at = 0
    while at < len(samples):
        loud, gap = int(random.uniform(0.1, 0.3) * RATE), int(random.uniform(0.05, 0.2) * RATE)
        samples[at : at + loud] *= random.uniform(0.4, 1.0)
        samples[at + loud : at + loud + gap] *= 0.02
        at += loud + gap
    return np.concatenate((np.zeros(int(lead_s * RATE)), samples, np.zeros(int(silence_s * RATE))))


def as_heard(sound: np.ndarray, amplitude: float, seed: int) -> bytes:
    """Return the speech as a satellite hears it, over the noise of its room."""
    noise = np.random.default_rng(seed).normal(0, FLOOR, len(sound))
    return np.clip(sound * amplitude + noise, -32768, 32767).astype("<i2").tobytes()


class LoudEnough(LoudnessDetector):
    """To this one, speech is what is louder than the rooms' noise."""

    def __call__(self, window: bytes) -> float:
        return 1.0 if np.abs(np.frombuffer(window, "<i2")).max() > FLOOR * 8 else 0.0


@dataclass
class FakeRecogniser:
    """Hears at each satellite what the test says, with the real end-pointer."""

    texts: dict[str, tuple[str, float] | Exception]
    asked: list[str] = field(default_factory=list)
    end: dict[str, EndReason] = field(default_factory=dict)

    def endpointer(self) -> Endpointer:
        return Endpointer(EndpointSettings(), LoudEnough())

    async def listen(
        self,
        audio: AsyncIterable[bytes],
        context: Context,
        watch: Stopwatch | None = None,
        *,
        word: Word | None = None,
    ) -> Transcription:
        name = context.satellite or ""
        self.asked.append(name)
        endpointer = self.endpointer()
        end: EndReason | None = None
        async for pcm in audio:
            end = endpointer.feed(pcm)
            if end is not None:
                break
        said = self.texts[name]
        if isinstance(said, Exception):
            raise said
        end = end or (EndReason.STOP if endpointer.speech_started else EndReason.NO_SPEECH)
        heard = (Hypothesis(*said),) if said[0] and end is not EndReason.NO_SPEECH else ()
        return Transcription(heard, "fake", self.end.get(name, end), endpointer.samples / RATE)


class House:
    """An arbitration with satellites that hear what the test says."""

    def __init__(self, texts: dict[str, tuple[str, float] | Exception], rules: Rules | None = None) -> None:
        self.recogniser = FakeRecogniser(texts)
        loop = asyncio.get_running_loop()
        self.clock = loop.time
        self.arbitration = Arbitration(self.recogniser, rules, loop.time)
        self.hearings: dict[str, Hearing] = {}
        self.decided_s: dict[str, float] = {}

    async def hears(
        self,
        name: str,
        pcm: bytes,
        *,
        late_s: float = 0.0,
        dies_s: float | None = None,
        stops: bool = False,
        group: str = "",
        wake: WakeFacts | None = None,
        alone: bool = False,
    ) -> Verdict | Exception:
        """Let a satellite hear this from now on; return its verdict."""
        await asyncio.sleep(late_s)
        context = Context(satellite=name, area_id=f"area of {name}")
        hearing = self.arbitration.begin(Ear(name, group), context, wake, alone=alone)
        self.hearings[name] = hearing
        streaming = asyncio.create_task(self._stream(hearing, pcm, dies_s, stops))
        try:
            async with asyncio.timeout(60):
                return await hearing.verdict
        except Exception as error:
            return error
        finally:
            self.decided_s[name] = self.clock()
            streaming.cancel()

    async def _stream(self, hearing: Hearing, pcm: bytes, dies_s: float | None, stops: bool) -> None:
        step = int(CHUNK_S * RATE) * 2
        for start in range(0, len(pcm), step):
            await asyncio.sleep(CHUNK_S)
            if dies_s is not None and start / 2 / RATE >= dies_s:
                self.arbitration.leave(hearing)
                return
            hearing.put(pcm[start : start + step])
        if stops:
            hearing.complete()


Played = Callable[[], Coroutine[Any, Any, None]]


def virtually(test: Played) -> Callable[[], None]:
    """Run a test in virtual time."""

    def run() -> None:
        run_virtually(test())

    run.__name__ = test.__name__
    return run


def answers(*verdicts: Verdict | Exception) -> list[Verdict]:
    return [v for v in verdicts if isinstance(v, Verdict) and v.transcription is not None]


LIGHT = ("turn on the light", 0.95)
DOOR = ("lock the front door", 0.95)
NOTHING = ("", 0.0)
SAID = speech(1)
NEAR, FAR = 8000.0, 2000.0
