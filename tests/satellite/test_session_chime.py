"""When a satellite chimes: of those that hear one wake word, the one that the server lets."""

from __future__ import annotations

from wyoming.error import Error

from hearth_satellite.session import State
from tests.satellite.around import Room, claim, noise
from tests.satellite.fakes import END, TALK, WAKE


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
        room = Room(audible=True, wake_chime=True, not_connected={"": bytes(32000)})
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
        words = [1.0] if end == "driver gone" else []  # that nobody is there is said, for somebody waits
        assert [sound.seconds for sound in room.sounds.given] == words, end
