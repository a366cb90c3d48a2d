"""Test sentences spoken by a synthesiser and recognised by the configured engine."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hearth_core.audio import read_recording
from hearth_core.command import Transcription
from hearth_core.config import Config
from hearth_core.errors import EngineError
from hearth_core.home import Home
from hearth_core.speech import SileroDetector
from hearth_intents.compile import compile_grammar
from hearth_intents.sentences import Sentences

from .asr.engine import Engine
from .asr.pronounce import respelled
from .asr.registry import load_engine
from .listen import Listening

# A sentence takes a synthesiser some milliseconds.
SPEAK_S = 20.0
_CHUNK = 1024
# The recogniser's English dictionary is American, as most recordings that it was made from.
_VOICES = {"en": "en-us"}
_SILENCE = bytes(2 * 16_000)  # a second, in which the end of speech is found


@dataclass(frozen=True, slots=True)
class Synthesiser:
    """A program that speaks.

    Attributes:
        name: what it is called.
        path: where it is.
        language: what it is to speak.
    """

    name: str
    path: str
    language: str

    def speak(self, text: str) -> bytes:
        """Return a text as speech, 16 kHz s16le mono.

        Raises:
            EngineError: it failed.
        """
        with tempfile.TemporaryDirectory(prefix="hearth-") as folder:
            file, said = Path(folder) / "said.wav", Path(folder) / "said.txt"
            said.write_text(text, encoding="utf-8")  # never an argument, which might look like an option
            command = [self.path, "-f", str(said), "-o" if self.name == "flite" else "-w", str(file)]
            if self.name != "flite":
                command += [
                    "-v",
                    _VOICES.get(self.language, self.language),
                    "-s",
                    "150",
                ]  # words a minute, slower than its own 175
            try:
                subprocess.run(command, check=True, capture_output=True, timeout=SPEAK_S)  # noqa: S603
            except (OSError, subprocess.SubprocessError) as error:
                raise EngineError(f"{self.name} cannot speak {text[:60]!r}: {error}") from error
            return read_recording(file)


def synthesiser(language: str) -> Synthesiser:
    """Return what can speak on this machine; flite has English alone.

    Raises:
        EngineError: nothing can.
    """
    for name in ("espeak-ng", "flite"):
        path = shutil.which(name)
        if path is not None and (name != "flite" or language.startswith("en")):
            return Synthesiser(name, path, language)
    raise EngineError(f"nothing on this machine can speak {language!r}", remedy="apt install espeak-ng")


class Ear:
    """The configured recogniser, listening to synthetic speech in one home."""

    def __init__(self, config: Config, engine: Engine, voice: Synthesiser) -> None:
        self._config = config
        self._engine = engine
        self.voice = voice

    def use(self, sentences: Sentences, home: Home) -> None:
        """Listen for the sentences of a home from now on."""
        self._engine.use(compile_grammar(sentences, home))

    def hear(self, text: str) -> Transcription:
        """Return what is heard of a text that is spoken.

        Raises:
            EngineError: it cannot be spoken or recognised.
        """
        pcm = self.voice.speak(respelled(text, self._config.server.say_as)) + _SILENCE
        listening = Listening(self._engine, self._config.server.utterance.settings(), SileroDetector())
        try:
            for start in range(0, len(pcm), _CHUNK):
                if listening.feed(pcm[start : start + _CHUNK]) is not None:
                    break
            return listening.finish()
        finally:
            listening.close()


@contextmanager
def ear(config: Config, language: str) -> Iterator[Ear]:
    """Give an ear, until the block is left.

    Raises:
        EngineError: no synthesiser, or no engine.
    """
    voice = synthesiser(language)
    engine = load_engine(config.server, config.language)
    try:
        yield Ear(config, engine, voice)
    finally:
        engine.close()
