"""The satellite's states, one thing happening after the other, with a clock that is moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.ping import Ping
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.timer import TimerFinished, TimerStarted
from wyoming.vad import VoiceStarted, VoiceStopped
from wyoming.wake import Detect

from hearth_core.audio import PcmFormat
from hearth_core.errors import WireError
from hearth_satellite.answers import MAX_DUE
from hearth_satellite.session import State
from tests.satellite.around import Room, noise
from tests.satellite.fakes import END, QUIET, TALK, WAKE, Peer


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


def test_the_end_of_speech_is_told_how_the_wake_word_sounded(room: Room) -> None:
    room.session.run(room.peer)
    before = noise(1000)
    room.hear(before, WAKE)
    assert room.end.met == before + WAKE
    room.hear(TALK, END)
    room.tell(Transcript(""), Error("", "stt-no-text-recognized"))
    room.session.wake_up()
    assert room.state() is State.STREAMING
    assert room.end.met is None, "a button has no voice"


def test_a_wake_word_under_a_ringing_timer_tells_nothing_of_its_speaker(room: Room) -> None:
    room.session.run(room.peer)
    room.tell(TimerFinished("1"))
    room.hear(noise(1000), WAKE)
    assert room.state() is State.STREAMING
    assert room.end.met is None
    run = next(event for event in room.peer.events if event.type == "run-pipeline")
    assert run.data["context"]["rang"] is True, "nor to the server"


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
@settings(max_examples=400)
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
