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

from hearth_core.command import Detection, EndReason
from hearth_core.control_event import VERDICT

from .answers import Answers
from .attention import Attention
from .chime import Chime
from .course import NEVER, Course
from .heed import Heed
from .inbound import deliver
from .news import Happening, News
from .not_connected import NotConnected
from .playback import Playback, Sound
from .post import Post
from .sending import Sending
from .speaking import Speaking
from .states import Driver, EndOfSpeech, Manners, State, TimeLimits
from .timers import Timers
from .verification import Asked, Verification
from .wake import WakePhrase, WakeWord
from .wake_word import Trigger

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
        self._attention = Attention(wake)
        self._limits = limits or TimeLimits()
        self._manners = manners or Manners()
        self._news = news or News()
        self._answers = Answers(playback, self._limits.echo_s, clock)
        self._timers = Timers(self._news, self._manners.ring_s, clock)
        self._post = Post(self._news, self._limits.driver_silence_s, clock)
        self._sending = Sending(self._post, end_of_speech, clock, chimes=self._manners.wake_chime)
        self._verification = Verification(self._post, self._attention, self._manners, self._sending.levels, clock)
        self._transcribed = False
        self._language = ""  # of the wake word that began the command; empty if it has none of its own
        self._course = Course(self._attention, self._news, clock)
        barge_in = self._manners.barge_in
        self._heed = Heed(self._course, self._attention, self._answers, self._post, self._timers, barge_in)
        self._speaking = Speaking(self._course, self._attention, self._answers, self._post, self._limits, clock)
        self._not_connected = NotConnected(
            self._answers, self._news, self._manners.not_connected, self._limits.not_connected_s, clock
        )

    # --- what others may ask -------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """What the satellite is doing."""
        return self._course.state

    @property
    def command_id(self) -> str:
        """The command in work, or the last one; empty before the first."""
        return self._sending.command_id

    def ready(self) -> bool:
        """True if a new command may begin."""
        return self._heed.ready

    def heeds(self) -> bool:
        """True if somebody takes what is said now: as a new command, as more of one, or for a wake word."""
        return self._heed.any

    def started(self) -> bool:
        """True if a command is under way, and what is said now is part of it."""
        return self._heed.started

    @property
    def trigger(self) -> Trigger:
        """What of the sound begins a command."""
        return self._attention.trigger

    @property
    def phrases(self) -> tuple[WakePhrase, ...]:
        """The wake words that are listened for."""
        return self._attention.phrases

    @property
    def alone(self) -> bool:
        """True if no driver is there; one that has paused the satellite is."""
        return self._post.alone

    @property
    def muted(self) -> bool:
        """True if nothing is listened to."""
        return self._attention.muted

    @property
    def ringing(self) -> bool:
        """True while a timer rings."""
        return self._timers.ringing

    # --- people at the satellite itself --------------------------------------------------------------------------

    def mute(self, muted: bool) -> None:
        """Listen to nothing, or to everything again; a command that is under way ends here."""
        if muted and self._course.state is State.STREAMING:
            self._end_streaming(EndReason.STOP)
        self._verification.forget()
        self._attention.mute(muted)

    def use_wake(self, wake: WakeWord) -> None:
        """Listen for other wake words from now on."""
        self._attention.use(wake)

    def wake_up(self) -> bool:
        """Begin a command as if the wake word had been said: a button; return False if it cannot begin now."""
        if self._timers.silence("a button"):
            return True
        if self.alone:
            self._not_connected.tell()
            return False
        if self._attention.muted:
            return False
        if self._course.state is State.PLAYING:
            self._speaking.cut()
        elif self._course.state not in (State.LISTENING, State.ANSWERING):
            return False
        self._begin(None)
        return True

    def stop(self, why: str = "a button") -> bool:
        """Stop what is heard, a timer or an answer, or end the command; return False if there was nothing to stop."""
        if self._timers.silence(why):
            return True
        if self._course.state is State.PLAYING:
            self._speaking.cut()
            return True
        if self._course.state is State.STREAMING:
            self._end_streaming(EndReason.STOP)
            return True
        return False

    # --- the microphone ------------------------------------------------------------------------------------------

    def hear(self, pcm: bytes) -> None:
        """Take the next sound from the microphone, 16 kHz s16le mono."""
        if self._heed.deaf:
            return
        self._sending.hear(pcm)
        if self._course.state is State.STREAMING:
            self._stream(pcm)
        elif self._course.state is State.LISTENING and self._speaking.afterwards.open:
            self._begin(None, follow_up=True)
            self._stream(pcm)
        elif self._course.state is State.LISTENING or self._heed.awaits_wake_word:
            self._verification.hear(pcm)
            # While an answer is due only a wake word is listened to: any other speech is likely the end of the command.
            detection = self._attention.listen(pcm)
            if detection is not None:
                self._detected(detection)

    def _detected(self, detection: Detection) -> None:
        if not detection.sure:
            if self._course.state is State.LISTENING and not self._timers.ringing:
                self._verification.ask(detection)
            return
        if detection.wake_word in self._manners.stop_words:
            self.stop("a stop word")
            return
        rang = self._timers.silence("a wake word")
        if self._post.driver is None:
            if not rang and self.alone:
                self._not_connected.tell(detection.facts.get("language", ""))
            return
        if self._course.state is State.PLAYING:
            self._speaking.cut()  # forgets the sound so far, in which the answer is
        self._begin(detection, follow_up=rang)

    def microphone_ended(self) -> None:
        """Take note that no more sound will come; a command that is under way ends here."""
        if self._course.state is State.STREAMING:
            self._end_streaming(EndReason.STOP)

    def _verified(self, event: Event) -> None:
        asked = self._verification.answer(event)
        if asked is not None and self.ready():
            self._begin(asked.detection, asked=asked)
            for pcm in asked.since:
                if self._course.state is State.STREAMING:  # it may have ended in what came meanwhile
                    self._stream(pcm)

    def _begin(self, detection: Detection | None, *, follow_up: bool = False, asked: Asked | None = None) -> None:
        self._speaking.afterwards.forget()
        self._verification.forget()
        # Nobody may have anything to say to a question, or to a timer that was only to be silenced.
        command_id = self._sending.begin(self._limits.follow_up_s if follow_up else NEVER)
        woken_by = "the driver" if detection is None else detection.wake_word or "speech"
        self._transcribed = False
        self._language = detection.facts.get("language", "") if detection else ""
        self._course.enter(State.STREAMING, self._limits.streaming_s)
        _LOG.info("command %s begins, woken by %s", command_id, woken_by)
        wake_word = detection.wake_word if detection else ""
        self._news.tell(Happening.WAKE, wake_word=wake_word, command_id=command_id)
        word, lately = self._attention.word(), self._attention.take()
        before = lately if asked is None else asked.before
        self._sending.open(detection, before, asked.levels if asked else None)
        for pcm in before:
            # What precedes the end of a wake word is not the command's own speech, but its first word may be in it.
            self._stream(pcm, speech=self.trigger is Trigger.SPEECH)
        # After them, for the command's first sound is waited for. While a timer rang, it is in the word's sound.
        if detection is not None and detection.sure and not follow_up:
            self._verification.check(detection, command_id, word)
        self._chime_if_due()

    def _chime_if_due(self) -> None:
        if self._course.state is State.STREAMING and self._sending.may_chime():
            self._answers.chime(Chime.WAKE)

    def _stream(self, pcm: bytes, *, speech: bool = True) -> None:
        end = self._sending.send(pcm, speech=speech)
        self._chime_if_due()
        if end is not None and self._course.state is State.STREAMING:
            self._end_streaming(end)

    def _end_streaming(self, reason: EndReason | str) -> None:
        _LOG.info("command %s: %d ms streamed, ended by %s", self.command_id, self._sending.milliseconds, reason)
        self._sending.end()
        self._attention.forget()
        self._course.enter(State.ANSWERING, self._limits.answer_s)
        self._speaking.release()

    # --- the driver ----------------------------------------------------------------------------------------------

    def run(self, driver: Driver) -> None:
        """Let this driver run the satellite; one that did so before is closed, for only one can."""
        former = self._post.driver
        if former is not None and former is not driver:
            _LOG.warning("%s takes the satellite over from %s", driver.name, former.name)
            self.drop(former, replaced=True)
            former.close("another driver took over")
        if driver is not former:
            self._sending.new_driver()
        self._post.take(driver)
        if self._course.state is State.IDLE:
            self._course.listen()

    def pause(self, driver: Driver) -> None:
        """Rest until this driver says `run-satellite` again; ignored from any other."""
        if driver is self._post.driver:
            _LOG.info("%s pauses the satellite", driver.name)
            if self._course.state is State.STREAMING:
                self._sending.end()
            self._post.pause()
            self._rest()

    def drop(self, driver: Driver, *, replaced: bool = False) -> None:
        """Take note that a driver is gone; whatever it was in the middle of ends, and who waits for it is told so.

        What was spoken is not sent again: it may have been done, and done twice it may be undone.

        Args:
            driver: which.
            replaced: another one is there already.
        """
        if not self._post.leave(driver):
            return
        state = self._course.state
        if state not in (State.IDLE, State.LISTENING):
            _LOG.warning("%s left while %s command %s", driver.name, state, self.command_id)
        self._rest()
        if state not in (State.STREAMING, State.ANSWERING) or self._sending.unanswered:
            return  # nobody waits
        if self.trigger is Trigger.SPEECH:
            return  # it may have been a television
        if replaced:
            self._answers.chime(Chime.ERROR)
        else:
            self._not_connected.tell(self._language)

    def receive(self, driver: Driver, event: Event) -> None:
        """Take an event from a peer; only the one that runs the satellite is listened to.

        Raises:
            WireError: the event's data are not what its type asks for.
        """
        if driver is not self._post.driver or self._post.hear(event) or self._timers.receive(event):
            return
        if self._sending.receive(event):
            self._chime_if_due()
        elif event.type == VERDICT:
            self._verified(event)
        else:
            deliver(event, self, self._speaking)

    def transcript(self, text: str) -> None:
        """Take note of what was heard; the driver may have found the end of the command before us: its word wins."""
        if self._course.state not in (State.STREAMING, State.ANSWERING):
            return
        _LOG.info("command %s: heard %r", self.command_id, text)
        self._news.tell(Happening.TRANSCRIPT, text=text, command_id=self.command_id)
        self._transcribed = True
        if self._course.state is State.STREAMING:
            self._end_streaming("the driver")
        if self._course.state is State.ANSWERING and not text.strip():
            self._course.enter(State.ANSWERING, self._limits.empty_answer_s)

    def answered_elsewhere(self) -> None:
        """End the command: another satellite has heard it better, and answers; or its wake word was not said."""
        if self._course.state is State.STREAMING:
            self._end_streaming("the driver, which answers nothing here")
        if self._course.state is State.ANSWERING:
            self._course.listen()

    def answer_text(self, text: str, *, listen: bool) -> None:
        """Take note of what will be said, and whether somebody is asked by it."""
        _LOG.info("command %s: answer %r", self.command_id, text)
        self._news.tell(Happening.ANSWER, text=text, command_id=self.command_id)
        self._speaking.afterwards.asks_back = listen and self._course.state is not State.STREAMING
        if self._course.state is State.ANSWERING:
            self._course.enter(State.ANSWERING, self._limits.voice_s)

    def error(self, text: str, code: str) -> None:
        """End the command that failed."""
        _LOG.warning("the driver reports %r (%r)", text, code)
        unanswered = self._sending.unanswered
        if self._course.state is State.STREAMING:
            self._end_streaming("an error of the driver")
        if self._course.state is State.ANSWERING:
            self._course.listen()
            if not unanswered:
                self._news.tell(Happening.ERROR, text=text, code=code)
                self._answers.chime(Chime.ERROR)

    def run_pipeline(self) -> None:
        """Begin a command without a wake word: push to talk, or a question that asks back."""
        if self.ready():
            self._begin(None)

    def played(self, sound: Sound) -> None:
        """Take note that a sound was heard to its end."""
        self._speaking.played(sound)

    # --- time ----------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Hold the time limits; to be called some times a second."""
        self._verification.tick()
        self._chime_if_due()
        if driver := self._post.lost():
            self.drop(driver)
            driver.close(f"it has sent nothing for {self._limits.driver_silence_s:g} s")
        rings = self._timers.tick(driven=self._post.driver is not None)
        if rings and self._course.state in (State.IDLE, State.LISTENING):
            self._answers.ring()
        if not self._course.overdue:
            return
        _LOG.warning("command %s: %s took too long", self.command_id or "none", self._course.state)
        match self._course.state:
            case State.STREAMING:
                self._end_streaming(EndReason.LIMIT)
            case State.ANSWERING:
                self._course.listen()
                if not self._transcribed:  # else it was heard, and its driver has nothing to say
                    self._answers.chime(Chime.ERROR)
            case State.PLAYING:
                self._speaking.cut()

    # --- between states ------------------------------------------------------------------------------------------

    def _rest(self) -> None:
        self._answers.silence()
        self._sending.forget()
        self._verification.forget()
        self._speaking.afterwards.forget()
        self._course.rest()
