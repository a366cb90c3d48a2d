"""Telling somebody who speaks to a satellite that nobody drives it: in words of the package, or by a tone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from hearth_core.audio import read_recording
from hearth_core.errors import AudioError

from .answers import Answers
from .chime import Chime
from .news import Happening, News

_LOG = logging.getLogger(__name__)

LANGUAGES: Final = ("en", "de", "fr", "nl", "es")
"""What it can be said in; `spoken/` has a recording for each."""

_FOLDER: Final = Path(__file__).parent / "spoken"


class NotConnected:
    """Says it to one who speaks, and not to a television that says the wake word all evening.

    Args:
        answers: where it is heard.
        news: is told too.
        spoken: what is said by the language of the wake word, 16 kHz s16le mono; `""` is for all others. Empty: a tone.
        every_s: it is said no more often.
        clock: monotonic seconds.
    """

    def __init__(
        self, answers: Answers, news: News, spoken: Mapping[str, bytes], every_s: float, clock: Callable[[], float]
    ) -> None:
        self._answers = answers
        self._news = news
        self._spoken = spoken
        self._every_s = every_s
        self._clock = clock
        self._told_at = float("-inf")

    def tell(self, language: str = "") -> None:
        """Say it, unless it was said just now."""
        now = self._clock()
        if now - self._told_at < self._every_s:
            return
        self._told_at = now
        _LOG.warning("somebody speaks to the satellite, and no driver is there")
        self._news.tell(Happening.NOT_CONNECTED)
        words = self._spoken.get(language.partition("-")[0], self._spoken.get(""))
        if words is None:
            self._answers.chime(Chime.NOT_CONNECTED)
        else:
            self._answers.say(words)


def load_spoken(choice: str, word_languages: Iterable[str], environment: Mapping[str, str]) -> dict[str, bytes]:
    """Return what is said, by language; nothing if it is to be a tone.

    Args:
        choice: one of `LANGUAGES`, `tone`, or `auto`: the wake word's language, else the system's, else English.
        word_languages: of the wake words that have one of their own.
        environment: has the system's language as `LC_ALL`, `LC_MESSAGES` or `LANG`.
    """
    if choice == "tone":
        return {}
    system = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := environment.get(name))), "")
    usual = choice if choice in LANGUAGES else system[:2] if system[:2] in LANGUAGES else "en"
    own = [] if choice in LANGUAGES else [language.partition("-")[0] for language in word_languages]
    try:
        spoken = {language: _read(language) for language in own if language in LANGUAGES}
        return {**spoken, "": _read(usual)}
    except AudioError as error:  # soundfile is not installed
        _LOG.warning("where no server is there a tone says so, and no voice: %s", error)
        return {}


def _read(language: str) -> bytes:
    return read_recording(_FOLDER / f"{language}.flac")
