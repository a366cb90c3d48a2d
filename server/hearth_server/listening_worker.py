"""The inside of a listening process: an engine, and the utterances that it hears.

Two pipes lead to it. One is for what belongs to utterances, in turn; the other for the home's grammar, which is taken
in a second thread, so that nobody who speaks waits for it. Both end when the server closes them or is gone.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any, Final

from hearth_core.command import EndReason, Hypothesis, Transcription
from hearth_core.errors import HearthError
from hearth_core.settings import ServerConfig
from hearth_core.speech import EndpointSettings, SileroDetector

from .asr.engine import Engine, Verifying
from .asr.registry import load_engine
from .listen import Listening

_LOG = logging.getLogger(__name__)

DONE: Final = "done"
_FAILED: Final = "failed"


def work(config: ServerConfig, language: str, audio: Connection, control: Connection) -> None:
    """Load the engine, say so, and answer until the pipes are closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the server says when it is over
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        engine = load_engine(config, language)
    except HearthError as error:
        control.send(_failure(error))
        return
    control.send((DONE, (engine.name, isinstance(engine, Verifying))))
    threading.Thread(target=_serve, args=(control, {"use": engine.use}), name="grammar", daemon=True).start()
    utterances = _Utterances(engine)
    verbs: dict[str, Callable[..., Any]] = {
        "open": utterances.open,
        "feed": utterances.feed,
        "finish": utterances.finish,
        "close": utterances.close,
    }
    if isinstance(engine, Verifying):
        verbs["fit"] = engine.phrase_fit
    _serve(audio, verbs)
    engine.close()


class _Utterances:
    """Those that are open, by their number."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._open: dict[int, Listening] = {}

    def open(
        self,
        number: int,
        word: tuple[bytes, float] | None,
        settings: EndpointSettings,
        names: tuple[str, ...],
        near: tuple[str, ...],
        reply: bool,
    ) -> None:
        listening = Listening(self._engine, settings, SileroDetector(), names, near, reply=reply)
        if word is not None:
            listening.meet(*word)
        self._open[number] = listening

    def feed(self, number: int, pcm: bytes) -> tuple[EndReason | None, Hypothesis | None, float]:
        listening = self._open[number]
        return listening.feed(pcm), listening.partial, listening.silence_s

    def finish(self, number: int) -> Transcription:
        return self._open[number].finish()

    def close(self, number: int) -> None:
        listening = self._open.pop(number, None)
        if listening is not None:
            listening.close()


def _serve(pipe: Connection, verbs: Mapping[str, Callable[..., Any]]) -> None:
    while True:
        try:
            verb, arguments = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            answer = DONE, verbs[verb](*arguments)
        except HearthError as error:
            answer = _failure(error)
        except Exception as error:  # a fault in one utterance must not end those of the others
            _LOG.exception("the recogniser failed")
            answer = _FAILED, (f"the recogniser failed: {error!r}", "Say it again; the log has the details")
        try:
            pipe.send(answer)
        except OSError:
            return


def _failure(error: HearthError) -> tuple[str, tuple[str, str]]:
    return _FAILED, (error.message, error.remedy)
