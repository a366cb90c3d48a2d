"""Was the wake word said? The recogniser's model hears it again for the satellites, and turns down what was not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from wyoming.event import Event

from hearth_core.control_event import WakeVerdict, wake_sound_of
from hearth_core.errors import HearthError

from .pipeline import Pipeline

log = logging.getLogger("hearth.wake")

# Nats a phone beside free phones: so well must fit what a satellite is not sure of. How often other speech does hangs
# on the phrase: "hey jarvis" fits nowhere in ten hours, "okay nabu" once, "alexa" 110 times ("likes a…", "flexible"),
# with its own limit 45 times. Of the 80 such words of which the satellite is not sure in 15.5 hours 2 to 4 fit.
UNSURE_FIT: Final = -1.3
UNSURE_FITS: Final = {"alexa": -1.05}
# A sure word is ended only where it fits badly: three of six in those hours do, none of
# 123 people who say "jarvis", with dishes at 10 dB three. -2.0 would end five of the six, and 5 to 7 of the
# people, with dishes 13 to 16. Synthesised words all fit better than that: they are no measure of people.
SURE_FIT: Final = -3.0
# A word that is not sure, and a sure one right after it; more at once are junk.
_MOST: Final = 2


def said(phrase: str, fit: float, *, sure: bool) -> bool:
    """Return whether a wake word that fits so was said; a satellite was sure of it, or not."""
    return fit >= (SURE_FIT if sure else UNSURE_FITS.get(phrase.lower(), UNSURE_FIT))


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
        task = asyncio.create_task(self._judge(asked.id, asked.phrase, pcm, sure=asked.sure))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Answer nothing any more."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _judge(self, question: str, phrase: str, pcm: bytes, *, sure: bool) -> None:
        try:
            fit = await self._pipeline.phrase_fit(phrase, pcm)
            if fit is None:
                true, reason = sure, "the server does not know how the wake word is said"
            else:
                true, reason = said(phrase, fit, sure=sure), f"the server's model heard another: it fits by {fit:.1f}"
            if not true:
                log.info("%s satellite %s: %r, %s", question, self._name, phrase, reason)
            if not sure:
                await self._send(WakeVerdict(id=question, said=true, reason="" if true else reason).event())
            elif not true:
                self._refuse(question)
        except HearthError as error:  # the satellite is gone, or the model failed: nothing was verified
            log.warning("%s satellite %s: its wake word is not verified: %s", question, self._name, error)
        except Exception:
            log.exception("%s satellite %s: its wake word is not verified", question, self._name)
