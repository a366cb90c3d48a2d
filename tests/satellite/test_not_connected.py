"""Who speaks to a satellite without a server is told so in words."""

from __future__ import annotations

import sys
from typing import get_args

import numpy as np
import pytest

from hearth_core.audio import BYTES_PER_SECOND, SPEECH
from hearth_core.config_control import ControlConfig
from hearth_satellite.answers import Answers
from hearth_satellite.news import News
from hearth_satellite.not_connected import LANGUAGES, NotConnected, load_spoken
from tests.satellite.fakes import Clock, Sounds

GERMAN = {"LANG": "de_AT.UTF-8"}


def loaded(choice: str, languages: tuple[str, ...] = (), environment: dict[str, str] | None = None) -> dict[str, str]:
    """Return what is said by language, each recording by its own language."""
    names = {load_spoken(language, (), {})[""]: language for language in LANGUAGES}
    found = load_spoken(choice, languages, GERMAN if environment is None else environment)
    return {language: names[pcm] for language, pcm in found.items()}


@pytest.mark.parametrize(
    ("choice", "languages", "environment", "expected"),
    [
        ("fr", ("de", "nl"), None, {"": "fr"}),
        ("auto", (), None, {"": "de"}),
        ("auto", ("", "nl-BE", "es"), None, {"nl": "nl", "es": "es", "": "de"}),
        ("auto", ("tr",), {"LANG": "tr_TR.UTF-8"}, {"": "en"}),
        ("auto", (), {"LANG": "de_DE", "LC_MESSAGES": "fr_FR", "LC_ALL": ""}, {"": "fr"}),
        ("auto", (), {"LANG": "C.UTF-8"}, {"": "en"}),
        ("tone", ("de",), None, {}),
    ],
)
def test_it_is_said_in_the_language_of_those_who_live_there(
    choice: str, languages: tuple[str, ...], environment: dict[str, str] | None, expected: dict[str, str]
) -> None:
    assert loaded(choice, languages, environment) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_recording_is_short_speech_that_neither_clips_nor_whispers(language: str) -> None:
    pcm = load_spoken(language, (), {})[""]
    assert 1.0 < len(pcm) / BYTES_PER_SECOND < 2.5
    assert 10_000 < np.abs(np.frombuffer(pcm, "<i2").astype(int)).max() < 20_000


def test_every_language_can_be_chosen() -> None:
    choices = get_args(ControlConfig.model_fields["not_connected"].annotation)
    assert set(choices) == {"auto", "tone", *LANGUAGES}


def test_without_soundfile_a_tone_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    assert load_spoken("en", (), {}) == {}


@pytest.mark.parametrize(
    ("spoken", "language", "seconds"),
    [
        ({}, "de", 0.44),
        ({"": bytes(32000)}, "", 1.0),
        ({"de": bytes(64000), "": bytes(32000)}, "de-AT", 2.0),
        ({"de": bytes(64000), "": bytes(32000)}, "fr", 1.0),
    ],
)
def test_the_microphone_is_deaf_while_it_is_said(spoken: dict[str, bytes], language: str, seconds: float) -> None:
    clock, sounds = Clock(), Sounds(audible=True)
    answers = Answers(sounds, 0.25, clock)
    NotConnected(answers, News(), spoken, 3.0, clock).tell(language)
    (sound,) = sounds.given
    assert sound.seconds == pytest.approx(seconds, abs=0.01)
    assert (sound.audio == SPEECH) is bool(spoken)
    clock.now += seconds + 0.2
    assert answers.deaf
    clock.now += 0.1
    assert not answers.deaf
