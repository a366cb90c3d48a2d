"""New names and sentences under the running server: what texts are understood by first, then what speech is heard by.

The matcher takes a fraction of the time that the recogniser's grammar and graph take. So it is swapped as soon as it
is there, and the recogniser follows; meanwhile it hears the names of before.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from hearth_core.errors import HearthError
from hearth_core.home import Home
from hearth_intents.sentence_folders import SentenceFolders
from hearth_intents.sentences import Sentences

from .pipeline import Pipeline
from .sentence_watch import tell_problems, watching
from .understanding import grammar_of, understand_home

log = logging.getLogger(__name__)

# Names change in bursts (an area, its devices, their entities): the first change is taken at once; the next wait for as
# long as the matcher took, so that a burst never holds more than half of a core.
SOON_S: Final = 0.02
AT_MOST_S: Final = 1.0
# One graph serves a burst; but a house whose names never rest gets one now and then.
REST_S: Final = 0.3
MOST_PUT_OFF: Final = 10


async def keep_understanding(pipeline: Pipeline, folders: SentenceFolders, home: Home) -> None:
    """Rebuild matcher and grammar whenever names or sentences change, and swap them between utterances.

    Args:
        pipeline: whose.
        folders: with the sentences.
        home: that the pipeline understands now; the house may have become another while that was made.
    """
    renewal = _Renewal(pipeline, folders)
    pipeline.house.subscribe(lambda change: renewal.outdated.set() if change.vocabulary else None)
    if pipeline.house.home.vocabulary() != home.vocabulary():
        renewal.outdated.set()

    async def renew() -> tuple[HearthError, ...]:
        renewal.outdated.set()
        return (await asyncio.to_thread(folders.load)).problems

    pipeline.renew = renew
    async with watching(folders, renewal.outdated.set), asyncio.TaskGroup() as tasks:
        tasks.create_task(renewal.texts(), name="rebuild the matcher")
        tasks.create_task(renewal.speech(), name="rebuild the recogniser's grammar")


@dataclass(slots=True, eq=False)
class Rest:
    """How long to let names be after they were taken, counted from its end: a change that comes later waits no more.

    Attributes:
        clock: seconds that never go back.
    """

    clock: Callable[[], float] = time.monotonic
    _until: float = 0.0

    def after(self, began: float) -> None:
        """Rest for as long as what began then took, AT_MOST_S at most."""
        now = self.clock()
        self._until = now + min(AT_MOST_S, now - began)

    def left_s(self) -> float:
        """Return how many seconds a change that comes now is to wait."""
        return max(SOON_S, self._until - self.clock())


@dataclass(slots=True, eq=False)
class _Renewal:
    """The two that follow each other."""

    pipeline: Pipeline
    folders: SentenceFolders
    outdated: asyncio.Event = field(default_factory=asyncio.Event)
    unheard: asyncio.Event = field(default_factory=asyncio.Event)
    at_rest: bool = True
    sentences: Sentences | None = None  # those that the matcher is made of

    async def texts(self) -> None:
        """Rebuild what texts are understood by."""
        rest = Rest()
        while True:
            self.at_rest = True
            await self.outdated.wait()
            self.at_rest = False
            await asyncio.sleep(rest.left_s())
            self.outdated.clear()
            began = rest.clock()
            try:
                await self._understand()
                self.unheard.set()
            except HearthError as error:
                log.error("names or sentences changed, but the new ones cannot be used: %s", error)
            except Exception:  # the next change is to find somebody here
                log.exception("names or sentences changed, but the new ones cannot be used")
            rest.after(began)

    async def speech(self) -> None:
        """Rebuild what the recogniser hears by, when the matcher is at rest."""
        put_off = 0
        while True:
            await self.unheard.wait()
            await asyncio.sleep(REST_S)
            if put_off < MOST_PUT_OFF and not self.at_rest:
                put_off += 1
                continue
            put_off = 0
            self.unheard.clear()
            try:
                await self._hear()
            except HearthError as error:
                log.error("names or sentences changed, but the recogniser cannot use the new ones: %s", error)
            except Exception:  # as above
                log.exception("names or sentences changed, but the recogniser cannot use the new ones")

    async def _understand(self) -> None:
        pipeline, began = self.pipeline, time.monotonic()
        sentences = await asyncio.to_thread(self.folders.load)
        tell_problems(self.folders)
        after = await asyncio.to_thread(understand_home, sentences, pipeline.house.home, pipeline.understanding)
        pipeline.understanding = replace(after, grammar=pipeline.understanding.grammar)
        self.sentences = sentences
        log.info("names or sentences changed: understood after %.2f s", time.monotonic() - began)

    async def _hear(self) -> None:
        pipeline, began = self.pipeline, time.monotonic()
        # Not loaded again: a change that was loaded here would be known to the folders, and to nobody else.
        sentences = self.sentences
        assert sentences is not None
        digits = pipeline.settings.talk.gate.digits
        before = pipeline.understanding.grammar
        grammar = await asyncio.to_thread(grammar_of, sentences, pipeline.house.home, digits, before)
        await asyncio.to_thread(pipeline.engine.use, grammar)
        pipeline.understanding = replace(pipeline.understanding, grammar=grammar)
        took, words = time.monotonic() - began, len(grammar.graph.words)
        log.info("names or sentences changed: heard after %.2f s, %d words", took, words)
