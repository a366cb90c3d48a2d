"""The interim embedded recogniser: pocketsphinx, decoding against the home's grammar while the audio arrives.

Two decoders hear the same audio. One follows the grammar, the other any sequence of English phones. Speech that is not
in the grammar fits the phones much better than some word of the best sentence: that tells commands from talk.

Its acoustic model and its dictionary (CMUdict) come in its wheel.
"""

from __future__ import annotations

import logging
import math
import tempfile
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from hearth_core import extras
from hearth_core.command import Hypothesis
from hearth_core.errors import EngineError
from hearth_intents.grammar import Grammar

from .denoise import Denoiser
from .engine import Ending
from .pronounce import Pronunciations, SayAs, pronounce

log = logging.getLogger(__name__)

RATE: Final = 16_000
FRAME_SAMPLES: Final = 160  # 10 ms, the decoder's step

# The model expects features of zero mean. A whole command gives the mean best, its first seconds nearly the same (of 95
# orders right: 93 with the whole, 92 with 1.0 s, 93 with 1.5 s), and lets decoding begin. A pause begins it earlier.
HEAD_S: Final = 2.5
HEAD_BYTES: Final = int(HEAD_S * RATE) * 2
# A mean of less is worse than to wait for more.
MIN_HEAD_S: Final = 0.8
# The decoder mixes its estimate with as many frames of what it held before; its first value is set to undo that.
CMN_PRIOR_FRAMES: Final = 500

# Wider than pocketsphinx's own 1e-48: 83 % against 80 of commands in noise at 12 dB, for a fifth more time.
BEAMS: Final = {"beam": 1e-64, "pbeam": 1e-64, "wbeam": 1e-40}
# Digital silence has no logarithm; noise of 4 of 32,768 is below every microphone.
DITHER: Final = 4.0

# How the sentence fits beside free phones, a frame, in pocketsphinx's own scale: half of it as a whole, half in its
# worst word. Of 77 home commands and 63 orders that were heard right, this threshold loses two each; of 225 sentences
# of other speech it lets 4 % through.
ACCEPT_SCORE: Final = -25.5
SCORE_SPREAD: Final = 3.0
REJECT_CONFIDENCE: Final = 0.5
# A word of a few frames ("a") scores by chance; it is averaged as if it had so many frames more that fit perfectly.
SHORT_WORD_FRAMES: Final = 5
_SCORE_SCALE: Final = 1e4

# The wheel keeps Python's lock while it searches. 2 s of a home command at once held it for 2 s of processor time, 7 s
# on a busy machine: no other thread ran, and the satellites were taken for lost. Pieces of this length, a step of
# `Listening`, give the same scores as the whole.
PIECE_BYTES: Final = 1024
# How often the reading so far is asked for, in bytes of audio: four times a second.
PARTIAL_BYTES: Final = RATE // 4 * 2
# Each holds some 60 MB for a large home; more speakers at once than this wait for nobody, they are told.
MAX_STREAMS: Final = 8
# Decoders kept for the next utterances; more than two people seldom speak at once, and a pair is made in half a second.
MAX_RESTING: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class _Recipe:
    """A grammar as decoders are made from it."""

    transitions: Sequence[tuple[int, int, float, str]]
    final: int
    pronunciations: Pronunciations


@dataclass(slots=True, eq=False)
class _Pair:
    """The two decoders of one stream."""

    grammar: Any
    phones: Any


@dataclass(slots=True, eq=False)
class _Pool:
    """The decoders of one grammar: those at rest; those in use come back, or go with the pool."""

    recipe: _Recipe
    resting: list[_Pair] = field(default_factory=list)


def dictionary() -> Path:
    """Return the English dictionary in pocketsphinx's wheel.

    Raises:
        EngineError: pocketsphinx is not installed.
    """
    module = extras.load("pocketsphinx", extra="server", error=EngineError)
    return Path(module.get_model_path("en-us")) / "cmudict-en-us.dict"


class PocketsphinxEngine:
    """The engine.

    Args:
        say_as: how words are spoken, in place of the dictionary's way (`pronounce`).

    Raises:
        EngineError: pocketsphinx is not installed.
    """

    name = "pocketsphinx"
    closed = True
    least_confidence = 0.0  # what it turns down has no text

    def __init__(self, say_as: SayAs | None = None) -> None:
        self._module = extras.load("pocketsphinx", extra="server", error=EngineError)
        model = Path(self._module.get_model_path("en-us"))
        self._acoustic = model / "en-us"
        self._phone_model = model / "en-us-phone.lm.bin"
        self.dictionary = dictionary()
        self._say_as = say_as
        self._lock = threading.Lock()
        self._pool: _Pool | None = None
        self._open = 0

    def use(self, grammar: Grammar) -> None:
        """Recognise against this home from the next utterance on.

        Raises:
            EngineError: pocketsphinx cannot take the grammar; the previous one stays in use.
        """
        pool = _Pool(self._recipe(grammar))
        pool.resting.append(self._pair(pool.recipe))  # built now, not while somebody speaks
        with self._lock:
            self._pool = pool

    def open(self) -> PocketsphinxStream:
        """Begin an utterance.

        Raises:
            EngineError: no grammar yet, or too many speak at once.
        """
        with self._lock:
            pool = self._pool
            if pool is None:
                raise EngineError("pocketsphinx has no grammar yet", remedy="Wait until the server has started")
            if self._open >= MAX_STREAMS:
                raise EngineError(f"{MAX_STREAMS} people speak at once already", remedy="Say it again in a moment")
            self._open += 1
            pair = pool.resting.pop() if pool.resting else None
        try:
            return PocketsphinxStream(self, pool, pair or self._pair(pool.recipe))
        except BaseException:
            self._give_back(pool, pair)
            raise

    def close(self) -> None:
        """Give back the models."""
        with self._lock:
            self._pool = None

    def _give_back(self, pool: _Pool, pair: _Pair | None) -> None:
        with self._lock:
            self._open -= 1
            if pair is not None and pool is self._pool and len(pool.resting) < MAX_RESTING:
                pool.resting.append(pair)

    def _recipe(self, grammar: Grammar) -> _Recipe:
        graph = grammar.graph
        if not len(graph.finals):
            raise EngineError(
                "the grammar holds no sentence", remedy="Give the home a device, or sentences of your own"
            )
        final = graph.states
        words = graph.words
        arcs = [(source, target, 1.0, words[word]) for source, target, word in graph.arcs.tolist()]
        ends = [(int(state), final, 1.0) for state in graph.finals]
        pronounced = pronounce(words, grammar.spoken, self.dictionary, self._say_as)
        return _Recipe([*arcs, *ends], final, pronounced)  # type: ignore[list-item]

    def _pair(self, recipe: _Recipe) -> _Pair:
        try:
            return _Pair(self._grammar_decoder(recipe), self._phone_decoder())
        except (RuntimeError, ValueError, OSError, MemoryError) as error:
            raise EngineError(f"pocketsphinx cannot take the grammar: {error}") from error

    def _grammar_decoder(self, recipe: _Recipe) -> Any:
        # A dictionary of the grammar's own words loads in milliseconds, that of all English in a third of a second.
        with tempfile.NamedTemporaryFile("w", suffix=".dict", encoding="utf-8") as dictionary:
            for word, pronunciations in recipe.pronunciations.items():
                for number, phones in enumerate(pronunciations, start=1):
                    dictionary.write(f"{word if number == 1 else f'{word}({number})'} {phones}\n")
            dictionary.flush()
            decoder = self._decoder(dict=dictionary.name, lw=1.0, wip=1.0, bestpath=False, **BEAMS)
        decoder.add_fsg("home", decoder.create_fsg("home", 0, recipe.final, recipe.transitions))
        decoder.activate_search("home")
        return decoder

    def _phone_decoder(self) -> Any:
        return self._decoder(allphone=str(self._phone_model), lw=1.0, pip=1.0, beam=1e-20, pbeam=1e-20)

    def _decoder(self, **options: Any) -> Any:
        config = self._module.Config(hmm=str(self._acoustic), loglevel="FATAL", logfn="/dev/null", **options)
        return self._module.Decoder(config)


class PocketsphinxStream:
    """One utterance; made by the engine."""

    def __init__(self, engine: PocketsphinxEngine, pool: _Pool, pair: _Pair) -> None:
        self._engine = engine
        self._pool = pool
        self._pair: _Pair | None = pair
        # The same for every utterance, so that a recording always gives the same result.
        self._dither = np.random.default_rng(0)
        self._denoiser = Denoiser()
        self._head = bytearray()
        self._decoding = False
        self._since_partial = 0

    def feed(self, pcm: bytes) -> Hypothesis | None:
        """Take the next audio; return the reading so far now and then."""
        pair = self._own()
        pcm = self._denoiser.feed(np.frombuffer(pcm, "<i2")).tobytes()
        if not pcm:
            return None
        if not self._decoding:
            self._head += pcm
            if len(self._head) < HEAD_BYTES:
                return None
            # Exactly so much: the result must not hang on how the audio was cut.
            rest = bytes(self._head[HEAD_BYTES:])
            del self._head[HEAD_BYTES:]
            pcm = self._begin(pair) + self._dithered(rest)
        else:
            pcm = self._dithered(pcm)
        self._process(pair, pcm)
        self._since_partial += len(pcm)
        if self._since_partial < PARTIAL_BYTES:
            return None
        self._since_partial = 0
        best = pair.grammar.hyp()
        return Hypothesis(best.hypstr) if best and best.hypstr else None

    def pause(self) -> None:
        """Begin to decode what was held back for the mean."""
        if not self._decoding and len(self._head) >= MIN_HEAD_S * RATE * 2:
            pair = self._own()
            self._process(pair, self._begin(pair))

    def ending(self, unspoken_s: float) -> Ending:
        """Leave it to the silence: this engine does not know what may follow."""
        return Ending()

    def finish(self) -> tuple[Hypothesis, ...]:
        """End the utterance; return its reading, none if it does not sound like a sentence of the grammar."""
        pair = self._own()
        rest = self._denoiser.flush().tobytes()
        if self._decoding:
            self._process(pair, self._dithered(rest))
        else:
            self._head += rest
            if len(self._head) < 2 * FRAME_SAMPLES:
                return ()
            self._process(pair, self._begin(pair))
        self._decoding = False
        pair.grammar.end_utt()
        pair.phones.end_utt()
        best = pair.grammar.hyp()
        if not best or not best.hypstr:
            return ()
        score = _fit(pair.grammar.seg(), pair.phones.seg())
        confidence = 1 / (1 + math.exp((ACCEPT_SCORE - score) / SCORE_SPREAD))
        # Not the words: they may be a PIN.
        log.debug("%d words score %.1f, confidence %.2f", len(best.hypstr.split()), score, confidence)
        return (Hypothesis(best.hypstr, round(confidence, 3)),) if confidence >= REJECT_CONFIDENCE else ()

    def close(self) -> None:
        """Give the decoders back."""
        if self._pair is None:
            return
        pair, self._pair = self._pair, None
        if self._decoding:
            pair.grammar.end_utt()
            pair.phones.end_utt()
        self._engine._give_back(self._pool, pair)

    def _own(self) -> _Pair:
        if self._pair is None:
            raise EngineError("the utterance is over")
        return self._pair

    def _begin(self, pair: _Pair) -> bytes:
        """Set the mean of what was heard so far and begin to decode; return that audio, dithered."""
        pcm = self._dithered(bytes(self._head))
        self._head.clear()
        mean = _cepstral_mean(pair.phones, pcm)
        for decoder in (pair.grammar, pair.phones):
            decoder.set_cmn(mean)
            decoder.start_utt()
        self._decoding = True
        return pcm

    def _process(self, pair: _Pair, pcm: bytes) -> None:
        if not pcm:
            return
        for start in range(0, len(pcm), PIECE_BYTES):
            piece = pcm[start : start + PIECE_BYTES]
            pair.grammar.process_raw(piece)
            pair.phones.process_raw(piece)

    def _dithered(self, pcm: bytes) -> bytes:
        samples = np.frombuffer(pcm, "<i2") + self._dither.normal(0, DITHER, len(pcm) // 2)
        dithered: bytes = np.clip(samples, -32768, 32767).round().astype("<i2").tobytes()
        return dithered


def _cepstral_mean(decoder: Any, pcm: bytes) -> str:
    """Return the mean of the features of some audio, as `set_cmn` takes it."""
    frames = len(pcm) // 2 / FRAME_SAMPLES
    decoder.set_cmn("0")
    decoder.start_utt()
    decoder.process_raw(pcm, no_search=True)
    mixed = decoder.get_cmn(True)
    decoder.end_utt()
    undone = (CMN_PRIOR_FRAMES + frames) / frames
    return ",".join(f"{float(value) * undone:.3f}" for value in mixed.split(","))


def _fit(words: Iterable[Any] | None, phones: Iterable[Any] | None) -> float:
    """Return how the words fit, a frame, beside the free phones of the same frames; 0 is as well, less is worse."""
    free = [0.0]  # the phones' score of all frames before each frame
    for phone in phones or ():
        frames = phone.end_frame - phone.start_frame + 1
        before, score = free[-1], _log(phone)
        free.extend(before + score * number / frames for number in range(1, frames + 1))
    worst = total = 0.0
    spoken = 0
    for word in words or ():
        first, last = word.start_frame, min(word.end_frame, len(free) - 2)
        if last < first or word.word[0] in "<([+":  # silence, noise or an empty arc
            continue
        difference = _log(word) - (free[last + 1] - free[first])
        worst = min(worst, difference / (last - first + 1 + SHORT_WORD_FRAMES))
        total += difference
        spoken += last - first + 1
    return (total / max(1, spoken) + worst) / 2


def _log(segment: Any) -> float:
    # The wheel gives scores as probabilities in a compressed scale.
    return (math.log(max(segment.ascore, 1e-300)) + math.log(max(segment.lscore, 1e-300))) * _SCORE_SCALE
