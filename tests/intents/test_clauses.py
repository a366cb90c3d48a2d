"""Several commands in one sentence, and the time that a command is put off to."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from hearth_core.command import Clause, Context, Hypothesis, IntentMatch, Slot, Transcription
from hearth_core.home import Area, Entity, Floor, Home
from hearth_intents.clauses import MAX_CLAUSES, clauses, first_clauses
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import load_sentences

HOMES = {
    "en": ("Kitchen", "Bedroom", "Living Room", "Sofa Lamp", "Fan"),
    "de": ("Küche", "Schlafzimmer", "Wohnzimmer", "Sofalampe", "Ventilator"),
    "fr": ("Cuisine", "Chambre", "Salon", "Lampe du canapé", "Ventilateur"),
    "nl": ("Keuken", "Slaapkamer", "Woonkamer", "Banklamp", "Ventilator"),
}


def _home(language: str) -> Home:
    kitchen, bedroom, living, lamp, fan = HOMES[language]
    areas = [Area("kitchen", kitchen, floor_id="g"), Area("bedroom", bedroom, floor_id="g"), Area("living", living)]
    things = [
        Entity("light.kitchen", f"{kitchen} 1", area_id="kitchen"),
        Entity("light.bedroom", f"{bedroom} 1", area_id="bedroom"),
        Entity("light.sofa", lamp, area_id="living"),
        Entity("fan.fan", fan, area_id="living"),
        Entity("climate.living", "Thermostat", area_id="living", capabilities=frozenset({"temperature"})),
    ]
    return Home.of([Floor("g", "Ground Floor")], areas, things)


MATCHERS = {language: Matcher(load_sentences(language), _home(language)) for language in HOMES}
NOON = datetime(2026, 6, 1, 12, tzinfo=timezone(timedelta(hours=2)))


def _understood(text: str, language: str = "en") -> list[tuple[str, str | None]]:
    heard = Transcription((Hypothesis(text),), "text")
    found = MATCHERS[language].understand(heard, Context(language=language, now=NOON)).clauses
    return [
        (c.matches[0].intent, c.matches[0].value("name") or c.matches[0].value("area")) if c.matches else (c.text, None)
        for c in found
    ]


ON, OFF = "HassTurnOn", "HassTurnOff"


@pytest.mark.parametrize(
    ("language", "text", "meant"),
    [
        ("en", "turn on the sofa lamp and turn off the fan", [(ON, "light.sofa"), (OFF, "fan.fan")]),
        ("en", "turn on the sofa lamp, then turn off the fan", [(ON, "light.sofa"), (OFF, "fan.fan")]),
        ("en", "turn off the sofa lamp and the fan", [(OFF, "light.sofa"), (OFF, "fan.fan")]),
        ("en", "turn the kitchen and bedroom lights off", [(OFF, "kitchen"), (OFF, "bedroom")]),
        (
            "en",
            "turn off the kitchen lights, the bedroom lights and the fan",
            [(OFF, "kitchen"), (OFF, "bedroom"), (OFF, "fan.fan")],
        ),
        ("en", "tern on the sofa lamb and turn of the fan", [(ON, "light.sofa"), (OFF, "fan.fan")]),
        ("de", "schalte die sofalampe ein und schalte den ventilator aus", [(ON, "light.sofa"), (OFF, "fan.fan")]),
        ("de", "schalte die sofalampe und den ventilator aus", [(OFF, "light.sofa"), (OFF, "fan.fan")]),
        ("fr", "allume la lampe du canapé et éteins le ventilateur", [(ON, "light.sofa"), (OFF, "fan.fan")]),
        ("nl", "zet de banklamp aan en zet de ventilator uit", [(ON, "light.sofa"), (OFF, "fan.fan")]),
    ],
)  # fmt: skip
def test_each_command_of_a_sentence_is_understood(language: str, text: str, meant: list[tuple[str, str]]) -> None:
    assert _understood(text, language) == meant


def test_what_is_not_understood_after_a_command_is_told() -> None:
    assert _understood("turn on the sofa lamp and paint the ceiling blue") == [
        (ON, "light.sofa"),
        ("paint the ceiling blue", None),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "i walked the dog and turned on the radio",
        "and",
        "and and and, then",
        "salt, pepper and sugar",
        "turn on and off",
        " and ".join(["turn on the fan"] * (MAX_CLAUSES + 1)),
    ],
)
def test_what_is_no_command_stays_none_with_a_conjunction(text: str) -> None:
    assert not any(name for _, name in _understood(text))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("turn off the fan at 9 pm", NOON.replace(hour=21)),
        ("at 9 pm turn off the fan", NOON.replace(hour=21)),
        ("tern off the fann at 9 pm", NOON.replace(hour=21)),
    ],
)
def test_a_time_puts_a_command_off(text: str, at: datetime) -> None:
    heard = Transcription((Hypothesis(text),), "text")
    (clause,) = MATCHERS["en"].understand(heard, Context(now=NOON)).clauses
    assert clause.matches[0].value("name") == "fan.fan"
    assert clause.when is not None
    assert clause.when.at == at


def test_each_command_has_its_own_time() -> None:
    heard = Transcription((Hypothesis("turn on the sofa lamp at 8 pm and turn off the fan"),), "text")
    first, second = MATCHERS["en"].understand(heard, Context(now=NOON)).clauses
    assert first.when is not None
    assert second.when is None


def test_a_time_that_cannot_be_read_is_not_dropped() -> None:
    heard = Transcription((Hypothesis("turn off the fan at half past twenty seven"),), "text")
    found = MATCHERS["en"].understand(heard, Context(now=NOON)).clauses
    assert all(clause.when is not None and clause.when.unclear for clause in found)


def test_a_delayed_command_that_makes_no_sense_is_none() -> None:
    assert _understood("frobnicate the gizmo in ten minutes") == []


def _knows(*sentences: str) -> dict[str, Clause]:
    return {text: Clause(text, (IntentMatch(text.split()[0], {"x": Slot(1, "")}, text),)) for text in sentences}


def test_the_reader_decides_what_makes_sense() -> None:
    known = _knows("go home", "eat fish and chips", "sleep")
    asked: list[str] = []

    def read(text: str) -> Clause:
        asked.append(text)
        return known.get(text, Clause(text))

    found = clauses("go home and eat fish and chips, then sleep", "en", read)
    assert [clause.text for clause in found] == ["go home", "eat fish and chips", "sleep"]
    assert len(asked) == len(set(asked))  # nothing is read twice


def test_only_a_beginning_that_is_understood_counts() -> None:
    known = _knows("go home")
    read = lambda text: known.get(text, Clause(text))  # noqa: E731
    assert [c.text for c in first_clauses("go home and sing", "en", read)] == ["go home", "sing"]
    assert first_clauses("sing and go home", "en", read) == ()
    assert first_clauses("go home", "en", read) == ()
