"""The states of a satellite: who may come and go in each, and how long it lasts."""

from __future__ import annotations

import pytest
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.ping import Ping
from wyoming.tts import Synthesize

from hearth_satellite.session import State
from tests.satellite.around import Room
from tests.satellite.fakes import TALK, WAKE, Peer


@pytest.fixture
def room() -> Room:
    return Room()


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
    expected |= {State.ANSWERING, State.IDLE} if words else set()  # who calls is told that no driver is there
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
