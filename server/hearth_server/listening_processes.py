"""Listening in processes of their own: for more speakers at once than one Python can follow.

Threads of one process wait for Python's lock: 50 speakers who take 1.1 cores of computing take 1.7, and fall behind on
two (bench/streams.py). Each process here has an engine of its own, and a thread that talks with it, one request at a
time. A process that ends or hangs costs the utterances that are in it, and is started again.
"""

from __future__ import annotations

import itertools
import logging
import multiprocessing
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Final

from hearth_core.command import EndReason, Hypothesis, Transcription
from hearth_core.errors import EngineError
from hearth_core.settings import ServerConfig
from hearth_core.speech import EndpointSettings
from hearth_intents.grammar import Grammar

from .listen import Utterance
from .listening_worker import DONE, work

_LOG = logging.getLogger(__name__)

# To import and load a model on a busy machine; whisper's may be gigabytes.
LOAD_S: Final = 120.0
# The largest home's grammar takes some seconds.
GRAMMAR_S: Final = 120.0
# For a piece of audio, or the end of an utterance; whisper needs seconds for one on a small machine.
ANSWER_S: Final = 30.0
# A process that could not be started is left alone for so long.
RETRY_S: Final = 5.0
# To end by itself when its pipes are closed.
_END_S: Final = 2.0

# What was loaded: the engine's name, and whether it can verify wake words.
Loaded = tuple[str, bool]


class _Worker:
    """One process, and the thread in which it is asked for what belongs to utterances."""

    def __init__(self, number: int, config: ServerConfig, language: str) -> None:
        self.thread = ThreadPoolExecutor(1, f"listening-{number}")
        self.open = 0  # utterances; counted by whoever gives them out
        self.generation = 0  # a new one for each process
        self._number = number
        self._config, self._language = config, language
        self._process: SpawnProcess | None = None
        self._audio: Connection | None = None
        self._control: Connection | None = None
        self._starting = threading.Lock()  # and over the second pipe; audio goes its way meanwhile
        self._grammar: Grammar | None = None
        self._failed_at = -RETRY_S
        self._over = False

    def start(self) -> Loaded:
        """Start the process.

        Raises:
            EngineError: it cannot be started, or could not a moment ago.
        """
        with self._starting:
            return self._start()

    def _start(self) -> Loaded:
        if self._over or time.monotonic() - self._failed_at < RETRY_S:
            raise EngineError("the process that listens could not be started", remedy="See the log")
        context = multiprocessing.get_context("spawn")
        (own, audio), (self._control, control) = context.Pipe(), context.Pipe()
        self._process = context.Process(
            target=work, args=(self._config, self._language, audio, control), name="hearth-listening", daemon=True
        )
        self._process.start()
        audio.close()
        control.close()
        self.generation += 1
        try:
            loaded: Loaded = _answer(self._control, LOAD_S)
            if self._grammar is not None:
                _ask(self._control, GRAMMAR_S, "use", self._grammar)
        except (EngineError, _GoneError) as error:
            own.close()
            self._end()
            self._failed_at = time.monotonic()
            if isinstance(error, EngineError):
                raise
            raise EngineError(f"the process that listens did not start: {error}", remedy="See the log") from error
        self._audio = own  # not before: whoever asks waits less than it may take to load
        return loaded

    def use(self, grammar: Grammar) -> None:
        """Recognise against this home, now and in every process that comes after this one.

        Raises:
            EngineError: as `Engine.use`, or no process can be started.
        """
        with self._starting:
            if self._control is not None:
                try:
                    _ask(self._control, GRAMMAR_S, "use", grammar)
                except _GoneError as error:
                    self._lost(error)
            self._grammar = grammar
            if self._process is None:
                self._start()

    def ask(self, generation: int | None, verb: str, *arguments: Any) -> Any:
        """Ask for something in the thread of this worker; `generation` is of the process that has to answer it.

        Raises:
            EngineError: the engine refused, or the process ended, now or since.
        """
        pipe = self._audio
        if pipe is None:
            self._again()
            pipe = self._audio
        if generation is not None and generation != self.generation:
            raise EngineError("the process that heard this ended", remedy="Say it again")
        assert pipe is not None
        try:
            return _ask(pipe, ANSWER_S, verb, *arguments)
        except _GoneError as error:
            with self._starting:
                if self._audio is pipe:
                    self._lost(error)
            if not self._over:
                self.thread.submit(self._revive)
            raise EngineError("the process that heard this ended", remedy="Say it again") from error

    def _lost(self, why: Exception) -> None:
        if not self._over:
            _LOG.error("listening process %d is lost: %s; so is what was being said", self._number, why)
        self._end()

    def _again(self) -> None:
        with self._starting:
            if self._process is None:
                self._start()

    def _revive(self) -> None:
        """Start the process before the next speaker needs it; whoever does tries again."""
        try:
            self._again()
        except EngineError as error:
            _LOG.error("listening process %d: %s", self._number, error)

    def stop(self) -> None:
        """End the process; nothing is asked any more."""
        self._over = True
        self.thread.shutdown(wait=True, cancel_futures=True)
        with self._starting:
            self._end()

    def _end(self) -> None:
        for pipe in (self._audio, self._control):
            if pipe is not None:
                pipe.close()
        process, self._process, self._audio, self._control = self._process, None, None, None
        if process is not None:
            process.join(_END_S if self._over else 0)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()


class EngineProcesses:
    """An engine in several processes; it is a `RemoteRecogniser`.

    Args:
        count: of processes.
        config: says which engine.
        language: of the home.

    Raises:
        EngineError: the engine cannot be had.
    """

    def __init__(self, count: int, config: ServerConfig, language: str) -> None:
        self._workers = [_Worker(number, config, language) for number in range(count)]
        self._giving = threading.Lock()
        self._numbers = itertools.count()
        try:
            loaded = [start.result() for start in [w.thread.submit(w.start) for w in self._workers]]
        except BaseException:
            self.close()
            raise
        self.name, verifies = loaded[0]
        if verifies:  # then it is `Verifying`
            self.phrase_fit = self._phrase_fit
        _LOG.info("%s listens in %d processes", self.name, count)

    def use(self, grammar: Grammar) -> None:
        """Recognise against this home from the next utterance on; all take it at once.

        Raises:
            EngineError: the grammar is too large for the engine, or a process ended.
        """
        alone = replace(grammar, compiler=None)  # which is large, and of no use there
        with ThreadPoolExecutor(len(self._workers), "grammar") as threads:
            taken = [threads.submit(worker.use, alone) for worker in self._workers]
        for each in taken:
            each.result()

    def listen(
        self, settings: EndpointSettings, names: Sequence[str] = (), near: Sequence[str] = (), *, reply: bool = False
    ) -> Utterance:
        """Begin an utterance, in the process that has the fewest."""
        with self._giving:
            worker = min(self._workers, key=lambda each: each.open)
            worker.open += 1
            number = next(self._numbers)
        return _Apart(worker, number, (settings, tuple(names), tuple(near), reply))

    def _phrase_fit(self, phrase: str, pcm: bytes) -> float | None:
        worker = min(self._workers, key=lambda each: each.open)
        fit: float | None = worker.thread.submit(worker.ask, None, "fit", phrase, pcm).result()
        return fit

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers:
            worker.stop()


class _Apart:
    """One utterance in a process; what is asked of `Listening` is asked there."""

    def __init__(self, worker: _Worker, number: int, begin: tuple[Any, ...]) -> None:
        self.partial: Hypothesis | None = None
        self.silence_s = 0.0
        self._worker = worker
        self._number = number
        self._begin: tuple[Any, ...] | None = begin
        self._word: tuple[bytes, float] | None = None
        self._generation: int | None = None
        self._closed = False

    @property
    def threads(self) -> Executor:
        """That of the process."""
        return self._worker.thread

    def meet(self, word: bytes, tail_s: float = 0.0) -> None:
        """Take the sound of the wake word before any other."""
        self._word = word, tail_s

    def feed(self, pcm: bytes) -> EndReason | None:
        """Take the next audio; return why the utterance is over, None while it is not.

        Raises:
            EngineError: the recogniser failed, or its process ended.
        """
        end: EndReason | None
        self._open()
        end, self.partial, self.silence_s = self._worker.ask(self._generation, "feed", self._number, pcm)
        return end

    def finish(self) -> Transcription:
        """End the utterance and return what was said.

        Raises:
            EngineError: the recogniser failed, or its process ended.
        """
        self._open()
        said: Transcription = self._worker.ask(self._generation, "finish", self._number)
        return said

    def _open(self) -> None:
        if self._begin is not None:
            begin, self._begin = self._begin, None
            self._worker.ask(None, "open", self._number, self._word, *begin)
            self._generation = self._worker.generation

    def close(self) -> None:
        """Give the recogniser back; may be repeated."""
        if self._closed:
            return
        self._closed = True
        self._worker.open -= 1
        try:
            self._worker.thread.submit(self._forget)
        except RuntimeError:  # the server stops, and the process with it
            _LOG.debug("utterance %d ends with its process", self._number)

    def _forget(self) -> None:
        """Tell the process, if it is still the one that heard this; nobody waits for the answer."""
        if self._generation == self._worker.generation:
            try:
                self._worker.ask(self._generation, "close", self._number)
            except EngineError as error:
                _LOG.debug("utterance %d: %s", self._number, error)


class _GoneError(Exception):
    """The process does not answer any more."""


def _ask(pipe: Connection, limit_s: float, verb: str, *arguments: Any) -> Any:
    try:
        pipe.send((verb, arguments))
    except (OSError, ValueError) as error:
        raise _GoneError(f"it takes no request ({error})") from error
    return _answer(pipe, limit_s)


def _answer(pipe: Connection, limit_s: float) -> Any:
    try:
        if not pipe.poll(limit_s):
            raise _GoneError(f"no answer within {limit_s:g} s")
        kind, value = pipe.recv()
    except (EOFError, OSError) as error:
        raise _GoneError("it is not there any more") from error
    if kind != DONE:
        raise EngineError(value[0], remedy=value[1])
    return value
