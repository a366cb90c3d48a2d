"""How the satellite behaves towards people: it can be interrupted, asks back, rings, and says when nobody is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.timer import TimerCancelled, TimerFinished, TimerStarted, TimerUpdated
from wyoming.tts import Synthesize

from hearth_core.command import Detection
from hearth_core.errors import WireError
from hearth_satellite.news import Happening
from hearth_satellite.session import State
from hearth_satellite.timers import MAX_TIMERS
from hearth_satellite.wake import WakePhrase
from tests.satellite import around
from tests.satellite.fakes import END, QUIET, TALK, WAKE, ByteWake, Peer

STOP = bytes([9]) * 1024
ANSWER = (AudioStart(22050, 2, 1), AudioChunk(22050, 2, 1, bytes(44100)), AudioStop())


class WakeAndStop(ByteWake):
    """Detects `WAKE` and the stop word `STOP`."""

    def __init__(self) -> None:
        super().__init__()
        self.phrases = (WakePhrase("alexa", "Alexa"), WakePhrase("stop", "Stop"))

    def feed(self, chunk: bytes) -> Detection | None:
        return Detection("stop", 0.99, 1) if chunk == STOP else super().feed(chunk)


class Room(around.Room):
    """A session that is driven, as it behaves unless told otherwise, with a stop word."""

    def __init__(
        self,
        *,
        driven: bool = True,
        barge_in: bool = True,
        wake: ByteWake | None = None,
        not_connected: dict[str, bytes] | None = None,
    ) -> None:
        super().__init__(
            wake=wake or WakeAndStop(),
            barge_in=barge_in,
            stop_words=frozenset({"stop"}),
            ring_s=60,
            not_connected=not_connected or {},
        )
        if driven:
            self.session.run(self.peer)

    def answering(self) -> None:
        self.hear(WAKE, TALK, END)
        assert self.state() is State.ANSWERING

    def playing(self) -> None:
        self.answering()
        self.tell(*ANSWER)
        assert self.state() is State.PLAYING

    def play_all(self) -> None:
        for sound in list(self.sounds.given):
            self.session.played(sound)
        self.pass_time(0.3)


@pytest.fixture
def room() -> Room:
    return Room()


# --- interrupting an answer ------------------------------------------------------------------------------------------


def test_a_wake_word_stops_the_answer_and_is_listened_to(room: Room) -> None:
    room.playing()
    sent = len(room.peer.events)
    room.hear(TALK, TALK, WAKE, TALK)
    assert room.state() is State.STREAMING
    assert room.sounds.stopped == 1
    assert room.peer.types()[sent:] == ["played", "detection", "run-pipeline", "audio-start", "audio-chunk"]
    assert room.peer.events[-1].payload == TALK, "the sound in which the answer is, is never streamed"


def test_what_comes_late_of_an_answer_that_was_stopped_is_not_heard(room: Room) -> None:
    room.answering()
    room.tell(*ANSWER[:2])
    room.hear(WAKE)
    given = len(room.sounds.given)
    room.tell(ANSWER[1], ANSWER[2])
    assert (len(room.sounds.given), room.state()) == (given, State.STREAMING)


def test_a_stop_word_ends_the_answer_and_nothing_begins(room: Room) -> None:
    room.playing()
    room.hear(STOP)
    assert room.state() is State.LISTENING
    assert room.peer.types()[-1] == "played"


def test_a_stop_word_means_nothing_while_nothing_is_heard(room: Room) -> None:
    sent = len(room.peer.events)
    room.hear(STOP, QUIET)
    assert (room.state(), len(room.peer.events)) == (State.LISTENING, sent)


def test_without_barge_in_an_answer_is_heard_to_its_end() -> None:
    room = Room(barge_in=False)
    room.playing()
    room.hear(WAKE, STOP)
    assert room.state() is State.PLAYING


@pytest.mark.parametrize("state", [State.LISTENING, State.ANSWERING, State.PLAYING])
def test_a_button_begins_a_command(room: Room, state: State) -> None:
    steps: dict[State, Callable[[], None]] = {State.ANSWERING: room.answering, State.PLAYING: room.playing}
    steps.get(state, lambda: None)()
    assert room.session.wake_up()
    assert room.state() is State.STREAMING
    assert room.peer.types()[-2:] == ["run-pipeline", "audio-start"]


def test_a_button_stops_an_answer_and_ends_a_command(room: Room) -> None:
    assert not room.session.stop()
    room.hear(WAKE)
    assert room.session.stop()
    assert room.state() is State.ANSWERING
    room.tell(*ANSWER)
    assert room.session.stop()
    assert room.state() is State.LISTENING


# --- announcements ---------------------------------------------------------------------------------------------------


def announcement() -> tuple[Event, ...]:
    start = AudioStart(16000, 2, 1).event()
    start.data["context"] = {"kind": "announcement"}
    return start, AudioChunk(16000, 2, 1, bytes(3200)).event(), AudioStop().event()


def test_an_announcement_goes_before_the_answer_that_is_being_heard(room: Room) -> None:
    room.playing()
    room.tell(*announcement())
    assert [sound.audio.rate for sound in room.sounds.given] == [16000, 22050]
    room.session.played(room.sounds.given[0])
    assert room.state() is State.PLAYING
    room.session.played(room.sounds.given[1])
    assert room.state() is State.LISTENING
    assert room.peer.types().count("played") == 2


def test_after_an_announcement_the_answer_is_still_awaited_and_no_longer_than_before(room: Room) -> None:
    room.answering()
    room.pass_time(10)
    room.tell(*announcement())
    room.session.played(room.sounds.given[0])
    assert room.state() is State.ANSWERING
    room.pass_time(19)
    assert room.state() is State.ANSWERING
    room.pass_time(2)
    assert room.state() is State.LISTENING


# --- a question that asks back ---------------------------------------------------------------------------------------


def asked(room: Room) -> None:
    room.answering()
    question = Synthesize("Which one?").event()
    question.data["context"] = {"listen": True}
    room.tell(question, *ANSWER)
    room.play_all()


def test_after_a_question_one_speaks_without_a_wake_word(room: Room) -> None:
    asked(room)
    sent = len(room.peer.events)
    room.hear(QUIET, TALK, END)
    assert room.state() is State.ANSWERING
    kinds = room.peer.types()[sent:]
    assert kinds == ["run-pipeline", "audio-start", "audio-chunk", "audio-chunk", "audio-chunk", "audio-stop"]


def test_who_says_nothing_to_a_question_is_not_waited_for_and_not_blamed(room: Room) -> None:
    asked(room)
    sounds = room.sounds.labels()
    room.hear(*[QUIET] * round(5.0 / 0.032 + 2))
    assert room.state() is State.ANSWERING
    room.tell(Error("nobody spoke", "no-speech"))
    assert room.state() is State.LISTENING
    assert room.sounds.labels() == sounds, "no chime"
    room.hear(TALK)
    assert room.state() is State.LISTENING, "one question, one turn"


def test_a_microphone_that_is_late_does_not_begin_a_turn_that_nobody_expects(room: Room) -> None:
    asked(room)
    room.pass_time(3)
    room.hear(TALK)
    assert room.state() is State.LISTENING


@pytest.mark.parametrize("listen", ["yes", 1, None, {"a": 1}])
def test_only_true_asks_back(room: Room, listen: object) -> None:
    room.answering()
    question = Synthesize("Done").event()
    question.data["context"] = {"listen": listen}
    room.tell(question, *ANSWER)
    room.play_all()
    room.hear(TALK)
    assert room.state() is State.LISTENING


# --- timers ----------------------------------------------------------------------------------------------------------


def rings(room: Room, seconds: int) -> int:
    """Let seconds pass; return how often it rang."""
    before = len(room.sounds.given)
    for _ in range(seconds * 10):
        room.pass_time(0.1)
    return len(room.sounds.given) - before


def test_a_timer_rings_until_a_wake_word_is_said_which_is_listened_to(room: Room) -> None:
    room.tell(TimerStarted("1", 60, name="eggs"), TimerUpdated("1", True, 30), TimerFinished("1"))
    assert rings(room, 10) == 5
    room.hear(WAKE)
    assert not room.session.ringing
    assert room.state() is State.STREAMING
    room.hear(*[QUIET] * round(5.0 / 0.032 + 1))
    assert room.state() is State.ANSWERING, "nobody had anything to say"
    assert room.happened(Happening.TIMER_STARTED) == [{"id": "1", "name": "eggs", "seconds": 60.0}]
    assert room.happened(Happening.TIMER_RINGING) == [{"id": "1", "name": "eggs"}]
    assert room.happened(Happening.TIMER_SILENCED) == [{"why": "a wake word"}]


@pytest.mark.parametrize("how", ["stop word", "stop button", "wake button"])
def test_a_timer_is_only_silenced_by_a_stop_word_or_a_button(room: Room, how: str) -> None:
    room.tell(TimerFinished("never heard of"))
    assert rings(room, 2) == 1
    ways: dict[str, Callable[[], object]] = {
        "stop word": lambda: room.hear(STOP),
        "stop button": room.session.stop,
        "wake button": room.session.wake_up,
    }
    ways[how]()
    assert (room.session.ringing, room.state()) == (False, State.LISTENING)
    assert rings(room, 10) == 0


def test_a_timer_that_nobody_stops_falls_silent_at_its_limit(room: Room) -> None:
    room.tell(TimerFinished("1"))
    assert rings(room, 100) in (29, 30)
    assert room.happened(Happening.TIMER_SILENCED) == [{"why": "nobody stopped it"}]


def test_a_timer_waits_for_a_command_and_an_answer(room: Room) -> None:
    room.hear(WAKE)
    room.tell(TimerFinished("1"))
    assert rings(room, 4) == 0
    room.hear(TALK, END)
    room.tell(*ANSWER)
    room.play_all()
    assert rings(room, 4) >= 1


def test_a_timer_rings_on_time_though_its_driver_has_gone(room: Room) -> None:
    room.tell(TimerStarted("1", 60))
    room.session.drop(room.peer)
    assert rings(room, 60) == 0
    assert rings(room, 10) > 0
    room.hear(WAKE)
    assert not room.session.ringing
    assert room.happened(Happening.NOT_CONNECTED) == []


def test_a_timer_that_was_cancelled_or_paused_does_not_ring(room: Room) -> None:
    room.tell(TimerStarted("1", 5), TimerStarted("2", 5), TimerCancelled("1"), TimerUpdated("2", False, 5))
    room.session.drop(room.peer)
    assert rings(room, 100) == 0


def test_timers_are_bounded_and_their_junk_is_a_wire_error(room: Room) -> None:
    for number in range(MAX_TIMERS + 10):
        room.tell(TimerStarted(str(number), -5))
    assert len(room.happened(Happening.TIMER_STARTED)) == MAX_TIMERS
    with pytest.raises(WireError):
        room.tell(Event("timer-started", {"id": 5, "total_seconds": "x"}))


# --- mute, and nobody there ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.LISTENING, State.STREAMING, State.ANSWERING, State.PLAYING])
def test_muted_it_listens_to_nothing_and_still_answers(room: Room, state: State) -> None:
    steps: dict[State, Callable[[], None]] = {
        State.STREAMING: lambda: room.hear(WAKE),
        State.ANSWERING: room.answering,
        State.PLAYING: room.playing,
    }
    steps.get(state, lambda: None)()
    room.session.mute(True)
    sent = room.peer.heard()
    room.hear(WAKE, TALK)
    assert room.peer.heard() == sent
    assert not room.session.ready()
    room.tell(*ANSWER)
    room.play_all()
    assert room.state() is State.LISTENING
    assert not room.session.wake_up()
    room.session.mute(False)
    room.hear(WAKE)
    assert room.state() is State.STREAMING


def test_who_speaks_to_a_satellite_that_nobody_drives_is_told_so() -> None:
    room = Room(driven=False)
    room.hear(WAKE, QUIET, WAKE)
    assert room.sounds.labels() == ["chime"], "once for somebody who says it twice"
    room.pass_time(5)
    room.hear(WAKE)
    assert not room.session.wake_up()
    assert len(room.happened(Happening.NOT_CONNECTED)) == 2
    room.session.run(room.peer)
    room.hear(WAKE)
    assert room.state() is State.STREAMING


def test_it_is_told_in_the_language_of_the_wake_word_that_was_said() -> None:
    class German(WakeAndStop):
        def feed(self, chunk: bytes) -> Detection | None:
            found = super().feed(chunk)
            return None if found is None else replace(found, facts={"language": "de"})

    room = Room(driven=False, wake=German(), not_connected={"de": bytes(64000), "": bytes(32000)})
    room.hear(WAKE)
    room.pass_time(5)
    room.session.wake_up()
    assert [sound.seconds for sound in room.sounds.given] == [2.0, 1.0]


@pytest.mark.parametrize("spoken", [(WAKE, TALK), (WAKE, TALK, END)])
def test_who_waits_for_a_driver_that_goes_is_told_so(spoken: tuple[bytes, ...]) -> None:
    class German(WakeAndStop):
        def feed(self, chunk: bytes) -> Detection | None:
            found = super().feed(chunk)
            return None if found is None else replace(found, facts={"language": "de"})

    room = Room(wake=German(), not_connected={"de": bytes(64000), "": bytes(32000)})
    room.hear(*spoken)
    room.session.drop(room.peer)
    assert room.state() is State.IDLE
    assert [sound.seconds for sound in room.sounds.given] == [2.0]
    assert len(room.happened(Happening.NOT_CONNECTED)) == 1
    new = Peer("new")
    room.session.run(new)
    assert new.events == [], "what was spoken may have been done: it is not sent again"


def test_who_waits_for_a_driver_that_is_replaced_hears_that_it_failed(room: Room) -> None:
    room.answering()
    room.session.run(Peer("new"))
    assert room.state() is State.LISTENING
    assert room.sounds.labels() == ["chime"]
    assert room.happened(Happening.NOT_CONNECTED) == []


def test_nobody_is_told_who_does_not_wait() -> None:
    for quiet in ("listening", "playing", "a question that nobody answers", "no wake word"):
        room = Room(wake=ByteWake(words=False)) if quiet == "no wake word" else Room()
        match quiet:
            case "playing":
                room.playing()
            case "a question that nobody answers":
                asked(room)
                room.hear(QUIET)
                assert room.state() is State.STREAMING
            case "no wake word":
                room.answering()
        room.session.drop(room.peer)
        assert room.happened(Happening.NOT_CONNECTED) == [], quiet


def test_paused_by_its_driver_it_is_quiet_until_the_driver_has_gone(room: Room) -> None:
    room.session.pause(room.peer)
    room.hear(WAKE)
    assert room.happened(Happening.NOT_CONNECTED) == []
    room.session.drop(room.peer)
    room.hear(WAKE)
    assert len(room.happened(Happening.NOT_CONNECTED)) == 1


def test_everything_that_happens_is_told(room: Room) -> None:
    room.playing()
    room.play_all()
    room.session.drop(room.peer)
    assert [told.happening for told in room.told if told.happening is not Happening.STATE] == [
        Happening.CONNECTED,
        Happening.WAKE,
        Happening.DISCONNECTED,
    ]
    assert [fact["state"] for fact in room.happened(Happening.STATE)] == [
        "listening",
        "streaming",
        "answering",
        "playing",
        "listening",
        "idle",
    ]
