"""faster-whisper: open vocabulary, biased by the home's names; for machines that can afford it."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from hearth_core import extras
from hearth_core.command import Hypothesis
from hearth_core.errors import EngineError
from hearth_core.settings import WhisperConfig
from hearth_intents.grammar import Grammar

from .engine import Ending

log = logging.getLogger(__name__)

# Whisper's prompt holds 224 tokens; names beyond it would push out what was said before them.
MAX_HOTWORD_CHARS: Final = 600
# OpenAI's own thresholds: above the first and below the second a segment is silence.
NO_SPEECH: Final = 0.6
LOW_LOGPROB: Final = -1.0
# What Whisper hears at once; a command is cut long before.
MAX_SECONDS: Final = 30
_RATE: Final = 16_000


class WhisperEngine:
    """The engine; the model is loaded once.

    Args:
        config: model (a folder in CTranslate2's format, or a name that the hub knows), beam size, whether to download.
        language: code of what is spoken.

    Raises:
        EngineError: faster-whisper is not installed, or the model is not there or broken.
    """

    name = "whisper"
    closed = False
    least_confidence = 0.0

    def __init__(self, config: WhisperConfig, language: str = "en") -> None:
        module = extras.load("faster_whisper", extra="whisper", error=EngineError)
        self._beam_size = config.beam_size
        self._language = language
        self._names: tuple[str, ...] = ()
        self._lock = threading.Lock()  # the model decodes one utterance at a time; two would each take twice as long
        remedy = "Set server: whisper: model: to a folder in CTranslate2's format, or to a model's name"
        folder = Path(config.model).expanduser()
        if not folder.is_dir() and (folder.is_absolute() or folder.exists()):
            raise EngineError(f"there is no whisper model at {config.model}", remedy=remedy)
        # faster-whisper would fetch a tokenizer that the folder lacks, whatever `local_files_only` says.
        if folder.is_dir() and not config.download and not (folder / "tokenizer.json").is_file():
            raise EngineError(f"the whisper model {config.model} has no tokenizer.json", remedy=remedy)
        try:
            self._model = module.WhisperModel(
                str(folder) if folder.is_dir() else config.model,
                device="cpu",
                compute_type="int8",
                local_files_only=not config.download,
            )
        except Exception as error:  # the hub's client, CTranslate2 and tokenizers each raise their own
            raise EngineError(
                f"the whisper model {config.model} cannot be loaded: {_short(error)}", remedy=remedy
            ) from error

    def use(self, grammar: Grammar) -> None:
        """Prefer the home's names from the next utterance on."""
        self._names = grammar.names
        if (kept := len(_fitting(grammar.names))) < len(grammar.names):
            log.warning("whisper prefers the first %d of the home's names only", kept)

    def open(self) -> WhisperStream:
        """Begin an utterance."""
        return WhisperStream(self)

    def close(self) -> None:
        """Give back the model."""

    def recognise(self, pcm: bytes, names: Sequence[str] = ()) -> tuple[Hypothesis, ...]:
        """Return the reading of an utterance, none if it is silence; these names are expected before the home's.

        Raises:
            EngineError: the model failed.
        """
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
        try:
            with self._lock:
                segments, _ = self._model.transcribe(
                    samples,
                    language=self._language,
                    beam_size=self._beam_size,
                    hotwords=", ".join(_fitting((*names, *self._names))) or None,
                    condition_on_previous_text=False,
                    without_timestamps=True,
                )
                # A generator: it computes while it is read, so it is read here, in the worker's thread.
                heard = [segment for segment in segments if not _silent(segment)]
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"whisper failed: {_short(error)}") from error
        text = " ".join(segment.text.strip() for segment in heard).strip()
        return (Hypothesis(text, _confidence(heard)),) if text else ()


class WhisperStream:
    """One utterance: gathered as it arrives, recognised at its end."""

    def __init__(self, engine: WhisperEngine) -> None:
        self._engine = engine
        self._pcm = bytearray()
        self._names: tuple[str, ...] = ()

    def prefer(self, names: Sequence[str], near: Sequence[str]) -> None:
        """Expect these names, before the home's."""
        self._names = (*near, *names)

    def feed(self, pcm: bytes) -> Hypothesis | None:
        """Take the next audio; Whisper hears whole utterances, so there is no reading yet."""
        room = MAX_SECONDS * _RATE * 2 - len(self._pcm)
        self._pcm += pcm[: max(0, room)]
        return None

    def pause(self) -> None:
        """Nothing was put off that could be done before the end."""

    def ending(self, unspoken_s: float) -> Ending:
        """Leave it to the silence: this engine does not know what may follow."""
        return Ending()

    def finish(self) -> tuple[Hypothesis, ...]:
        """End the utterance and return its reading."""
        return self._engine.recognise(bytes(self._pcm), self._names) if self._pcm else ()

    def close(self) -> None:
        """Give back the audio."""
        self._pcm.clear()


def _fitting(names: Iterable[str]) -> list[str]:
    """Return the first of the names, each once, as many as fit into a prompt."""
    kept: list[str] = []
    size = 0
    for name in dict.fromkeys(names):
        size += len(name) + 2
        if size > MAX_HOTWORD_CHARS:
            break
        kept.append(name)
    return kept


def _silent(segment: Any) -> bool:
    return bool(segment.no_speech_prob > NO_SPEECH and segment.avg_logprob < LOW_LOGPROB)


def _confidence(segments: list[Any]) -> float:
    """Return the geometric mean of the tokens' probabilities, each segment by its length."""
    seconds = [max(0.01, segment.end - segment.start) for segment in segments]
    mean = sum(s.avg_logprob * t for s, t in zip(segments, seconds, strict=True)) / sum(seconds)
    return round(min(1.0, math.exp(mean)), 3)


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
