"""A live level meter in the terminal: speak, and see whether the right microphone hears it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import numpy as np

from .level import FLOOR_DBFS, dbfs

if TYPE_CHECKING:
    from rich.console import Console

    from .microphone import Microphone

_WIDTH: Final = 50
_LOWEST_DBFS: Final = -70.0  # the left end of the bar: a quiet room
_LATE_S: Final = 5.0  # without any sound: the device does not work


async def show_level(microphone: Microphone, console: Console, seconds: float) -> float:
    """Show the level of a microphone for so long; return the loudest in dB below full scale.

    Raises:
        AudioError: the microphone cannot be used.
        TimeoutError: it delivers nothing.
    """
    from rich.live import Live
    from rich.text import Text

    loudest, heard = FLOOR_DBFS, 0.0
    async with microphone:
        chunks = aiter(microphone)
        with Live(console=console, refresh_per_second=10, transient=False) as live:
            while heard < seconds:
                try:
                    async with asyncio.timeout(_LATE_S):
                        pcm = await anext(chunks)
                except StopAsyncIteration:
                    break
                heard += len(pcm) / 32_000
                samples = np.frombuffer(pcm, "<i2").astype(np.float32)
                level = dbfs(float(np.mean(samples**2)))
                loudest = max(loudest, level)
                live.update(Text(_bar(level, loudest)))
    return loudest


def _bar(level: float, loudest: float) -> str:
    def place(value: float) -> int:
        return round(_WIDTH * min(1.0, max(0.0, (value - _LOWEST_DBFS) / -_LOWEST_DBFS)))

    bar = ("█" * place(level)).ljust(_WIDTH, "·")
    peak = place(loudest)
    if 0 < peak <= _WIDTH:
        bar = bar[: peak - 1] + "│" + bar[peak:]
    return f"{bar} {level:6.1f} dBFS"
