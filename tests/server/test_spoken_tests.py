"""Sentences that a synthesiser speaks to the recogniser."""

from __future__ import annotations

from dataclasses import dataclass, field

from hearth_core.config import Config
from hearth_server.spoken_tests import Ear, Synthesiser
from tests.fakes import FakeEngine, silence


@dataclass(frozen=True, slots=True)
class Voice(Synthesiser):
    """Keeps what it is to speak, and says nothing."""

    texts: list[str] = field(default_factory=list)

    def speak(self, text: str) -> bytes:
        self.texts.append(text)
        return silence(0.1)


def test_names_are_spoken_as_the_recogniser_has_them() -> None:
    config = Config.model_validate({"server": {"say_as": {"xiao": ["show", "shee ow"]}}})
    voice = Voice("fake", "", "en")
    ear = Ear(config, FakeEngine(["turn on xiao's lamp"]), voice)
    ear.hear("turn on Xiao's lamp")
    assert voice.texts == ["turn on show's lamp"]
