"""Timers and alarms in the other languages, from the sentence to the answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from hearth_core.command import ResponseKind
from hearth_intents.sentences import load_sentences
from hearth_server.demo_home import DemoHome
from hearth_server.house import House
from hearth_server.understanding import Understanding, understand_home
from tests.schedule_fakes import KITCHEN, rigged

SAID = {
    "de": [
        ("stell einen Pizza Timer auf zehn Minuten", "Timer namens Pizza für 10 Minuten gestartet", ResponseKind.DONE),
        ("wie lange läuft der pizza timer noch", "10 Minuten verbleiben.", ResponseKind.ANSWER),
        ("brich den pizza timer ab", "Timer gestoppt", ResponseKind.DONE),
        ("weck mich morgen um halb sieben", "Wecker gestellt, morgen um 6 Uhr 30", ResponseKind.DONE),
        ("welche Wecker sind gestellt", "Ein Wecker ist gestellt, morgen um 6 Uhr 30", ResponseKind.ANSWER),
        ("stell einen Wecker auf sieben Uhr dreißig", "Wecker gestellt, um 19 Uhr 30", ResponseKind.DONE),
        ("lösch alle Wecker", "2 Wecker gelöscht", ResponseKind.DONE),
        ("weck mich in zwanzig Minuten", "Wecker gestellt, um 15 Uhr 20", ResponseKind.DONE),
        ("weck mich abends", "Für wann?", ResponseKind.QUESTION),
        ("was ist geplant", "Nichts ist geplant", ResponseKind.ANSWER),
    ],
    "fr": [
        ("mets un minuteur pizza de dix minutes", "Minuteur lancé", ResponseKind.DONE),
        ("combien de temps reste-t-il sur le minuteur pizza", "10 minutes restantes.", ResponseKind.ANSWER),
        ("réveille-moi demain à sept heures", "Réveil réglé, demain à 7 heures", ResponseKind.DONE),
        ("mets un réveil à six heures et demie demain matin", "Réveil réglé, demain à 6 heures 30", ResponseKind.DONE),
        ("annule le réveil de sept heures", "Réveil demain à 7 heures annulé", ResponseKind.DONE),
        ("quels réveils sont réglés", "Il y a un réveil demain à 6 heures 30", ResponseKind.ANSWER),
        ("qu'est-ce qui est prévu", "Rien n'est prévu", ResponseKind.ANSWER),
    ],
    "nl": [
        ("zet een timer voor een half uur", "Timer gezet voor 30 minuten", ResponseKind.DONE),
        ("hoeveel tijd is er over", "30 minuten resterend.", ResponseKind.ANSWER),
        ("maak me morgen om zeven uur wakker", "Wekker gezet, morgen om 7 uur", ResponseKind.DONE),
        ("zet een wekker op half zeven", "Wekker gezet, om 18 uur 30", ResponseKind.DONE),
        ("annuleer alle wekkers", "2 wekkers geannuleerd", ResponseKind.DONE),
        ("wat is er gepland", "Er is niets gepland", ResponseKind.ANSWER),
    ],
}


@pytest.mark.parametrize("language", SAID)
async def test_a_conversation(language: str, tmp_path: Path) -> None:
    understanding: Understanding = understand_home(load_sentences(language), House([DemoHome()]).home)
    async with rigged(understanding, tmp_path / "s.db", language=language) as rig:
        for text, told, kind in SAID[language]:
            response = await rig.say(text, KITCHEN)
            assert (text, response.text, response.kind) == (text, told, kind)
