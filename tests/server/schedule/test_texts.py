"""What is said, in every language that has a file."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from hearth_server.schedule.item import Item, Kind
from hearth_server.schedule.texts import Texts

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 18, 15, 0, tzinfo=ZONE)
LANGUAGES = ("en", "de", "fr", "nl", "es")
VALUES: dict[str, Any] = {
    "moment": "at 9", "when": "at 9", "every": [0], "duration": "1 h", "late": "1 h", "list": "a", "count": 2,
    "name": "pizza", "text": "x", "command": "y", "first": "a", "last": "b", "hour": 9, "hour12": 9, "minute": "05",
    "days": 1, "weekday": 2, "month": 3, "day": 4, "hours": 1, "minutes": 2, "seconds": 3,
}  # fmt: skip


def data(language: str) -> dict[str, Any]:
    file = resources.files("hearth_server.schedule") / "texts" / f"{language}.yaml"
    loaded: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text_and_each_can_be_said(language: str) -> None:
    texts = data(language)
    assert set(texts["texts"]) == set(data("en")["texts"])
    assert (len(texts["weekdays"]), len(texts["months"])) == (7, 12)
    for key in texts["texts"]:
        assert Texts(language, ZONE).say(key, **VALUES)


MOMENTS = [
    ("en", timedelta(hours=6), "9 pm"), ("en", timedelta(days=1), "3 pm tomorrow"),
    ("en", timedelta(hours=9), "midnight tomorrow"),
    ("en", timedelta(days=5), "3 pm on Monday"), ("en", timedelta(days=15, minutes=5), "3:05 pm on December 3"),
    ("de", timedelta(hours=6), "um 21 Uhr"), ("de", timedelta(days=1), "morgen um 15 Uhr"),
    ("de", timedelta(days=5, minutes=5), "am Montag um 15 Uhr 5"),
    ("de", timedelta(days=15), "am 3. Dezember um 15 Uhr"),
    ("fr", timedelta(hours=6), "à 21 heures"), ("fr", timedelta(days=1), "demain à 15 heures"),
    ("fr", timedelta(days=5, minutes=5), "lundi à 15 heures 5"),
    ("nl", timedelta(hours=6), "om 21 uur"), ("nl", timedelta(days=5), "maandag om 15 uur"),
    ("es", timedelta(hours=6), "a las 21"), ("es", timedelta(days=5, minutes=5), "el lunes a las 15 y 5"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "ahead", "told"), MOMENTS)
def test_moments(language: str, ahead: timedelta, told: str) -> None:
    assert Texts(language, ZONE).moment((NOW + ahead).timestamp(), NOW.timestamp()) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "1 second"), (1, "1 second"), (59.6, "1 minute"), (90, "1 minute and 30 seconds"), (3600, "1 hour"),
     (7260, "2 hours and 1 minute"), (7261, "2 hours and 1 minute"), (86_400, "24 hours")],
)  # fmt: skip
def test_lengths_of_time(seconds: float, told: str) -> None:
    assert Texts("en", ZONE).duration(seconds) == told


@pytest.mark.parametrize(
    ("every", "told"),
    [(range(7), "every day"), (range(5), "on weekdays"), ((5, 6), "at weekends"), ((0,), "every Monday"),
     ((0, 2, 4), "every Monday, Wednesday and Friday")],
)  # fmt: skip
def test_what_comes_again(every: Any, told: str) -> None:
    due = (NOW + timedelta(hours=1)).timestamp()
    item = Item(Kind.ALARM, due, 0.0, every=tuple(every))
    assert Texts("en", ZONE).when(item, NOW.timestamp()) == f"{told}, next at 4 pm"


def test_a_language_without_texts_is_served_in_english_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    assert Texts("pl", ZONE).say("stopped") == "Stopped"
    assert "not translated to pl" in caplog.text
    assert Texts("de-CH", ZONE).say("stopped") == "Beendet"
