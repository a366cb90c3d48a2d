"""Was the wake word said? The recogniser's model hears it again for the satellites, and turns down what was not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from wyoming.event import Event

from hearth_core.control_event import WakeSound, WakeVerdict, wake_sound_of
from hearth_core.errors import HearthError

from .pipeline import Pipeline

log = logging.getLogger("hearth.wake")

# Nats a phone beside free phones: so well the word must fit if the satellite is exactly as sure as it asks to be. Of
# 123 people who say "jarvis" three fit worse, with dishes at 10 dB some thirteen.
FIT: Final = -2.3
# So much less well for each nat of the odds by which the satellite is surer, and better where it is less sure: two who
# listen apart add up. Of 15.5 hours of other speech, in four orders, 3.2 in 10 hours are taken for "alexa";
# of 84 synthesised ones 84 are heard, with dishes at 10 dB 79 to 82.
FIT_PER_MARGIN: Final = 0.5
# What a satellite that does not say how sure it is stands for.
_MARGIN: Final = {True: 1.4, False: -2.0}
# A word that is not sure, and a sure one right after it; more at once are junk.
_MOST: Final = 2


def said(fit: float, *, sure: bool, margin: float | None = None) -> bool:
    """Return whether a wake word that fits so was said; a satellite was sure of it, or not, by so much."""
    return fit >= FIT - FIT_PER_MARGIN * (_MARGIN[sure] if margin is None else margin)


class WakeCheck:
    """The wake words of one satellite.

    Args:
        pipeline: whose recogniser can tell.
        name: of the satellite.
        send: sends it an event.
        refuse: ends a command, by its id, without an answer.
    """

    def __init__(
        self, pipeline: Pipeline, name: str, send: Callable[[Event], Awaitable[None]], refuse: Callable[[str], None]
    ) -> None:
        self._pipeline = pipeline
        self._name = name
        self._send = send
        self._refuse = refuse
        self._tasks: set[asyncio.Task[None]] = set()

    def hear(self, event: Event) -> None:
        """Take a satellite's question, and answer it beside all else.

        Raises:
            WireError: its data are not what its type asks for.
        """
        asked, pcm = wake_sound_of(event)
        if len(self._tasks) >= _MOST:
            return  # the satellite waits for no verdict for long
        task = asyncio.create_task(self._judge(asked, pcm))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Answer nothing any more."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _judge(self, asked: WakeSound, pcm: bytes) -> None:
        try:
            fit = await self._pipeline.phrase_fit(asked.phrase, pcm)
            if fit is None:
                true, reason = asked.sure, "the server does not know how the wake word is said"
            else:
                true = said(fit, sure=asked.sure, margin=asked.margin)
                reason = f"the server's model heard another: it fits by {fit:.1f}"
            if not true:
                log.info("%s satellite %s: %r, %s", asked.id, self._name, asked.phrase, reason)
            if not asked.sure:
                await self._send(WakeVerdict(id=asked.id, said=true, reason="" if true else reason).event())
            elif not true:
                self._refuse(asked.id)
        except HearthError as error:  # the satellite is gone, or the model failed: nothing was verified
            log.warning("%s satellite %s: its wake word is not verified: %s", asked.id, self._name, error)
        except Exception:
            log.exception("%s satellite %s: its wake word is not verified", asked.id, self._name)
