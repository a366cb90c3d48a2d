"""What people set on a satellite: everywhere the same, remembered, and refused where it makes no sense."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hearth_core.control_event import SatelliteState, SettingsChange, change_of, state_of
from hearth_core.errors import EngineError, InputError, WireError
from hearth_satellite.control import Control, WakeChoice
from hearth_satellite.level import LevelMeter, dbfs
from hearth_satellite.memory import Memory, usual_place
from hearth_satellite.news import Happening, News, Told
from hearth_satellite.session import Session, State
from hearth_satellite.wake import WakeWord
from tests.fakes import silence, tone
from tests.satellite.fakes import TALK, WAKE, ByteEnd, ByteWake, Clock, Peer, Sounds


class Lab:
    """A control with everything around it."""

    def __init__(self, path: Path | None = None, *, choice: WakeChoice | None = None) -> None:
        self.clock, self.sounds, self.news, self.peer = Clock(), Sounds(), News(), Peer()
        self.told: list[Told] = []
        self.states: list[SatelliteState] = []
        self.made: list[tuple[tuple[str, ...], float]] = []
        self.session = Session(ByteWake(), ByteEnd(), self.sounds, news=self.news, clock=self.clock)
        self.level = LevelMeter(self.clock, alive=True)
        wake = choice or WakeChoice(("alexa",), ("alexa", "okay_nabu", "broken"), 0.5, self.make)
        self.control = Control(self.session, self.sounds, self.news, self.level, wake, Memory(path), volume=0.8)
        self.news.listen(self.told.append)
        self.control.listen(self.states.append)
        self.session.run(self.peer)

    def make(self, words: Sequence[str], sensitivity: float) -> WakeWord:
        if "broken" in words:
            raise EngineError("the model is broken")
        self.made.append((tuple(words), sensitivity))
        return ByteWake()

    async def change(self, **values: Any) -> SatelliteState:
        await self.control.change(SettingsChange.of(values))
        return self.control.state()


async def test_what_is_set_counts_at_once_and_is_told() -> None:
    lab = Lab()
    state = await lab.change(mute=True, volume=0.25, wake_words=["okay_nabu"], sensitivity=0.75)
    assert (state.mute, state.volume, state.wake_words, state.sensitivity) == (True, 0.25, ("okay_nabu",), 0.75)
    assert state.wake_word == "okay_nabu"
    assert (lab.session.muted, lab.sounds.volume, lab.made) == (True, 0.25, [(("okay_nabu",), 0.75)])
    assert lab.states[-1] == state
    assert lab.told[-1] == Told(
        Happening.SETTINGS, {"mute": True, "volume": 0.25, "wake_words": ["okay_nabu"], "sensitivity": 0.75}
    )


async def test_what_was_set_is_remembered_and_what_was_not_follows_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "satellite.json"
    lab = Lab(path)
    await lab.change(mute=True)
    await lab.change(wake_words=["okay_nabu"])
    assert json.loads(path.read_text()) == {"mute": True, "wake_words": ["okay_nabu"]}
    assert [file.name for file in path.parent.iterdir()] == ["satellite.json"]
    again = Lab(path)
    await again.control.recall()
    state = again.control.state()
    assert (state.mute, state.wake_words, state.volume, again.session.muted) == (True, ("okay_nabu",), 0.8, True)
    await again.change(mute=False)
    assert json.loads(path.read_text()) == {"mute": False, "wake_words": ["okay_nabu"]}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"mute": "yes"}', '{"volume": 7}', '{"volume": NaN}', "\xff", "[" * 100_000, "x" * 100_000],
)
async def test_a_broken_memory_is_put_aside_and_the_satellite_runs(tmp_path: Path, text: str) -> None:
    path = tmp_path / "satellite.json"
    path.write_bytes(text.encode("latin-1"))
    lab = Lab(path)
    await lab.control.recall()
    assert lab.control.state().volume == 0.8
    (aside,) = tmp_path.iterdir()
    assert aside.name.startswith("satellite.json.broken-")
    assert aside.read_bytes() == text.encode("latin-1")


async def test_a_place_that_cannot_be_written_is_told_and_no_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    lab = Lab(tmp_path / "file" / "satellite.json")
    await lab.control.recall()
    assert (await lab.change(mute=True)).mute
    assert "will not be remembered" in caplog.text


async def test_a_remembered_wake_word_that_is_gone_is_left_and_the_rest_counts(tmp_path: Path) -> None:
    path = tmp_path / "satellite.json"
    path.write_text('{"wake_words": ["gone"], "mute": true}')
    lab = Lab(path)
    await lab.control.recall()
    assert (lab.control.state().wake_words, lab.control.state().mute) == (("alexa",), True)


@pytest.mark.parametrize(
    "values",
    [
        {"mute": 1}, {"mute": "on"}, {"volume": -0.1}, {"volume": 1.1}, {"volume": "loud"}, {"volume": True},
        {"sensitivity": float("nan")}, {"wake_words": []}, {"wake_words": "alexa"}, {"wake_words": [""]},
        {"wake_words": [7]}, {"wake_words": ["a"] * 17}, [], "mute", None,
    ],
)  # fmt: skip
def test_values_out_of_their_range_are_refused(values: object) -> None:
    with pytest.raises(InputError):
        SettingsChange.of(values)


@pytest.mark.parametrize("words", [["unheard of"], ["alexa", "unheard of"], ["broken"]])
async def test_a_wake_word_that_cannot_be_had_changes_nothing(words: list[str]) -> None:
    lab = Lab()
    with pytest.raises((InputError, EngineError)):
        await lab.change(wake_words=words, mute=True)
    assert (lab.control.state().wake_words, lab.session.muted) == (("alexa",), False)


async def test_without_wake_words_there_are_none_to_choose() -> None:
    lab = Lab(choice=WakeChoice())
    with pytest.raises(InputError, match="all speech"):
        await lab.change(wake_words=["alexa"])
    assert (await lab.change(mute=True)).wake_words == ()


async def test_changes_of_drivers_are_made_one_after_the_other_and_bounded(caplog: pytest.LogCaptureFixture) -> None:
    lab = Lab()
    for number in range(40):
        lab.control.submit(SettingsChange.of({"volume": number / 40}))
    assert "left out" in caplog.text
    lab.control.submit(SettingsChange.of({"wake_words": ["no such"]}))
    running = asyncio.create_task(lab.control.run())
    async with asyncio.timeout(10):
        while lab.control.state().volume != 15 / 40:
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_the_state_follows_what_happens() -> None:
    lab = Lab()
    lab.session.hear(WAKE)
    lab.session.transcript("lights on")
    assert [state.state for state in lab.states if state.state][-1] == "answering"
    assert lab.control.state().last_command == "lights on"
    assert lab.control.state().state == State.ANSWERING


def test_a_change_of_wake_words_in_the_middle_of_a_command_does_not_disturb_it() -> None:
    lab = Lab()
    lab.session.hear(WAKE)
    lab.session.use_wake(ByteWake())
    lab.session.hear(TALK)
    assert lab.peer.heard() == WAKE + TALK


# --- the microphone --------------------------------------------------------------------------------------------------


def test_a_microphone_that_stops_or_gives_only_zeros_is_not_ok() -> None:
    lab = Lab()
    for _ in range(20):
        lab.level.feed(tone(0.5))
        lab.clock.now += 0.5
    assert lab.level.ok
    lab.control.look()
    for _ in range(20):
        lab.level.feed(silence(0.5))
        lab.clock.now += 0.5
    assert lab.control.state().microphone_ok is False
    lab.control.look()
    lab.level.feed(tone(0.1))
    lab.control.look()
    lab.clock.now += 4
    lab.control.look()
    assert [told.facts["ok"] for told in lab.told if told.happening is Happening.MICROPHONE] == [False, True, False]
    assert [state.microphone_ok for state in lab.states][-1] is False


def test_a_recording_is_never_dead() -> None:
    clock = Clock()
    level = LevelMeter(clock, alive=False)
    clock.now += 1000
    assert level.ok


def test_the_level_is_that_of_the_sound() -> None:
    lab = Lab()
    lab.level.feed(tone(1.0, amplitude=8000))
    expected = dbfs(8000**2 / 2)  # the mean square of a sine
    assert lab.control.state().level_dbfs == pytest.approx(expected, abs=0.2)
    lab.control.look()
    told = len(lab.states)
    lab.control.look()
    assert len(lab.states) == told, "the same level is not told again"


# --- on the wire -----------------------------------------------------------------------------------------------------


def test_state_and_settings_come_through_the_wire_as_they_were() -> None:
    state = SatelliteState(state="playing", wake_words=("a", "b"), level_dbfs=-41.5, last_command="ü")
    assert state_of(state.event()) == state
    change = SettingsChange.of({"volume": 0.5, "wake_words": ["a"]})
    assert change_of(change.event()) == change


def test_what_a_later_version_says_more_is_not_looked_at() -> None:
    event = SatelliteState().event()
    event.data["colour"] = "blue"
    assert state_of(event) == SatelliteState()


@pytest.mark.parametrize(("key", "value"), [("mute", "x"), ("volume", 9), ("wake_words", "x"), ("state", "x" * 51)])
def test_junk_is_a_wire_error(key: str, value: object) -> None:
    event = SatelliteState().event()
    event.data[key] = value
    with pytest.raises(WireError):
        state_of(event)
    if key != "state":
        with pytest.raises(WireError):
            change_of(event)


def test_the_usual_place_is_the_services_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path}:{tmp_path / 'other'}")
    assert usual_place() == tmp_path / "satellite.json"
    monkeypatch.delenv("STATE_DIRECTORY")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert usual_place() == tmp_path / "hearth" / "satellite.json"
