"""The satellite's states, one thing happening after the other, with a clock that is moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.ping import Ping
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.timer import TimerStarted
from wyoming.tts import Synthesize
from wyoming.vad import VoiceStarted, VoiceStopped
from wyoming.wake import Detect

from hearth_core.audio import PcmFormat
from hearth_core.errors import WireError
from hearth_satellite.answers import MAX_DUE
from hearth_satellite.session import Manners, Session, State, TimeLimits
from tests.satellite.fakes import END, QUIET, TALK, WAKE, ByteEnd, ByteWake, Clock, Peer, Sounds

LIMITS = TimeLimits(
    streaming_s=20, answer_s=30, empty_answer_s=3, voice_s=10, play_margin_s=5, driver_silence_s=20, echo_s=0.25
)


class Room:
    """A session with everything around it."""

    def __init__(
        self, *, words: bool = True, audible: bool = False, wake_chime: bool = False, barge_in: bool = False
    ) -> None:
        self.clock = Clock()
        self.sounds = Sounds(audible=audible)
        self.end = ByteEnd()
        self.session = Session(
            ByteWake(words=words),
            self.end,
            self.sounds,
            limits=LIMITS,
            manners=Manners(wake_chime=wake_chime, barge_in=barge_in),
            clock=self.clock,
        )
        self.peer = Peer()
        self.former_peers: list[Peer] = []

    def state(self) -> State:
        return self.session.state

    def tell(self, *events: object) -> None:
        for event in events:
            self.session.receive(self.peer, event.event())  # type: ignore[attr-defined]

    def hear(self, *chunks: bytes) -> None:
        for chunk in chunks:
            self.session.hear(chunk)

    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds
        self.session.tick()

    def bring_to(self, state: State) -> None:
        """Bring a fresh session into a state."""
        order = list(State)
        steps: list[Callable[[], None]] = [
            lambda: self.session.run(self.peer),
            lambda: self.hear(WAKE),
            lambda: self.hear(TALK, END),
            lambda: self.tell(AudioStart(22050, 2, 1), AudioChunk(22050, 2, 1, bytes(44100))),
        ]
        for step in steps[: order.index(state)]:
            step()
        assert self.session.state is state


def claim(room: Room, *, granted: bool) -> Event:
    return Event("hearth-claim", {"command_id": room.session.command_id, "granted": granted})


def noise(amplitude: int) -> bytes:
    values = np.random.default_rng(amplitude).integers(-amplitude, amplitude + 1, 512)
    return values.astype("<i2").tobytes()


@pytest.fixture
def room() -> Room:
    return Room()


def test_nothing_is_sent_before_a_driver_runs_the_satellite(room: Room) -> None:
    room.hear(WAKE, TALK)
    assert room.state() is State.IDLE
    assert not room.session.ready()


def test_a_command_opens_with_detection_pipeline_and_format_then_streams_the_preroll_first(room: Room) -> None:
    room.session.run(room.peer)
    room.hear(QUIET, TALK, QUIET, WAKE, TALK)
    assert room.peer.types() == ["detection", "run-pipeline", "audio-start", *["audio-chunk"] * 3]
    assert room.peer.heard() == QUIET + WAKE + TALK, "0.064 s are two chunks: the wake word's and the one before"
    detection, run, start = room.peer.events[:3]
    assert detection.data["name"] == "alexa"
    assert detection.data["context"] == {"command_id": room.session.command_id, "lead_ms": 64, "wake_score": 0.99}
    assert run.data["context"] == detection.data["context"]
    assert (run.data["start_stage"], run.data["end_stage"], run.data["restart_on_end"]) == ("asr", "tts", False)
    assert (start.data["rate"], start.data["width"], start.data["channels"]) == (16000, 2, 1)
    assert [e.data["timestamp"] for e in room.peer.events[3:]] == [0, 32, 64]


def test_each_command_has_its_own_id(room: Room) -> None:
    room.bring_to(State.STREAMING)
    first = room.session.command_id
    room.tell(Error("no"))
    room.hear(WAKE)
    assert room.session.command_id not in ("", first)


def test_without_wake_words_there_is_no_detection_and_the_preroll_counts_as_speech() -> None:
    room = Room(words=False)
    room.session.run(room.peer)
    room.hear(TALK, WAKE, TALK)
    assert room.peer.types()[:2] == ["run-pipeline", "audio-start"]
    assert room.end.fed == [TALK, WAKE, TALK]


def test_the_sound_before_a_detection_does_not_count_as_speech_of_the_command(room: Room) -> None:
    room.session.run(room.peer)
    room.hear(TALK, WAKE, TALK)
    assert room.end.fed == [TALK]


def test_silence_ends_the_command(room: Room) -> None:
    room.bring_to(State.STREAMING)
    room.hear(TALK, END, TALK)
    assert room.state() is State.ANSWERING
    assert room.peer.heard() == WAKE + TALK + END, "nothing is streamed after the end"
    assert room.peer.events[-1].type == "audio-stop"
    assert room.peer.events[-1].data["timestamp"] == 96


def test_the_driver_may_end_the_command_earlier(room: Room) -> None:
    room.bring_to(State.STREAMING)
    room.hear(TALK)
    room.tell(Transcript("lights on"))
    room.hear(TALK)
    assert room.peer.types()[-2:] == ["audio-chunk", "audio-stop"]
    assert room.state() is State.ANSWERING


def test_the_answer_is_played_and_told_and_never_transcribed(room: Room) -> None:
    room.bring_to(State.PLAYING)
    room.hear(WAKE, TALK)
    room.tell(AudioStop())
    room.hear(WAKE)
    assert room.state() is State.PLAYING
    (sound,) = room.sounds.given
    assert (sound.audio, sound.seconds, sound.complete) == (PcmFormat(22050, 2, 1), 1.0, True)
    room.session.played(sound)
    assert room.peer.types()[-1] == "played"
    assert room.state() is State.LISTENING
    room.hear(QUIET)
    assert room.peer.types()[-1] == "played"
    room.hear(WAKE)
    assert room.peer.heard().endswith(QUIET + WAKE), "the sound before and during the answer is forgotten"


def test_the_echo_of_an_audible_answer_is_not_heard() -> None:
    room = Room(audible=True)
    room.bring_to(State.PLAYING)
    room.tell(AudioStop())
    room.session.played(room.sounds.given[0])
    room.hear(WAKE)
    assert room.state() is State.LISTENING
    assert not room.session.ready()
    room.pass_time(0.3)
    room.hear(WAKE)
    assert room.state() is State.STREAMING


def test_two_answers_in_a_row_are_both_played(room: Room) -> None:
    room.bring_to(State.PLAYING)
    room.tell(AudioStop(), AudioStart(16000, 2, 1), AudioChunk(16000, 2, 1, b"ab"), AudioStop())
    first, second = room.sounds.given
    room.session.played(first)
    assert room.state() is State.PLAYING
    room.session.played(second)
    assert room.state() is State.LISTENING
    assert room.peer.types().count("played") == 2


def test_answers_that_pile_up_are_bounded(room: Room) -> None:
    room.bring_to(State.LISTENING)
    for _ in range(100):
        room.tell(AudioStart(22050, 2, 1), AudioChunk(22050, 2, 1, b"ab"), AudioStop())
    assert len(room.sounds.given) == MAX_DUE
    heard_to_the_end(room)
    assert room.state() is State.LISTENING
    assert room.peer.types().count("played") == MAX_DUE


def test_an_announcement_is_played_between_commands(room: Room) -> None:
    room.bring_to(State.LISTENING)
    room.tell(AudioStart(22050, 2, 1), AudioChunk(22050, 2, 1, b"abcd"), AudioStop())
    assert room.state() is State.PLAYING
    room.session.played(room.sounds.given[0])
    assert room.state() is State.LISTENING


def test_an_announcement_waits_for_the_end_of_the_command(room: Room) -> None:
    room.bring_to(State.STREAMING)
    room.tell(AudioStart(22050, 2, 1), AudioChunk(22050, 2, 1, bytes(44100)), AudioStop())
    room.hear(TALK)
    assert (room.state(), room.sounds.given) == (State.STREAMING, [])
    room.hear(END)
    assert room.state() is State.PLAYING
    assert [sound.seconds for sound in room.sounds.given] == [1.0]
    room.session.played(room.sounds.given[0])
    assert room.state() is State.LISTENING


def test_an_answer_without_audio_is_a_chime(room: Room) -> None:
    room.bring_to(State.ANSWERING)
    room.tell(AudioStart(22050, 2, 1), AudioStop())
    assert room.sounds.labels() == ["answer", "chime"]
    room.session.played(room.sounds.given[0])
    assert room.state() is State.LISTENING


def test_an_error_ends_the_command_with_a_chime(room: Room) -> None:
    for state in (State.STREAMING, State.ANSWERING):
        room = Room()
        room.bring_to(state)
        room.tell(Error("no text recognized", "stt-no-text-recognized"))
        assert room.state() is State.LISTENING
        assert room.sounds.labels() == ["chime"]
        assert room.peer.types()[-1] == "audio-stop"


def test_the_wake_chime_is_not_streamed() -> None:
    room = Room(audible=True, wake_chime=True)
    room.bring_to(State.STREAMING)
    room.pass_time(0.1)
    assert room.sounds.labels() == ["chime"]
    room.hear(TALK)
    room.pass_time(0.5)
    room.hear(END)
    assert room.peer.heard() == WAKE + END


def test_only_the_satellite_that_is_granted_the_claim_chimes() -> None:
    for granted, expected in ((True, ["chime"]), (False, [])):
        room = Room(audible=True, wake_chime=True)
        room.bring_to(State.STREAMING)
        assert room.peer.events[0].data["context"]["awaits_claim"] is True
        room.session.receive(room.peer, claim(room, granted=granted))
        assert room.sounds.labels() == expected, "at once, or not at all"
        room.pass_time(1.0)
        assert room.sounds.labels() == expected


def test_a_driver_that_knows_no_claims_is_waited_for_once() -> None:
    room = Room(audible=True, wake_chime=True)
    room.bring_to(State.STREAMING)
    room.pass_time(0.07)
    assert room.sounds.labels() == []
    room.pass_time(0.02)
    assert room.sounds.labels() == ["chime"]
    room.pass_time(2.0)
    room.tell(Error("no"))
    room.pass_time(2.0)
    room.hear(WAKE)
    room.hear(TALK)
    assert room.sounds.labels().count("chime") == 3, "wake, error, and the second wake at once"


def test_a_claim_for_another_command_changes_nothing() -> None:
    room = Room(audible=True, wake_chime=True)
    room.bring_to(State.STREAMING)
    other = claim(room, granted=True)
    other.data["command_id"] = "another"
    room.session.receive(room.peer, other)
    assert room.sounds.labels() == []


def test_a_command_without_a_wake_word_asks_nobody_whether_it_may_chime() -> None:
    room = Room(audible=True, wake_chime=True)
    room.session.run(room.peer)
    room.hear(*[noise(1000)] * 80)
    assert room.session.wake_up()
    assert room.sounds.labels() == ["chime"], "at once"
    (run,) = (event for event in room.peer.events if event.type == "run-pipeline")
    assert set(run.data["context"]) == {"command_id", "lead_ms"}, "there is no wake word that could have a level"


def test_a_button_says_nothing_about_whether_the_driver_knows_claims() -> None:
    room = Room(audible=True, wake_chime=True)
    room.bring_to(State.STREAMING)
    room.pass_time(0.1)
    room.tell(Error("no"))
    room.pass_time(2.0)
    assert room.session.wake_up()
    room.tell(Error("no"))
    room.pass_time(2.0)
    chimes = len(room.sounds.labels())
    room.hear(WAKE)
    assert len(room.sounds.labels()) == chimes + 1, "it is still not waited for"


def test_a_wake_word_in_an_answer_asks_for_the_chime_like_any_other() -> None:
    room = Room(audible=True, wake_chime=True, barge_in=True)
    room.bring_to(State.PLAYING)
    room.pass_time(2.0)
    sounds = len(room.sounds.labels())
    room.hear(WAKE)
    assert room.state() is State.STREAMING
    assert len(room.sounds.labels()) == sounds
    room.session.receive(room.peer, claim(room, granted=True))
    assert room.sounds.labels()[sounds:] == ["chime"]


def test_no_chime_is_heard_once_the_command_is_over_or_the_driver_gone() -> None:
    for end in ("spoken", "driver gone", "paused"):
        room = Room(audible=True, wake_chime=True)
        room.bring_to(State.STREAMING)
        match end:
            case "spoken":
                room.hear(END)
            case "driver gone":
                room.session.drop(room.peer)
            case "paused":
                room.session.pause(room.peer)
        room.session.receive(room.peer, claim(room, granted=True))
        room.pass_time(0.1)
        assert room.sounds.labels() == [], end


def test_what_a_muted_microphone_hears_is_no_room() -> None:
    room = Room()
    room.session.run(room.peer)
    room.hear(*[noise(10)] * 80)
    room.session.mute(True)
    room.hear(*[noise(5000)] * 80)
    room.session.mute(False)
    room.hear(*[noise(1000)] * 20, WAKE)
    facts = room.peer.events[0].data["context"]
    assert 30 < facts["level_dbfs"] - facts["noise_dbfs"] < 50, "1000 over 10 are 40 dB"


def test_a_satellite_falls_silent_at_once_when_another_one_answers(room: Room) -> None:
    for state in (State.STREAMING, State.ANSWERING):
        room = Room()
        room.bring_to(state)
        room.tell(Transcript("", context={"answered_by": "kitchen"}))
        assert room.state() is State.LISTENING
        assert room.sounds.labels() == []
        room.hear(WAKE)
        assert room.state() is State.STREAMING


def test_the_server_is_told_how_loud_the_wake_word_and_the_room_were(room: Room) -> None:
    room.session.run(room.peer)
    room.hear(*[noise(10)] * 60, *[noise(1000)] * 20, WAKE)
    facts = room.peer.events[0].data["context"]
    assert 30 < facts["level_dbfs"] - facts["noise_dbfs"] < 50, "1000 over 10 are 40 dB"


def test_a_wake_word_ends_the_wait_for_an_answer_but_mere_speech_does_not() -> None:
    for words, expected in ((True, State.STREAMING), (False, State.ANSWERING)):
        room = Room(words=words)
        room.bring_to(State.ANSWERING)
        room.hear(WAKE)
        assert room.state() is expected


def test_the_driver_may_begin_a_command_without_a_wake_word(room: Room) -> None:
    room.bring_to(State.LISTENING)
    room.tell(RunPipeline(PipelineStage.ASR, PipelineStage.TTS))
    assert room.state() is State.STREAMING
    assert room.peer.types() == ["run-pipeline", "audio-start"]


def test_speaking_to_the_end_of_the_microphone_ends_the_command(room: Room) -> None:
    room.bring_to(State.STREAMING)
    room.session.microphone_ended()
    assert room.state() is State.ANSWERING
    assert room.peer.types()[-1] == "audio-stop"


@pytest.mark.parametrize("state", [s for s in State if s is not State.IDLE])
def test_a_driver_may_vanish_in_every_state(state: State) -> None:
    room = Room()
    room.bring_to(state)
    room.session.drop(room.peer)
    assert room.state() is State.IDLE
    room.hear(WAKE, TALK)
    again = Peer("again")
    room.session.run(again)
    assert room.state() is State.LISTENING
    room.hear(WAKE)
    assert again.heard() == WAKE


@pytest.mark.parametrize("state", list(State))
def test_a_new_driver_takes_over_in_every_state(state: State) -> None:
    room = Room()
    room.bring_to(state)
    other = Peer("other")
    room.session.run(other)
    assert room.state() is State.LISTENING
    assert (room.peer.closed is None) is (state is State.IDLE)
    room.session.drop(room.peer)
    assert room.state() is State.LISTENING, "the end of the former driver's connection is nobody's concern"
    room.tell(Transcript("no longer listened to"), AudioStart(16000, 2, 1))
    assert room.state() is State.LISTENING


@pytest.mark.parametrize("state", [s for s in State if s is not State.IDLE])
def test_pause_rests_until_run_is_said_again(state: State) -> None:
    room = Room()
    room.bring_to(state)
    sent = len(room.peer.events)
    room.session.pause(Peer("visitor"))
    assert room.state() is state
    room.session.pause(room.peer)
    room.hear(WAKE)
    assert room.state() is State.IDLE
    assert room.peer.types()[sent:] == (["audio-stop"] if state is State.STREAMING else [])
    room.session.run(room.peer)
    assert room.state() is State.LISTENING


def test_running_twice_changes_nothing(room: Room) -> None:
    room.bring_to(State.STREAMING)
    room.session.run(room.peer)
    assert room.state() is State.STREAMING


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize(("words", "barge_in"), [(True, True), (True, False), (False, True)])
def test_sound_is_heeded_as_a_command_or_for_a_wake_word(state: State, words: bool, barge_in: bool) -> None:
    room = Room(words=words, barge_in=barge_in)
    room.bring_to(state)
    expected = {State.LISTENING, State.STREAMING}
    expected |= {State.ANSWERING} if words else set()
    expected |= {State.PLAYING} if words and barge_in else set()
    assert room.session.heeds() is (state in expected)
    room.session.mute(True)
    assert not room.session.heeds()


@pytest.mark.parametrize(
    ("state", "limit_s", "next_state"),
    [
        (State.STREAMING, 20, State.ANSWERING),
        (State.ANSWERING, 30, State.LISTENING),
        (State.PLAYING, 1 + 5, State.LISTENING),
    ],
)
def test_every_state_that_is_no_rest_ends_by_itself(state: State, limit_s: float, next_state: State) -> None:
    room = Room()
    room.bring_to(state)
    room.pass_time(limit_s - 0.1)
    assert room.state() is state
    room.pass_time(0.2)
    assert room.state() is next_state
    room.pass_time(1000)
    assert room.state() is State.LISTENING


def test_the_rests_last(room: Room) -> None:
    room.pass_time(1e6)
    assert room.state() is State.IDLE
    room.bring_to(State.LISTENING)
    room.pass_time(1e6)
    assert room.state() is State.LISTENING


def test_the_text_of_an_answer_gives_its_voice_time_to_come(room: Room) -> None:
    room.bring_to(State.ANSWERING)
    room.pass_time(29)
    room.tell(Transcript("lights on"), Synthesize("turned on"))
    room.pass_time(9)
    assert room.state() is State.ANSWERING
    room.pass_time(2)
    assert room.state() is State.LISTENING
    assert room.sounds.given == [], "a driver without a voice is no error"


def test_after_an_empty_transcript_an_answer_is_not_awaited_for_long(room: Room) -> None:
    room.bring_to(State.ANSWERING)
    room.tell(Transcript(" "))
    room.pass_time(3.1)
    assert room.state() is State.LISTENING
    assert room.sounds.given == [], "it was heard, so nothing went wrong"


def test_an_answer_that_never_comes_is_told_by_a_chime(room: Room) -> None:
    room.bring_to(State.ANSWERING)
    room.pass_time(31)
    assert room.sounds.labels() == ["chime"]


def test_an_answer_that_arrives_slowly_is_waited_for(room: Room) -> None:
    room.bring_to(State.PLAYING)
    for _ in range(10):
        room.pass_time(4)
        room.tell(AudioChunk(22050, 2, 1, bytes(4410)))
    assert room.state() is State.PLAYING
    assert room.sounds.given[0].seconds == pytest.approx(2.0)


def test_an_answer_that_arrives_at_once_is_played_whole(room: Room) -> None:
    room.bring_to(State.ANSWERING)
    room.tell(AudioStart(22050, 2, 1), *[AudioChunk(22050, 2, 1, bytes(44100))] * 60, AudioStop())
    room.pass_time(64)
    assert room.state() is State.PLAYING
    room.pass_time(2)
    assert room.state() is State.LISTENING
    assert room.peer.types()[-1] == "played", "its driver waits for the word"
    assert room.sounds.stopped == 1


def test_a_sound_that_ends_after_it_was_given_up_is_ignored(room: Room) -> None:
    room.bring_to(State.PLAYING)
    (sound,) = room.sounds.given
    room.pass_time(100)
    room.hear(WAKE)
    sent = list(room.peer.events)
    room.session.played(sound)
    assert room.state() is State.STREAMING
    assert room.peer.events == sent


def test_a_driver_that_pinged_and_fell_silent_is_given_up(room: Room) -> None:
    room.bring_to(State.LISTENING)
    room.pass_time(1000)
    assert room.state() is State.LISTENING, "a driver that never pings may be silent for ever"
    room.tell(Ping())
    room.pass_time(19)
    assert room.state() is State.LISTENING
    room.pass_time(2)
    assert room.state() is State.IDLE
    assert room.peer.closed is not None


def test_events_without_a_meaning_here_change_nothing() -> None:
    for state in State:
        room = Room()
        room.bring_to(state)
        sent = list(room.peer.events)
        room.tell(Transcribe(language="en"), Detect(), VoiceStarted(1), VoiceStopped(2), TimerStarted("1", 5))
        room.session.receive(room.peer, Event("of-a-later-version", {"a": 1}, b"x"))
        assert (room.state(), room.peer.events) == (state, sent)


def test_nobody_but_the_driver_is_listened_to(room: Room) -> None:
    room.bring_to(State.STREAMING)
    for event in (Transcript("x").event(), Error("x").event(), AudioStart(16000, 2, 1).event()):
        room.session.receive(Peer("visitor"), event)
    assert room.state() is State.STREAMING


@pytest.mark.parametrize(
    "event",
    [
        Event("audio-start", {"rate": 0, "width": 2, "channels": 1}),
        Event("audio-start", {"rate": 16000, "width": 9, "channels": 1}),
        Event("audio-start", {"rate": 16000, "width": 2, "channels": -1}),
        Event("audio-start", {"rate": "fast"}),
        Event("transcript", {"text": 5}),
        Event("run-pipeline", {"start_stage": "dinner"}),
    ],
)
def test_an_event_with_wrong_data_is_a_wire_error(event: Event, room: Room) -> None:
    room.bring_to(State.ANSWERING)
    with pytest.raises(WireError):
        room.session.receive(room.peer, event)


def lose_the_driver(room: Room) -> None:
    room.session.drop(room.peer)
    room.former_peers.append(room.peer)
    room.peer = Peer()


def run_by_who_is_connected(room: Room) -> None:
    if room.peer.closed is not None:  # somebody took over: its connection is closed, and it comes back on another
        room.former_peers.append(room.peer)
        room.peer = Peer()
    room.session.run(room.peer)


def heard_to_the_end(room: Room) -> None:
    for sound in room.sounds.given:
        room.session.played(sound)


HAPPENINGS: dict[str, Callable[[Room], Any]] = {
    "hear quiet": lambda r: r.hear(QUIET),
    "hear wake": lambda r: r.hear(WAKE),
    "hear talk": lambda r: r.hear(TALK),
    "hear end": lambda r: r.hear(END),
    "run": run_by_who_is_connected,
    "run other": lambda r: r.session.run(Peer("other")),
    "drop": lose_the_driver,
    "pause": lambda r: r.session.pause(r.peer),
    "transcript": lambda r: r.tell(Transcript("on")),
    "empty transcript": lambda r: r.tell(Transcript("")),
    "error": lambda r: r.tell(Error("no")),
    "trigger": lambda r: r.tell(RunPipeline(PipelineStage.ASR, PipelineStage.TTS)),
    "audio-start": lambda r: r.tell(AudioStart(16000, 2, 1)),
    "audio-chunk": lambda r: r.tell(AudioChunk(16000, 2, 1, bytes(3200))),
    "audio-stop": lambda r: r.tell(AudioStop()),
    "ping": lambda r: r.tell(Ping()),
    "played": heard_to_the_end,
    "microphone ends": lambda r: r.session.microphone_ended(),
    "a second": lambda r: r.pass_time(1.0),
    "a minute": lambda r: r.pass_time(60.0),
}


@given(st.lists(st.sampled_from(sorted(HAPPENINGS)), max_size=30), st.booleans(), st.booleans())
@settings(max_examples=400, deadline=None)
def test_whatever_happens_the_satellite_comes_to_rest(happened: list[str], words: bool, audible: bool) -> None:
    room = Room(words=words, audible=audible, wake_chime=audible)
    room.session.run(room.peer)
    for name in happened:
        HAPPENINGS[name](room)
    for _ in range(4):  # streaming, answering, playing, listening
        room.pass_time(120.0)
    assert room.state() in (State.IDLE, State.LISTENING)
    for peer in (*room.former_peers, room.peer):
        edges = [kind for kind in peer.types() if kind in ("audio-start", "audio-stop")]
        expected = ["audio-start", "audio-stop"] * len(edges)
        assert edges == expected[: len(edges)], "a command's audio is opened once and closed once"
    last = Peer("last")
    room.session.run(last)
    room.clock.now += 10
    room.hear(WAKE)
    assert room.state() is State.STREAMING
    assert last.heard() == WAKE
