"""The satellite's states: what it does with the sound that it hears and with what its driver says.

            run-satellite            detection             audio-stop sent
    IDLE ------------------> LISTENING ------> STREAMING ------------------> ANSWERING
      ^                          ^                 ^                            |
      | driver gone, pause       | all heard,      | wake word, or              | audio-start
      | (from every state)       | error, too late | the answer asks back       |
      |                          +------------- PLAYING <-----------------------+

Nothing here waits: a method takes one thing that happened (a chunk, an event, a moment) and leaves the session in its
next state. So no state can hang in the middle of a step, and each that is no rest has a time limit that `tick` holds.
While PLAYING only a wake word is listened for: the answer is never transcribed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from wyoming.event import Event
from wyoming.snd import Played

from hearth_core.audio import PcmFormat
from hearth_core.command import Detection, EndReason

from .answers import Answers
from .chime import Chime
from .inbound import deliver
from .news import Happening, News
from .playback import Playback, Sound
from .post import Post
from .ring import Ring
from .sending import NEVER, Sending
from .states import Driver, EndOfSpeech, Manners, State, TimeLimits
from .timers import Timers
from .wake import WakePhrase, WakeWord

__all__ = ["Driver", "EndOfSpeech", "Manners", "Session", "State", "TimeLimits"]

_LOG = logging.getLogger(__name__)


class Session:
    """One satellite between its microphone, its driver and its speaker.

    Args:
        wake: says when a command begins.
        end_of_speech: says when it ends, unless the driver has said so before.
        playback: takes what is to be heard; `played` is to be called for each sound that was.
        limits: time limits of the states.
        manners: how it behaves.
        news: is told what happens.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        wake: WakeWord,
        end_of_speech: EndOfSpeech,
        playback: Playback,
        *,
        limits: TimeLimits | None = None,
        manners: Manners | None = None,
        news: News | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wake = wake
        self._limits = limits or TimeLimits()
        self._manners = manners or Manners()
        self._news = news or News()
        self._answers = Answers(playback, self._limits.echo_s, clock)
        self._timers = Timers(self._news, self._manners.ring_s, clock)
        self._clock = clock
        self._state = State.IDLE
        self._deadline = NEVER
        self._preroll = Ring(wake.preroll_s)
        self._post = Post(self._news, self._limits.driver_silence_s, clock)
        self._sending = Sending(self._post, end_of_speech, clock, chimes=self._manners.wake_chime)
        self._transcribed = False
        self._muted = False
        self._asks_back = False  # the answer is a question
        self._follow_up_until = -NEVER  # what is heard up to then begins a command
        self._waiting_until: float | None = None  # of an answer that an announcement has interrupted
        self._not_connected_told = -NEVER

    # --- what others may ask -------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """What the satellite is doing."""
        return self._state

    @property
    def command_id(self) -> str:
        """The command in work, or the last one; empty before the first."""
        return self._sending.command_id

    def ready(self) -> bool:
        """True if what is said now is listened to as a new command."""
        return self._state is State.LISTENING and not self._answers.deaf and not self._muted

    def heeds(self) -> bool:
        """True if somebody takes what is said now: as a new command, as more of one, or for a wake word."""
        if self._answers.deaf or self._muted or self._state is State.IDLE:
            return False
        return self._state in (State.LISTENING, State.STREAMING) or self._awaits_wake_word()

    @property
    def phrases(self) -> tuple[WakePhrase, ...]:
        """The wake words that are listened for."""
        return self._wake.phrases

    @property
    def alone(self) -> bool:
        """True if no driver is there; one that has paused the satellite is."""
        return self._post.alone

    @property
    def muted(self) -> bool:
        """True if nothing is listened to."""
        return self._muted

    @property
    def ringing(self) -> bool:
        """True while a timer rings."""
        return self._timers.ringing

    # --- people at the satellite itself --------------------------------------------------------------------------

    def mute(self, muted: bool) -> None:
        """Listen to nothing, or to everything again; a command that is under way ends here."""
        if muted and self._state is State.STREAMING:
            self._end_streaming(EndReason.STOP)
        if muted is not self._muted:
            self._preroll.clear()
            self._wake.reset()
        self._muted = muted

    def use_wake(self, wake: WakeWord) -> None:
        """Listen for other wake words from now on."""
        self._preroll = Ring(wake.preroll_s)
        self._wake = wake

    def wake_up(self) -> bool:
        """Begin a command as if the wake word had been said: a button; return False if it cannot begin now."""
        if self._timers.silence("a button"):
            return True
        if self.alone:
            self._tell_not_connected()
            return False
        if self._muted:
            return False
        if self._state is State.PLAYING:
            self._cut_answer()
        elif self._state not in (State.LISTENING, State.ANSWERING):
            return False
        self._begin(None)
        return True

    def stop(self, why: str = "a button") -> bool:
        """Stop what is heard, a timer or an answer, or end the command; return False if there was nothing to stop."""
        if self._timers.silence(why):
            return True
        if self._state is State.PLAYING:
            self._cut_answer()
            return True
        if self._state is State.STREAMING:
            self._end_streaming(EndReason.STOP)
            return True
        return False

    def _cut_answer(self) -> None:
        self._answers.silence()
        self._asks_back, self._waiting_until = False, None
        self._post.send(Played().event())  # its driver waits for the word
        if self._post.driver is None:
            self._enter(State.IDLE)
        else:
            self._listen()

    def _tell_not_connected(self) -> None:
        now = self._clock()
        if now - self._not_connected_told < self._limits.not_connected_s:
            return
        self._not_connected_told = now
        _LOG.warning("somebody speaks to the satellite, and no driver is there")
        self._news.tell(Happening.NOT_CONNECTED)
        self._answers.chime(Chime.NOT_CONNECTED)

    # --- the microphone ------------------------------------------------------------------------------------------

    def hear(self, pcm: bytes) -> None:
        """Take the next sound from the microphone, 16 kHz s16le mono."""
        if self._answers.deaf or self._muted:
            return
        self._sending.hear(pcm)
        if self._state is State.STREAMING:
            self._stream(pcm)
        elif self._state is State.LISTENING and self._clock() < self._follow_up_until:
            self._begin(None, follow_up=True)
            self._stream(pcm)
        elif self._state is State.LISTENING or self._awaits_wake_word():
            # While an answer is due only a wake word is listened to: any other speech is likely the end of the command.
            self._preroll.add(pcm)
            detection = self._wake.feed(pcm)
            if detection is not None:
                self._detected(detection)

    def _awaits_wake_word(self) -> bool:
        if not self._wake.phrases:
            return False
        match self._state:
            case State.ANSWERING:
                return True
            case State.PLAYING:
                return self._manners.barge_in
            case State.IDLE:
                return self.alone or self._timers.ringing
        return False

    def _detected(self, detection: Detection) -> None:
        if detection.wake_word in self._manners.stop_words:
            self.stop("a stop word")
            return
        rang = self._timers.silence("a wake word")
        if self._post.driver is None:
            if not rang and self.alone:
                self._tell_not_connected()
            return
        if self._state is State.PLAYING:
            self._cut_answer()  # forgets the sound so far, in which the answer is
        self._begin(detection, follow_up=rang)

    def microphone_ended(self) -> None:
        """Take note that no more sound will come; a command that is under way ends here."""
        if self._state is State.STREAMING:
            self._end_streaming(EndReason.STOP)

    def _begin(self, detection: Detection | None, *, follow_up: bool = False) -> None:
        self._follow_up_until = -NEVER
        self._asks_back, self._waiting_until = False, None
        # Nobody may have anything to say to a question, or to a timer that was only to be silenced.
        command_id = self._sending.begin(self._limits.follow_up_s if follow_up else NEVER)
        woken_by = "the driver" if detection is None else detection.wake_word or "speech"
        self._transcribed = False
        self._enter(State.STREAMING, self._limits.streaming_s)
        _LOG.info("command %s begins, woken by %s", command_id, woken_by)
        wake_word = detection.wake_word if detection else ""
        self._news.tell(Happening.WAKE, wake_word=wake_word, command_id=command_id)
        before = self._preroll.take()
        self._sending.open(detection, before)
        for pcm in before:
            # What precedes the end of a wake word is not the command's own speech, but its first word may be in it.
            self._stream(pcm, speech=not self._wake.phrases)
        self._chime_if_due()

    def _chime_if_due(self) -> None:
        if self._state is State.STREAMING and self._sending.may_chime():
            self._answers.chime(Chime.WAKE)

    def _stream(self, pcm: bytes, *, speech: bool = True) -> None:
        end = self._sending.send(pcm, speech=speech)
        self._chime_if_due()
        if end is not None and self._state is State.STREAMING:
            self._end_streaming(end)

    def _end_streaming(self, reason: EndReason | str) -> None:
        _LOG.info("command %s: %d ms streamed, ended by %s", self.command_id, self._sending.milliseconds, reason)
        self._sending.end()
        self._wake.reset()
        self._enter(State.ANSWERING, self._limits.answer_s)
        self._answers.release()
        if self._answers.due:
            self._play()

    # --- the driver ----------------------------------------------------------------------------------------------

    def run(self, driver: Driver) -> None:
        """Let this driver run the satellite; one that did so before is closed, for only one can."""
        former = self._post.driver
        if former is not None and former is not driver:
            _LOG.warning("%s takes the satellite over from %s", driver.name, former.name)
            self.drop(former)
            former.close("another driver took over")
        if driver is not former:
            self._sending.new_driver()
        self._post.take(driver)
        if self._state is State.IDLE:
            self._listen()

    def pause(self, driver: Driver) -> None:
        """Rest until this driver says `run-satellite` again; ignored from any other."""
        if driver is self._post.driver:
            _LOG.info("%s pauses the satellite", driver.name)
            if self._state is State.STREAMING:
                self._sending.end()
            self._post.pause()
            self._rest()

    def drop(self, driver: Driver) -> None:
        """Take note that a driver is gone; whatever it was in the middle of ends."""
        if self._post.leave(driver):
            if self._state not in (State.IDLE, State.LISTENING):
                _LOG.warning("%s left while %s command %s", driver.name, self._state, self.command_id)
            self._rest()

    def receive(self, driver: Driver, event: Event) -> None:
        """Take an event from a peer; only the one that runs the satellite is listened to.

        Raises:
            WireError: the event's data are not what its type asks for.
        """
        if driver is not self._post.driver or self._post.hear(event) or self._timers.receive(event):
            return
        if self._sending.receive(event):
            self._chime_if_due()
        else:
            deliver(event, self)

    def transcript(self, text: str) -> None:
        """Take note of what was heard; the driver may have found the end of the command before us: its word wins."""
        if self._state not in (State.STREAMING, State.ANSWERING):
            return
        _LOG.info("command %s: heard %r", self.command_id, text)
        self._news.tell(Happening.TRANSCRIPT, text=text, command_id=self.command_id)
        self._transcribed = True
        if self._state is State.STREAMING:
            self._end_streaming("the driver")
        if self._state is State.ANSWERING and not text.strip():
            self._enter(State.ANSWERING, self._limits.empty_answer_s)

    def answered_elsewhere(self) -> None:
        """End the command: another satellite has heard it better, and answers."""
        if self._state is State.STREAMING:
            self._end_streaming("another satellite, which answers")
        if self._state is State.ANSWERING:
            self._listen()

    def answer_text(self, text: str, *, listen: bool) -> None:
        """Take note of what will be said, and whether somebody is asked by it."""
        _LOG.info("command %s: answer %r", self.command_id, text)
        self._news.tell(Happening.ANSWER, text=text, command_id=self.command_id)
        self._asks_back = listen and self._state is not State.STREAMING
        if self._state is State.ANSWERING:
            self._enter(State.ANSWERING, self._limits.voice_s)

    def error(self, text: str, code: str) -> None:
        """End the command that failed."""
        _LOG.warning("the driver reports %r (%r)", text, code)
        unanswered = self._sending.unanswered
        if self._state is State.STREAMING:
            self._end_streaming("an error of the driver")
        if self._state is State.ANSWERING:
            self._listen()
            if not unanswered:
                self._news.tell(Happening.ERROR, text=text, code=code)
                self._answers.chime(Chime.ERROR)

    def run_pipeline(self) -> None:
        """Begin a command without a wake word: push to talk, or a question that asks back."""
        if self.ready():
            self._begin(None)

    def audio_start(self, audio: PcmFormat, *, announcement: bool) -> None:
        """Begin to play; during a command it waits, and an announcement goes before an answer."""
        streaming = self._state is State.STREAMING
        if announcement and self._state is State.ANSWERING:
            self._waiting_until = self._deadline
        self._answers.start(audio, hold=streaming, first=announcement)
        if not streaming:
            self._play()

    def audio_chunk(self, pcm: bytes) -> None:
        """Play more."""
        self._answers.feed(pcm)
        if self._state is State.PLAYING:
            self._play()

    def audio_stop(self) -> None:
        """Take note that the sound is complete."""
        self._answers.stop()

    def _play(self) -> None:
        """Be in PLAYING until all that has arrived is heard, however fast or slowly it came."""
        if self._state is not State.PLAYING:
            self._preroll.clear()
            self._wake.reset()
        heard_by = max(self._answers.heard_by, self._clock())
        self._enter(State.PLAYING, heard_by - self._clock() + self._limits.play_margin_s)

    # --- the speaker ---------------------------------------------------------------------------------------------

    def played(self, sound: Sound) -> None:
        """Take note that a sound was heard to its end."""
        if not self._answers.finished(sound):
            return
        self._post.send(Played().event())
        if self._state is State.PLAYING and not self._answers.due:
            self._after_answer()

    def _after_answer(self) -> None:
        waiting_until, self._waiting_until = self._waiting_until, None
        if waiting_until is not None:  # an announcement came before the answer, which is still due
            self._enter(State.ANSWERING, waiting_until - self._clock())
            return
        if self._asks_back:
            self._follow_up_until = self._clock() + self._limits.echo_s + self._limits.follow_up_open_s
        self._asks_back = False
        self._listen()

    # --- time ----------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Hold the time limits; to be called some times a second."""
        now = self._clock()
        self._chime_if_due()
        if driver := self._post.lost():
            self.drop(driver)
            driver.close(f"it has sent nothing for {self._limits.driver_silence_s:g} s")
        rings = self._timers.tick(driven=self._post.driver is not None)
        if rings and self._state in (State.IDLE, State.LISTENING):
            self._answers.ring()
        if now < self._deadline:
            return
        _LOG.warning("command %s: %s took too long", self.command_id or "none", self._state)
        match self._state:
            case State.STREAMING:
                self._end_streaming(EndReason.LIMIT)
            case State.ANSWERING:
                self._listen()
                if not self._transcribed:  # else it was heard, and its driver has nothing to say
                    self._answers.chime(Chime.ERROR)
            case State.PLAYING:
                self._cut_answer()

    # --- between states ------------------------------------------------------------------------------------------

    def _enter(self, state: State, limit_s: float = NEVER) -> None:
        former, self._state = self._state, state
        self._deadline = self._clock() + limit_s
        if state is not former:
            _LOG.debug("%s -> %s", former, state)
            self._news.tell(Happening.STATE, state=str(state))

    def _listen(self) -> None:
        self._preroll.clear()
        self._wake.reset()
        self._enter(State.LISTENING)

    def _rest(self) -> None:
        self._answers.silence()
        self._sending.forget()
        self._asks_back, self._waiting_until, self._follow_up_until = False, None, -NEVER
        self._preroll.clear()
        self._wake.reset()
        self._enter(State.IDLE)
