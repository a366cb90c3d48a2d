"""The satellite's states: what it does with the sound that it hears and with what its driver says.

            run-satellite            detection             audio-stop sent
    IDLE ------------------> LISTENING ------> STREAMING ------------------> ANSWERING
      ^                          ^                                              |
      | driver gone, pause       | all sounds heard, error, or too late         | audio-start
      | (from every state)       +------------------ PLAYING <-----------------+

Nothing here waits: a method takes one thing that happened (a chunk, an event, a moment) and leaves the session in its
next state. So no state can hang in the middle of a step, and each that is no rest has a time limit that `tick` holds.
Microphone audio is dropped while PLAYING: the answer is never transcribed.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.ping import Ping
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.snd import Played
from wyoming.tts import Synthesize

from hearth_core.audio import BYTES_PER_SECOND, PcmFormat
from hearth_core.command import Detection, EndReason, new_command_id
from hearth_core.errors import AudioError, WireError
from hearth_core.wire import parse

from . import events
from .answers import Answers
from .chime import Chime
from .claim import CLAIM, Claim
from .loudness import Loudness
from .playback import Playback, Sound
from .wake import WakeWord

_LOG = logging.getLogger(__name__)


class State(StrEnum):
    """What the satellite is doing."""

    IDLE = "idle"  # no driver, or it paused us; a rest
    LISTENING = "listening"  # waits for the wake word; a rest
    STREAMING = "streaming"  # sends a command
    ANSWERING = "answering"  # waits for the answer to it
    PLAYING = "playing"  # is heard itself


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long each state may last, in seconds."""

    # The end-pointer ends a command in its own time, counted in audio; this is for a microphone that stops delivering.
    streaming_s: float = 20.0
    # Home Assistant gives a conversation agent 30 s as well.
    answer_s: float = 30.0
    # After a transcript without words: a driver that has something to say to that says it at once.
    empty_answer_s: float = 3.0
    # From the answer's text to its sound: a voice in the cloud takes some seconds, a driver without one sends nothing.
    voice_s: float = 10.0
    # Beyond the length of what is to be played; also the longest gap in an answer on its way.
    play_margin_s: float = 5.0
    # Home Assistant pings every 2 s; a driver that has pinged and then falls silent so long has lost its network.
    driver_silence_s: float = 20.0
    # Loudspeaker and microphone have buffers of their own, and a room its echo.
    echo_s: float = 0.25


class Driver(Protocol):
    """Whoever runs the satellite, as the session sees it; no method waits."""

    name: str

    def send(self, event: Event) -> None:
        """Send an event, or give the driver up if it takes none."""

    def close(self, reason: str) -> None:
        """End the connection."""


class EndOfSpeech(Protocol):
    """Says when a command is over."""

    def feed(self, pcm: bytes) -> EndReason | None:
        """Take the next sound of the command; return why it is over, None while it is not."""

    def reset(self) -> None:
        """Begin another command."""


class Session:
    """One satellite between its microphone, its driver and its speaker.

    Args:
        wake: says when a command begins.
        end_of_speech: says when it ends, unless the driver has said so before.
        playback: takes what is to be heard; `played` is to be called for each sound that was.
        limits: time limits of the states.
        wake_chime: play a chime at the detection; what is said during it is lost.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        wake: WakeWord,
        end_of_speech: EndOfSpeech,
        playback: Playback,
        *,
        limits: TimeLimits | None = None,
        wake_chime: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wake = wake
        self._end_of_speech = end_of_speech
        self._limits = limits or TimeLimits()
        self._answers = Answers(playback, self._limits.echo_s, clock)
        self._wake_chime = wake_chime
        self._claim = Claim(clock)
        self._loudness = Loudness()
        self._clock = clock
        self._state = State.IDLE
        self._deadline = float("inf")
        self._preroll: deque[bytes] = deque()
        self._preroll_bytes = 0
        self._command_id = ""
        self._streamed_bytes = 0
        self._driver: Driver | None = None
        self._driver_heard = 0.0
        self._driver_pings = False
        self._transcribed = False

    # --- what others may ask -------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """What the satellite is doing."""
        return self._state

    @property
    def command_id(self) -> str:
        """The command in work, or the last one; empty before the first."""
        return self._command_id

    def ready(self) -> bool:
        """True if what is said now is listened to as a new command."""
        return self._state is State.LISTENING and not self._answers.deaf

    # --- the microphone ------------------------------------------------------------------------------------------

    def hear(self, pcm: bytes) -> None:
        """Take the next sound from the microphone, 16 kHz s16le mono."""
        self._loudness.hear(pcm)
        if self._answers.deaf:
            return
        if self._state is State.STREAMING:
            self._stream(pcm)
        elif self._state is State.LISTENING or (self._state is State.ANSWERING and self._wake.phrases):
            # While an answer is due only a wake word is listened to: any other speech is likely the end of the command.
            self._remember(pcm)
            detection = self._wake.feed(pcm)
            if detection is not None:
                self._begin(detection)

    def microphone_ended(self) -> None:
        """Take note that no more sound will come; a command that is under way ends here."""
        if self._state is State.STREAMING:
            self._end_streaming(EndReason.STOP)

    def _remember(self, pcm: bytes) -> None:
        self._preroll.append(pcm)
        self._preroll_bytes += len(pcm)
        most = self._wake.preroll_s * BYTES_PER_SECOND
        while self._preroll_bytes - len(self._preroll[0]) >= most:
            self._preroll_bytes -= len(self._preroll.popleft())

    def _begin(self, detection: Detection | None) -> None:
        self._command_id = new_command_id()
        woken_by = "the driver" if detection is None else detection.wake_word or "speech"
        self._transcribed = False
        self._enter(State.STREAMING, self._limits.streaming_s)
        _LOG.info("command %s begins, woken by %s", self._command_id, woken_by)
        facts: dict[str, float | bool] = {**self._loudness.facts()}
        if self._wake_chime:
            facts |= self._claim.ask(self._command_id, detected=bool(detection and detection.wake_word))
        for event in events.beginning(detection, self._command_id, facts):
            self._send(event)
        self._streamed_bytes = 0
        self._end_of_speech.reset()
        before = list(self._preroll)
        self._forget_preroll()
        for pcm in before:
            # What precedes the end of a wake word is not the command's own speech, but its first word may be in it.
            self._stream(pcm, speech=not self._wake.phrases)

    def _chime_if_due(self) -> None:
        if self._claim.due():  # granted by the driver, or the wait for it is over
            self._answers.chime(Chime.WAKE)

    def _stream(self, pcm: bytes, *, speech: bool = True) -> None:
        self._send(events.chunk(pcm, self._streamed_ms()))
        self._streamed_bytes += len(pcm)
        self._chime_if_due()
        end = self._end_of_speech.feed(pcm) if speech else None
        if end is not None and self._state is State.STREAMING:
            self._end_streaming(end)

    def _streamed_ms(self) -> int:
        return self._streamed_bytes * 1000 // BYTES_PER_SECOND

    def _end_streaming(self, reason: EndReason | str) -> None:
        _LOG.info("command %s: %d ms streamed, ended by %s", self._command_id, self._streamed_ms(), reason)
        self._claim.forget()
        self._send(events.stop(self._streamed_ms()))
        self._wake.reset()
        self._enter(State.ANSWERING, self._limits.answer_s)
        self._answers.release()
        if self._answers.due:
            self._play()

    # --- the driver ----------------------------------------------------------------------------------------------

    def run(self, driver: Driver) -> None:
        """Let this driver run the satellite; one that did so before is closed, for only one can."""
        if self._driver is not None and self._driver is not driver:
            _LOG.warning("%s takes the satellite over from %s", driver.name, self._driver.name)
            former = self._driver
            self.drop(former)
            former.close("another driver took over")
        if self._driver is None:
            _LOG.info("%s runs the satellite", driver.name)
        if driver is not self._driver:
            self._claim.new_driver()
        self._driver = driver
        self._driver_heard, self._driver_pings = self._clock(), False
        if self._state is State.IDLE:
            self._listen()

    def pause(self, driver: Driver) -> None:
        """Rest until this driver says `run-satellite` again; ignored from any other."""
        if driver is self._driver:
            _LOG.info("%s pauses the satellite", driver.name)
            if self._state is State.STREAMING:
                self._send(events.stop(self._streamed_ms()))
            self._rest()

    def drop(self, driver: Driver) -> None:
        """Take note that a driver is gone; whatever it was in the middle of ends."""
        if driver is not self._driver:
            return
        if self._state not in (State.IDLE, State.LISTENING):
            _LOG.warning("%s left while %s command %s", driver.name, self._state, self._command_id)
        self._rest()

    def receive(self, driver: Driver, event: Event) -> None:
        """Take an event from a peer; only the one that runs the satellite is listened to.

        Raises:
            WireError: the event's data are not what its type asks for.
        """
        if driver is not self._driver:
            return
        self._driver_heard = self._clock()
        if Ping.is_type(event.type):
            self._driver_pings = True
        elif AudioChunk.is_type(event.type):
            self._on_audio_chunk(parse(AudioChunk, event))
        elif AudioStart.is_type(event.type):
            start = parse(AudioStart, event)
            self._on_audio_start(_pcm_format(start.rate, start.width, start.channels))
        elif AudioStop.is_type(event.type):
            self._answers.stop()
        elif Transcript.is_type(event.type):
            self._on_transcript(parse(Transcript, event))
        elif Synthesize.is_type(event.type):
            _LOG.info("command %s: answer %r", self._command_id, parse(Synthesize, event).text)
            if self._state is State.ANSWERING:
                self._enter(State.ANSWERING, self._limits.voice_s)
        elif event.type == CLAIM:
            self._claim.answer(event)
            self._chime_if_due()
        elif Error.is_type(event.type):
            self._on_error(parse(Error, event))
        elif RunPipeline.is_type(event.type):
            self._on_run_pipeline(parse(RunPipeline, event))
        else:
            # `transcribe`, `voice-started`, `detect`, timers and what later versions bring: nothing to be done.
            _LOG.debug("%s sent %s", driver.name, event.type)

    def _on_transcript(self, transcript: Transcript) -> None:
        if self._state not in (State.STREAMING, State.ANSWERING):
            return
        _LOG.info("command %s: heard %r", self._command_id, transcript.text)
        self._transcribed = True
        if self._state is State.STREAMING:  # the driver found the end of the command before us; its word wins
            self._end_streaming("the driver")
        if self._state is State.ANSWERING and not transcript.text.strip():
            self._enter(State.ANSWERING, self._limits.empty_answer_s)
            if (transcript.context or {}).get("answered_by") is not None:  # another satellite answers
                self._listen()

    def _on_error(self, error: Error) -> None:
        _LOG.warning("the driver reports %r (%r)", error.text, error.code)
        if self._state is State.STREAMING:
            self._end_streaming("an error of the driver")
        if self._state is State.ANSWERING:
            self._listen()
            self._answers.chime(Chime.ERROR)

    def _on_run_pipeline(self, run: RunPipeline) -> None:
        """Begin a command without a wake word: push to talk, or a question that asks back."""
        if run.start_stage in (PipelineStage.WAKE, PipelineStage.ASR) and self.ready():
            self._begin(None)

    def _on_audio_start(self, audio: PcmFormat) -> None:
        streaming = self._state is State.STREAMING
        self._answers.start(audio, hold=streaming)
        if not streaming:
            self._play()

    def _on_audio_chunk(self, chunk: AudioChunk) -> None:
        self._answers.feed(chunk.audio)
        if self._state is State.PLAYING:
            self._play()

    def _play(self) -> None:
        """Be in PLAYING until all that has arrived is heard, however fast or slowly it came."""
        self._forget_preroll()
        heard_by = max(self._answers.heard_by, self._clock())
        self._enter(State.PLAYING, heard_by - self._clock() + self._limits.play_margin_s)

    # --- the speaker ---------------------------------------------------------------------------------------------

    def played(self, sound: Sound) -> None:
        """Take note that a sound was heard to its end."""
        if not self._answers.finished(sound):
            return
        self._send(Played().event())
        if self._state is State.PLAYING and not self._answers.due:
            self._listen()

    # --- time ----------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Hold the time limits; to be called some times a second."""
        now = self._clock()
        self._chime_if_due()
        driver = self._driver
        if driver and self._driver_pings and now - self._driver_heard > self._limits.driver_silence_s:
            self.drop(driver)
            driver.close(f"it has sent nothing for {self._limits.driver_silence_s:g} s")
        if now < self._deadline:
            return
        _LOG.warning("command %s: %s took too long", self._command_id or "none", self._state)
        match self._state:
            case State.STREAMING:
                self._end_streaming(EndReason.LIMIT)
            case State.ANSWERING:
                self._listen()
                if not self._transcribed:  # else it was heard, and its driver has nothing to say
                    self._answers.chime(Chime.ERROR)
            case State.PLAYING:
                self._answers.silence()
                self._send(Played().event())
                if self._driver:
                    self._listen()

    # --- between states ------------------------------------------------------------------------------------------

    def _enter(self, state: State, limit_s: float = float("inf")) -> None:
        if state is not self._state:
            _LOG.debug("%s -> %s", self._state, state)
        self._state = state
        self._deadline = self._clock() + limit_s

    def _listen(self) -> None:
        self._forget_preroll()
        self._wake.reset()
        self._enter(State.LISTENING)

    def _rest(self) -> None:
        self._driver = None
        self._claim.forget()
        self._answers.silence()
        self._forget_preroll()
        self._enter(State.IDLE)

    def _forget_preroll(self) -> None:
        self._preroll.clear()
        self._preroll_bytes = 0

    def _send(self, event: Event) -> None:
        if self._driver is not None:
            self._driver.send(event)


def _pcm_format(rate: int, width: int, channels: int) -> PcmFormat:
    try:
        return PcmFormat(rate, width, channels)
    except AudioError as error:
        raise WireError(f"audio-start names a format that cannot be played: {error}") from error
