"""The micro engine: the home's sentences, searched for in the phones that the model hears, while the audio arrives."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from hearth_core.audio import BYTES_PER_SECOND
from hearth_core.command import Hypothesis
from hearth_core.errors import EngineError
from hearth_core.log_mel import Mel
from hearth_core.settings import MicroConfig
from hearth_intents.grammar import Grammar

from ..engine import Ending
from ..pocketsphinx import dictionary
from ..pronounce import SayAs, pronounce
from .choices import Choices
from .decoder import Decoder
from .judge import Judge, Verdict
from .model import SHIPPED, MicroModel
from .phone_graph import PhoneGraph, compile_phones
from .posteriors import Posteriors, at_all_phases
from .quiet import Quiet
from .spotting import fit, said_as

# As many as may connect; each holds about a megabyte.
MAX_STREAMS: Final = 64
# How often the reading so far is asked for, in bytes of audio: four times a second.
PARTIAL_BYTES: Final = BYTES_PER_SECOND // 4
# Silence after which it is worth to look whether the sentence is over, which costs as much as half a second of audio.
# No shorter silence can be configured to end a command.
LOOK_S: Final = 0.1
# So much more audio in which it stayed quiet is worth another look, later half as much as it was quiet; until then what
# was seen holds. Looks at every 64 ms took two fifths of a stream's CPU.
LOOK_AGAIN_S: Final = 0.064
# Of the readings of an utterance. To read one takes as long as all that else is done to look whether it is over.
MOST_HYPOTHESES: Final = 8
# Who would be turned down, but not by so much, is heard a second time: frames that begin elsewhere may tell more.
SECOND_LOOK: Final = 0.02
# Nats for the name of a thing in the speaker's room, shared among its words: enough to choose between readings that are
# about as good, and so little that they are still asked about.
NEAR_BONUS: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class _Home:
    """A grammar as the streams use it."""

    phones: PhoneGraph
    choices: Choices


class MicroEngine:
    """The engine; the model is loaded once and run by all streams, each on its own thread.

    Args:
        config: another model than the one that comes with Hearth, if one is named; how sure a reading must be.
        say_as: how words are spoken, in place of the dictionary's way (`pronounce`).

    Raises:
        EngineError: onnxruntime or the dictionary is not installed, or the model cannot be used.
    """

    name = "micro"
    closed = True

    def __init__(self, config: MicroConfig | None = None, say_as: SayAs | None = None) -> None:
        config = config or MicroConfig()
        self.least_confidence = config.least_confidence
        self.model = MicroModel(Path(config.model).expanduser() if config.model else SHIPPED)
        self.judge = Judge(self.model.card, config.least_confidence)
        self._dictionary = dictionary()
        self._say_as = say_as
        self._lock = threading.Lock()
        self._home: _Home | None = None
        self._open = 0

    def use(self, grammar: Grammar) -> None:
        """Recognise against this home from the next utterance on.

        Raises:
            EngineError: the grammar is of another language, or too large; the previous one stays in use.
        """
        hears = self.model.card.language
        if grammar.language.partition("-")[0] != hears:
            raise EngineError(
                f"the engine micro hears {hears!r}, not {grammar.language!r}",
                remedy="Set server: engine: to whisper, or language: to what the engine hears",
            )
        graph = grammar.graph
        pronounced = pronounce(graph.words, grammar.spoken, self._dictionary, self._say_as)
        phones = compile_phones(graph, pronounced, grammar.closing, grammar.authored)
        with self._lock:
            self._home = _Home(phones, Choices(phones, grammar.numbers))

    def open(self) -> MicroStream:
        """Begin an utterance.

        Raises:
            EngineError: no grammar yet, or too many speak at once.
        """
        home = self._listening_for()
        with self._lock:
            if self._open >= MAX_STREAMS:
                raise EngineError(f"{MAX_STREAMS} people speak at once already", remedy="Say it again in a moment")
            self._open += 1
        try:
            return MicroStream(self, home)
        except BaseException:
            self._give_back()
            raise

    def decoder(self) -> Decoder:
        """Return a decoder of the grammar in use, as a stream gets one.

        Raises:
            EngineError: no grammar yet.
        """
        return self.judge.decoder(self._listening_for().phones)

    def choices(self) -> Choices:
        """Return what the confidence knows of the grammar in use.

        Raises:
            EngineError: no grammar yet.
        """
        return self._listening_for().choices

    def phrase_fit(self, phrase: str, pcm: bytes) -> float | None:
        """Return how a phrase fits where it fits best, in nats a phone (`spotting`); None if a word is unknown.

        Raises:
            EngineError: the model fails, or the audio is no whole samples.
        """
        words = said_as(phrase, self._dictionary)
        if not words:
            return None
        if len(pcm) % 2:
            raise EngineError("the audio ends within a sample")
        posteriors = Posteriors(self.model)
        return fit(np.concatenate((posteriors.feed(pcm), posteriors.flush())), words)

    def close(self) -> None:
        """Give back the grammar; the model goes with the engine."""
        with self._lock:
            self._home = None

    def _listening_for(self) -> _Home:
        home = self._home
        if home is None:
            raise EngineError("the engine micro has no grammar yet", remedy="Wait until the server has started")
        return home

    def _give_back(self) -> None:
        with self._lock:
            self._open -= 1


class MicroStream:
    """One utterance; made by the engine."""

    def __init__(self, engine: MicroEngine, home: _Home) -> None:
        self._engine = engine
        self._home = home
        self._posteriors = Posteriors(engine.model)
        self._decoder = engine.judge.decoder(home.phones)
        self._quiet = Quiet()
        self._reply = False
        self._weights: dict[int, float] | None = None
        self._mel: list[Mel] = []  # all of the utterance, 16 kB a second
        self._ended: Decoder | None = None  # what was heard if the utterance is over now; None if not looked
        self._seen: Verdict | None = None  # the last time that it was looked, in this silence
        self._since_seen = 0
        self._since_partial = 0
        self._closed = False

    def prefer(self, names: Sequence[str], near: Sequence[str]) -> None:
        """Take what is near for likelier than what is not; all other names are the home's, and known."""
        bonus: dict[str, float] = {}
        for words in (name.lower().split() for name in near):
            for word in words:
                bonus[word] = max(NEAR_BONUS / len(words), bonus.get(word, 0.0))
        graph = self._home.phones
        weights = {number: bonus[word] for number, word in enumerate(graph.words) if word in bonus}
        self._weights = weights
        self._decoder = self._engine.judge.decoder(graph, weights)

    def reply(self) -> None:
        """Expect the answer to a question."""
        self._reply = True

    def feed(self, pcm: bytes) -> Hypothesis | None:
        """Take the next audio; return the reading so far now and then.

        Raises:
            EngineError: the utterance is over, the audio is no whole samples, or the model fails.
        """
        self._check()
        if len(pcm) % 2:
            raise EngineError("the audio ends within a sample")
        self._ended = None
        self._since_seen += len(pcm)
        log_probs = self._posteriors.feed(pcm)
        if len(log_probs):  # one time of eight
            self._decoder.feed(log_probs)
        self._quiet.hear(self._posteriors.mel)
        self._mel.append(self._posteriors.mel)
        self._since_partial += len(pcm)
        if self._since_partial < PARTIAL_BYTES:
            return None
        self._since_partial = 0
        text = self._decoder.snapshot().text
        return Hypothesis(text) if text else None

    def pause(self) -> None:
        """Nothing is put off: it is decoded as it comes."""

    def ending(self, unspoken_s: float) -> Ending:
        """Say whether the utterance could be over here."""
        quiet_s = max(self._quiet.silence_s(), unspoken_s)
        if quiet_s < LOOK_S:
            self._seen = None
            return Ending()
        if self._seen is None or self._since_seen >= max(LOOK_AGAIN_S, quiet_s / 2) * BYTES_PER_SECOND:
            self._seen, self._since_seen = self._verdict(1), 0  # which others there are decides nothing yet
        return Ending(self._seen.outlook, min(quiet_s, self._seen.silent_s + self._since_seen / BYTES_PER_SECOND))

    def finish(self) -> tuple[Hypothesis, ...]:
        """End the utterance; return its readings, none if it does not sound like a sentence of the grammar."""
        self._check()
        found = self._verdict(MOST_HYPOTHESES)
        if not found.hypotheses and found.sure >= SECOND_LOOK:
            found = self._second_look()
        return found.hypotheses

    def close(self) -> None:
        """Give back what the stream holds."""
        if not self._closed:
            self._closed = True
            self._engine._give_back()

    def _check(self) -> None:
        if self._closed:
            raise EngineError("the utterance is over")

    def _second_look(self) -> Verdict:
        """Return what was said if where the frames begin is made to matter less."""
        decoder = self._engine.judge.decoder(self._home.phones, self._weights)
        decoder.feed(at_all_phases(self._engine.model, np.concatenate(self._mel)))
        result = decoder.result(MOST_HYPOTHESES, by_word=False)
        return self._engine.judge.verdict(result, self._home.choices, reply=self._reply)

    def _verdict(self, limit: int) -> Verdict:
        """Return what was said if the utterance is over now, with no more readings than so many."""
        if self._ended is None:
            self._ended = self._decoder.copy()
            self._ended.feed(self._posteriors.peek())
        result = self._ended.result(limit, by_word=False)
        return self._engine.judge.verdict(result, self._home.choices, reply=self._reply)
