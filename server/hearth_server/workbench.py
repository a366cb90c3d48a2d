"""What an author's tools work on: the sentences of a language with the author's folders, in one home."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hearth_core.command import Action, Context, Outcome, OutcomeStatus
from hearth_core.config import Config
from hearth_core.errors import InputError
from hearth_core.home import Home
from hearth_intents.home_sentences import HomeSentences
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import Sentences, load_sentences
from hearth_intents.test_file import home_of, read_fixtures

from .bus import Bus, Watcher
from .demo_home import DemoHome
from .house import House
from .phrasebook import Phrasebook
from .server import SETTLE_S, running_house

CONFIGURED, DEMO = "configured", "demo"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the options of the command line ask for.

    Attributes:
        folders: of sentences; empty for those of the configuration.
        language: None for the configured one.
        home: `configured`, `demo`, or a file in the form of `_fixtures.yaml`.
    """

    folders: tuple[Path, ...] = ()
    language: str | None = None
    home: str = CONFIGURED


@dataclass(frozen=True)
class Workbench:
    """Sentences in a home.

    Attributes:
        config: the configuration.
        folders: the author's.
        sentences: of the language, with the folders' in them.
        house: the running house; its buses are started.
        home: the house when it was opened.
    """

    config: Config
    folders: tuple[Path, ...]
    sentences: Sentences
    house: House
    home: Home

    @cached_property
    def matcher(self) -> Matcher:
        """The matcher."""
        return Matcher(self.sentences, self.home)

    @cached_property
    def phrasebook(self) -> Phrasebook:
        """The answers."""
        return Phrasebook(self.sentences)

    @cached_property
    def templates(self) -> HomeSentences:
        """Every template in this home."""
        return HomeSentences(self.sentences, self.home)

    def context(self, area: str = "") -> Context:
        """Return the context of somebody who speaks in an area.

        Raises:
            InputError: the home has none of that name.
        """
        found = self.home.area_named(area) if area else None
        if area and found is None:
            known = ", ".join(each.name for each in self.home.areas.values()) or "none"
            raise InputError(f"the home has no area {area!r}", remedy=f"It has {known}")
        return Context(language=self.sentences.language, area_id=found.area_id if found else None)


class _Drawn:
    """A home from a file, as a bus: its things are as they are said to be, and nothing moves them."""

    name = "file"
    reachable = True

    def __init__(self, home: Home) -> None:
        self.home = home

    async def start(self, watcher: Watcher) -> None:
        """Do nothing; see `Bus`."""

    async def stop(self) -> None:
        """Do nothing; see `Bus`."""

    async def perform(self, action: Action, timeout_s: float) -> tuple[Outcome, ...]:
        """Refuse: there are no devices behind a file."""
        return tuple(Outcome(i, OutcomeStatus.FAILED, "the home is only a file") for i in action.entity_ids)


@contextlib.asynccontextmanager
async def workbench(config: Config, wanted: Wanted) -> AsyncIterator[Workbench]:
    """Open a workbench; the buses of its house run until it is left.

    Raises:
        ConfigError, SentenceError: the home or the sentences cannot be had.
    """
    folders = wanted.folders or tuple(Path(folder) for folder in config.server.sentences)
    language = wanted.language or config.language
    sentences = await asyncio.to_thread(load_sentences, language, folders)
    async with _house(config, wanted.home) as house:
        yield Workbench(config, folders, sentences, house, house.home)


@contextlib.asynccontextmanager
async def _house(config: Config, name: str) -> AsyncIterator[House]:
    if name == CONFIGURED:
        async with running_house(config, settle_s=SETTLE_S) as house:
            yield house
        return
    bus: Bus = DemoHome() if name == DEMO else _Drawn(await asyncio.to_thread(_read, Path(name)))
    house = House([bus])
    await house.start()
    try:
        yield house
    finally:
        await house.stop()


def _read(path: Path) -> Home:
    if not path.is_file():
        raise InputError(f"there is no home {str(path)!r}", remedy="Say configured, demo, or name a _fixtures.yaml")
    return home_of(read_fixtures(path))
