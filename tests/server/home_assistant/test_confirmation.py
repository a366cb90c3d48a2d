"""Which states show that an action arrived."""

from __future__ import annotations

from typing import Any

import pytest

from hearth_core.command import Action
from hearth_core.home import State
from hearth_server.home_assistant.confirmation import failed, reached

ANY = State("unknown")


def act(service: str, expected: str | None = None, **data: Any) -> Action:
    return Action(service, ("x.y",), data, expected)


def state(value: str, **attributes: Any) -> State:
    return State(value, attributes)


RED = {"hs_color": (0.0, 100.0), "brightness": 255}
LIGHT_ON = act("light.turn_on", "on")


@pytest.mark.parametrize(
    ("action", "before", "now", "expected"),
    [
        (LIGHT_ON, state("off"), state("on"), True),
        (LIGHT_ON, state("off"), state("off"), False),
        (LIGHT_ON, state("off"), state("unavailable"), False),
        (LIGHT_ON, state("off"), state("unknown"), False),
        # brightness
        (act("light.turn_on", "on", brightness_pct=50), ANY, state("on", brightness=128), True),
        (act("light.turn_on", "on", brightness_pct=50), ANY, state("on", brightness=131), True),
        (act("light.turn_on", "on", brightness_pct=50), ANY, state("on", brightness=140), False),
        (act("light.turn_on", "on", brightness_pct=50), ANY, state("on", brightness=None), False),
        (act("light.turn_on", "on", brightness_pct=50), ANY, state("off", brightness=128), False),
        (act("light.turn_on", "off", brightness_pct=0), ANY, state("off", brightness=None), True),
        (act("light.turn_on", "on", brightness_pct=1), ANY, state("on", brightness=3), True),
        (act("light.turn_on", "on", brightness_pct="x"), ANY, state("on", brightness=3), None),
        # colour
        (act("light.turn_on", "on", color_name="red"), ANY, state("on", **RED), True),
        (act("light.turn_on", "on", color_name="Red"), ANY, state("on", hs_color=[355, 90]), True),
        (act("light.turn_on", "on", color_name="blue"), ANY, state("on", **RED), False),
        (act("light.turn_on", "on", color_name="white"), ANY, state("on", **RED), False),
        (act("light.turn_on", "on", color_name="white"), ANY, state("on", hs_color=(200, 5)), True),
        (act("light.turn_on", "on", color_name="fuchsia of the sea"), ANY, state("on", **RED), None),
        (act("light.turn_on", "on", color_name="red"), ANY, state("on", hs_color=None), None),
        (act("light.turn_on", "on", color_name="red"), ANY, state("on", hs_color=["a", "b"]), None),
        (act("light.turn_on", "on", color_name="red"), ANY, state("off", hs_color=None), False),
        # colour temperature
        (act("light.turn_on", "on", color_temp_kelvin=4000), ANY, state("on", color_temp_kelvin=4016), True),
        (act("light.turn_on", "on", color_temp_kelvin=4000), ANY, state("on", color_temp_kelvin=3000), False),
        (
            act("light.turn_on", "on", color_temp_kelvin=9000),
            ANY,
            state("on", color_temp_kelvin=6535, max_color_temp_kelvin=6535),
            True,
        ),
        (act("light.turn_on", "on", color_temp_kelvin=4000), ANY, state("on", hs_color=(27, 30)), None),
        # covers
        (act("cover.open_cover", "open"), state("closed"), state("opening"), True),
        (act("cover.open_cover", "open"), state("closed"), state("open"), True),
        (act("cover.open_cover", "open"), state("closed"), state("closed"), False),
        (
            act("cover.open_cover", "open"),
            state("open", current_position=10),
            state("open", current_position=10),
            False,
        ),
        (act("cover.open_cover", "open"), state("open", current_position=10), state("open", current_position=20), True),
        (act("cover.open_cover", "open"), state("open", current_position=9), state("open", current_position=98), True),
        (act("cover.close_cover", "closed"), state("open"), state("closing"), True),
        (act("cover.close_cover", "closed"), state("open"), state("open"), False),
        (
            act("cover.close_cover", "closed"),
            state("open", current_position=70),
            state("open", current_position=60),
            True,
        ),
        (act("cover.set_cover_position", "open", position=30), ANY, state("open", current_position=31), True),
        (act("cover.set_cover_position", "open", position=30), ANY, state("open", current_position=70), False),
        (act("cover.set_cover_position", "open", position=30), ANY, state("closing", current_position=70), True),
        (act("cover.set_cover_position", "open", position=30), ANY, state("opening", current_position=70), False),
        (
            act("cover.set_cover_position", "open", position=30),
            state("open", current_position=70),
            state("open", current_position=60),
            True,
        ),
        (act("cover.set_cover_position", "open", position=30), ANY, state("open"), None),
        # locks: on its way is not there
        (act("lock.lock", "locked"), state("unlocked"), state("locking"), False),
        (act("lock.lock", "locked"), state("unlocked"), state("locked"), True),
        # fans, climate, media players, vacuums
        (act("fan.set_percentage", "on", percentage=50), ANY, state("on", percentage=50), True),
        (act("fan.set_percentage", "on", percentage=50), ANY, state("on", percentage=66, percentage_step=33.3), True),
        (act("fan.set_percentage", "on", percentage=50), ANY, state("on", percentage=100, percentage_step=33.3), False),
        (act("fan.set_percentage", "off", percentage=0), ANY, state("off", percentage=0), True),
        (act("climate.set_temperature", temperature=21.5), ANY, state("heat", temperature=21.5), True),
        (act("climate.set_temperature", temperature=21.3), ANY, state("heat", temperature=21.5), True),
        (act("climate.set_temperature", temperature=21.5), ANY, state("heat", temperature=20), False),
        (act("climate.set_temperature", temperature=21.5), ANY, state("heat", temperature=None), None),
        (act("climate.set_temperature", temperature=20, hvac_mode="cool"), ANY, state("heat", temperature=20), False),
        (act("climate.set_temperature", temperature=20, hvac_mode="cool"), ANY, state("cool", temperature=20), True),
        (act("climate.turn_on"), state("off"), state("heat"), True),
        (act("climate.turn_on"), state("off"), state("off"), False),
        (act("climate.set_fan_mode", fan_mode="low"), ANY, state("heat", fan_mode="low"), True),
        (act("climate.set_fan_mode", fan_mode="low"), ANY, state("heat", fan_mode="high"), False),
        (act("media_player.turn_on"), state("off"), state("standby"), False),
        (act("media_player.volume_set", volume_level=0.3), ANY, state("playing", volume_level=0.31), True),
        (act("media_player.volume_set", volume_level=0.3), ANY, state("playing", volume_level=0.5), False),
        (act("media_player.volume_mute", is_volume_muted=False), ANY, state("playing", is_volume_muted=True), False),
        (act("media_player.volume_mute", is_volume_muted=False), ANY, state("playing", is_volume_muted=False), True),
        (act("media_player.media_play", "playing"), ANY, state("buffering"), True),
        (act("vacuum.return_to_base"), state("docked"), state("docked"), True),
        (act("vacuum.return_to_base"), state("cleaning"), state("cleaning"), False),
        # only that the call moved something can show it
        (act("scene.turn_on"), ANY, state("2026-11-20T23:00:00+00:00"), None),
        (act("media_player.media_next_track"), state("playing"), state("playing"), None),
        (act("light.turn_on", "on", effect="rainbow"), ANY, state("on", effect="rainbow"), None),
        (act("light.turn_on", "on", transition=2), ANY, state("on"), True),
    ],
)
def test_reached(action: Action, before: State, now: State, expected: bool | None) -> None:
    assert reached(action, before, now) is expected


def test_what_says_that_it_could_not_has_failed() -> None:
    assert failed("lock", State("jammed"))
    assert failed("vacuum", State("error"))
    assert not failed("lock", State("unlocked"))
    assert not failed("light", State("jammed"))
