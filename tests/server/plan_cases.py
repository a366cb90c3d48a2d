"""Sentences of every intent, and what each comes to in the demo home."""

from __future__ import annotations

from typing import Any

from hearth_core.command import IntentMatch
from tests.house_fakes import said

OFFICE_TV, KITCHEN_TV, STEREO = "media_player.office_tv", "media_player.kitchen_tv", "media_player.stereo"
OFFICE_LIGHTS = ("light.standing_light", "light.office_ceiling", "light.desk_lamp")
KITCHEN_LIGHTS = ("light.kitchen_lights", "light.counter_light")

# The sentence, and the service calls that it comes to: service, entities, data, state after it.
ACTIONS: list[tuple[IntentMatch, list[tuple[str, tuple[str, ...], dict[str, Any], str | None]]]] = [
    # -- on and off, by domain
    (
        said("HassTurnOn", name=("light.bed_light", "bed light")),
        [("light.turn_on", ("light.bed_light",), {}, "on")],
    ),
    (
        said("HassTurnOff", name=("switch.kettle", "kettle")),
        [("switch.turn_off", ("switch.kettle",), {}, "off")],
    ),
    (said("HassTurnOn", name=("fan.ceiling_fan", "")), [("fan.turn_on", ("fan.ceiling_fan",), {}, "on")]),
    (
        said("HassTurnOn", "cover", name=("cover.sliding_door", "sliding door")),
        [("cover.open_cover", ("cover.sliding_door",), {}, "open")],
    ),
    (
        said("HassTurnOff", "cover", name=("cover.sliding_door", "sliding door"), area="office"),
        [("cover.close_cover", ("cover.sliding_door",), {}, "closed")],
    ),
    (
        said("HassTurnOn", "lock", name=("lock.front_door", "front door")),
        [("lock.lock", ("lock.front_door",), {}, "locked")],
    ),
    (
        said("HassTurnOff", "lock", name=("lock.front_door", "front door")),
        [("lock.unlock", ("lock.front_door",), {}, "unlocked")],
    ),
    (
        said("HassTurnOn", "scene", name=("scene.mood_lighting", "mood lighting")),
        [("scene.turn_on", ("scene.mood_lighting",), {}, None)],
    ),
    (
        said("HassTurnOn", "script", name=("script.party_time", "party time")),
        [("script.turn_on", ("script.party_time",), {}, None)],
    ),
    (
        said("HassTurnOn", "button", name=("button.doorbell", "doorbell")),
        [("button.press", ("button.doorbell",), {}, None)],
    ),
    (said("HassTurnOn", name=("vacuum.robot", "")), [("vacuum.start", ("vacuum.robot",), {}, "cleaning")]),
    (said("HassTurnOff", name=("vacuum.robot", "")), [("vacuum.return_to_base", ("vacuum.robot",), {}, None)]),
    (
        said("HassTurnOff", name=("climate.ecobee", "ecobee")),
        [("climate.turn_off", ("climate.ecobee",), {}, "off")],
    ),
    # -- on and off, by place
    (
        said("HassTurnOff", "lights_area", domain="light", area=("kitchen", "kitchen")),
        [("light.turn_off", KITCHEN_LIGHTS, {}, "off")],
    ),
    (
        said("HassTurnOn", "lights_area", domain="light"),  # here, in the office
        [("light.turn_on", OFFICE_LIGHTS, {}, "on")],
    ),
    (
        said("HassTurnOff", "lights_floor", domain="light", floor=("outside", "outside")),
        [("light.turn_off", ("light.porch_light",), {}, "off")],
    ),
    (
        said("HassTurnOn", "cover_device_class", domain="cover", device_class=("curtain", "curtains"), area="office"),
        [("cover.open_cover", ("cover.curtains",), {}, "open")],
    ),
    (
        said("HassTurnOff", "cover_device_class", domain="cover", device_class="window", area="kitchen"),
        [("cover.close_cover", ("cover.kitchen_window",), {}, "closed")],
    ),
    # An author's "turn off everything in the hall" leaves the front door locked.
    (said("HassTurnOff", area="hall"), [("light.turn_off", ("light.hall_light",), {}, "off")]),
    # -- one name, two televisions: the area said, else the satellite's
    (
        said("HassTurnOff", name=(KITCHEN_TV, "TV"), area=("office", "office")),
        [("media_player.turn_off", (OFFICE_TV,), {}, "off")],
    ),
    (said("HassTurnOn", name=(KITCHEN_TV, "TV")), [("media_player.turn_on", (OFFICE_TV,), {}, None)]),
    (said("HassTurnOn", name=(KITCHEN_TV, "")), [("media_player.turn_on", (KITCHEN_TV,), {}, None)]),
    # -- lights
    (
        said("HassLightSet", "brightness", name=("light.bed_light", "bed light"), brightness=(50, "50")),
        [("light.turn_on", ("light.bed_light",), {"brightness_pct": 50}, "on")],
    ),
    (
        said("HassLightSet", "brightness", name="light.bed_light", brightness=0),
        [("light.turn_on", ("light.bed_light",), {"brightness_pct": 0}, "off")],
    ),
    (
        said("HassLightSet", "color", domain="light", area="kitchen", color=("green", "green")),
        [("light.turn_on", KITCHEN_LIGHTS, {"color_name": "green"}, "on")],
    ),
    (
        said("HassLightSet", "color", domain="light", color="red"),
        [("light.turn_on", OFFICE_LIGHTS, {"color_name": "red"}, "on")],
    ),
    (  # The wardrobe light, in the same room, has no brightness.
        said("HassLightSet", "brightness", domain="light", area="bedroom", brightness=10),
        [("light.turn_on", ("light.bed_light",), {"brightness_pct": 10}, "on")],
    ),
    (
        said("HassLightSet", "temperature", name="light.floor_lamp", temperature=2700),
        [("light.turn_on", ("light.floor_lamp",), {"color_temp_kelvin": 2700}, "on")],
    ),
    # -- positions, speeds, temperatures
    (
        said("HassSetPosition", name="cover.blinds", position=30),
        [("cover.set_cover_position", ("cover.blinds",), {"position": 30}, "open")],
    ),
    (
        said("HassSetPosition", "cover_device_class", domain="cover", device_class="window", position=0),
        [("cover.set_cover_position", ("cover.office_window",), {"position": 0}, "closed")],
    ),
    (
        said("HassFanSetSpeed", name="fan.ceiling_fan", percentage=40),
        [("fan.set_percentage", ("fan.ceiling_fan",), {"percentage": 40}, "on")],
    ),
    (
        said("HassClimateSetTemperature", name="climate.ecobee", temperature=21.5),
        [("climate.set_temperature", ("climate.ecobee",), {"temperature": 21.5}, None)],
    ),
    (
        said("HassClimateSetTemperature", area="bedroom", temperature=19),
        [("climate.set_temperature", ("climate.radiator",), {"temperature": 19}, None)],
    ),
    (
        said("HassClimateSetFanMode", name="climate.ecobee", fan_mode="high"),
        [("climate.set_fan_mode", ("climate.ecobee",), {"fan_mode": "high"}, None)],
    ),
    # -- media
    (said("HassMediaPause", name=(KITCHEN_TV, "TV")), [("media_player.media_pause", (OFFICE_TV,), {}, "paused")]),
    (said("HassMediaPause"), [("media_player.media_pause", (OFFICE_TV,), {}, "paused")]),
    (said("HassMediaUnpause", area="living_room"), [("media_player.media_play", (STEREO,), {}, "playing")]),
    (said("HassMediaNext"), [("media_player.media_next_track", (OFFICE_TV,), {}, None)]),
    (said("HassMediaPrevious", name=STEREO), [("media_player.media_previous_track", (STEREO,), {}, None)]),
    (
        said("HassMediaPlayerMute", name=STEREO),
        [("media_player.volume_mute", (STEREO,), {"is_volume_muted": True}, None)],
    ),
    (
        said("HassMediaPlayerUnmute"),
        [("media_player.volume_mute", (OFFICE_TV,), {"is_volume_muted": False}, None)],
    ),
    (
        said("HassSetVolume", volume_level=40),
        [("media_player.volume_set", (OFFICE_TV,), {"volume_level": 0.4}, None)],
    ),
    (
        said("HassSetVolumeRelative", volume_step="up"),
        [("media_player.volume_set", (OFFICE_TV,), {"volume_level": 0.4}, None)],
    ),
    (
        said("HassSetVolumeRelative", name=STEREO, volume_step=-80),
        [("media_player.volume_set", (STEREO,), {"volume_level": 0.0}, None)],
    ),
    # -- robots
    (said("HassVacuumStart", name="vacuum.robot"), [("vacuum.start", ("vacuum.robot",), {}, "cleaning")]),
    (said("HassVacuumStart", floor="ground"), [("vacuum.start", ("vacuum.robot",), {}, "cleaning")]),
    (said("HassVacuumReturnToBase", name="vacuum.robot"), [("vacuum.return_to_base", ("vacuum.robot",), {}, None)]),
    (
        said("HassVacuumCleanArea", area="kitchen"),
        [("vacuum.clean_area", ("vacuum.robot",), {"cleaning_area_id": ["kitchen"]}, "cleaning")],
    ),
    # -- back and forth, and all but one
    (said("HassToggle", name="light.bed_light"), [("light.turn_on", ("light.bed_light",), {}, "on")]),
    (said("HassToggle", name="light.desk_lamp"), [("light.turn_off", ("light.desk_lamp",), {}, "off")]),
    (
        said("HassToggle", domain="light", area="office"),
        [("light.turn_off", OFFICE_LIGHTS, {}, "off")],
    ),
    (
        said("HearthLeaveOn", name=("light.standing_light", "standing light"), domain="light"),
        [
            ("light.turn_on", ("light.standing_light",), {}, "on"),
            ("light.turn_off", ("light.office_ceiling", "light.desk_lamp"), {}, "off"),
        ],
    ),
    (
        said("HearthLeaveOn", name=("light.desk_lamp", "desk lamp")),
        [
            ("light.turn_off", ("light.office_ceiling",), {}, "off"),
            ("media_player.turn_off", (OFFICE_TV,), {}, "off"),
        ],
    ),
    # -- by feel
    (
        said("HearthAdjustBrightness", domain="light", brightness_step="up"),
        [
            ("light.turn_on", ("light.office_ceiling", "light.desk_lamp"), {"brightness_pct": 100}, "on"),
        ],
    ),
    (
        said("HearthAdjustBrightness", name="light.desk_lamp", brightness_step="down", amount=30),
        [("light.turn_on", ("light.desk_lamp",), {"brightness_pct": 50}, "on")],
    ),
    (
        said("HearthAdjustBrightness", name="light.desk_lamp", brightness_step="down", amount=95),
        [("light.turn_on", ("light.desk_lamp",), {"brightness_pct": 1}, "on")],
    ),
    (
        said("HearthAdjustBrightness", area="kitchen", domain="light", brightness_step="up"),
        [("light.turn_on", KITCHEN_LIGHTS, {"brightness_pct": 20}, "on")],
    ),
    (
        said("HearthAdjustTemperature", area="bedroom", temperature_step="up", amount=2),
        [("climate.set_temperature", ("climate.radiator",), {"temperature": 20}, None)],
    ),
    (
        said("HearthAdjustTemperature", name="climate.ecobee", temperature_step="down", amount=30),
        [("climate.set_temperature", ("climate.ecobee",), {"temperature": 7}, None)],
    ),
    (
        said("HassStopMoving", "default", domain="cover", device_class="blind"),
        [("cover.stop_cover", ("cover.blinds",), {}, None)],
    ),
    (said("HassLawnMowerStartMowing"), [("lawn_mower.start_mowing", ("lawn_mower.mower",), {}, "mowing")]),
    (said("HassLawnMowerDock", name="lawn_mower.mower"), [("lawn_mower.dock", ("lawn_mower.mower",), {}, None)]),
]

QUESTIONS: list[tuple[IntentMatch, set[str], set[str]]] = [
    (said("HassGetState", "one", name="sensor.outdoor_humidity"), {"sensor.outdoor_humidity"}, set()),
    (said("HassGetState", "one_yesno", name="lock.front_door", state="locked"), set(), {"lock.front_door"}),
    (said("HassGetState", "one_yesno", name="lock.front_door", state="unlocked"), {"lock.front_door"}, set()),
    (
        said("HassGetState", "any", domain="light", state="on", area="office"),
        {"light.office_ceiling", "light.desk_lamp"},
        {"light.standing_light"},
    ),
    (
        said("HassGetState", "which", domain="cover", device_class="window", state="open"),
        {"cover.office_window", "cover.kitchen_window"},
        set(),
    ),
    (said("HassGetState", "all", domain="lock", state="locked"), {"lock.back_door"}, {"lock.front_door"}),
    (said("HassGetState", "which", domain="person", state="home"), {"person.anna"}, {"person.ben"}),
    (said("HassGetState", "where", name="person.ben"), {"person.ben"}, set()),
    (said("HassGetWeather"), {"weather.new_york"}, set()),
    (said("HassGetWeather", name=("weather.new_york", "new york")), {"weather.new_york"}, set()),
    (said("HassClimateGetTemperature", name="climate.ecobee"), {"climate.ecobee"}, set()),
    (said("HassClimateGetTemperature"), {"sensor.office_temperature"}, set()),
    (said("HassClimateGetTemperature", area="kitchen"), {"sensor.kitchen_temperature"}, set()),
    (
        said("HassGetState", "any", domain="light", state="on", floor="first"),
        {"light.office_ceiling", "light.desk_lamp"},
        {"light.bed_light", "light.wardrobe_light", "light.standing_light", "light.mirror_light"},
    ),
    (said("HassGetState", "measured", domain="sensor", device_class="humidity"), {"sensor.outdoor_humidity"}, set()),
    (
        said("HassGetState", "one", name="sensor.remote_battery", domain="sensor", device_class="battery"),
        {"sensor.remote_battery"},
        set(),
    ),
    (
        said("HearthCompareState", device_class="temperature", area="bedroom", comparison="above", value=20),
        set(),
        {"climate.radiator"},
    ),
    (
        said("HearthCompareState", device_class="humidity", comparison="below", value=60),
        {"sensor.outdoor_humidity"},
        set(),
    ),
    (
        said("HearthCompareState", name="sensor.kitchen_temperature", comparison="above", value=22),
        {"sensor.kitchen_temperature"},
        set(),
    ),
    (said("HassNevermind"), set(), set()),
]

# The sentence, the area of its satellite, the error text and a part of what it is filled with.
REFUSALS: list[tuple[IntentMatch, str | None, str, dict[str, str]]] = [
    (said("HassTurnOn", name=("light.gone", "old lamp")), None, "no_entity", {"entity": "old lamp"}),
    (
        said("HassTurnOn", name=("light.bed_light", "bed light"), area="kitchen"),
        None,
        "no_entity_in_area",
        {"entity": "bed light", "area": "Kitchen"},
    ),
    (
        said("HassTurnOn", name=("light.bed_light", "bed light"), floor="ground"),
        None,
        "no_entity_in_floor",
        {"floor": "Ground Floor"},
    ),
    (said("HassTurnOn", "lights_area", domain="light", area=("attic", "attic")), None, "no_area", {"area": "attic"}),
    (said("HassTurnOn", domain="light", floor=("cellar", "cellar")), None, "no_floor", {"floor": "cellar"}),
    (
        said("HassTurnOn", "fans_area", domain="fan", area="kitchen"),
        None,
        "no_domain_in_area",
        {"domain": "fan", "area": "Kitchen"},
    ),
    (said("HassTurnOn", "fans_area", domain="fan"), "kitchen", "no_domain_in_area", {"area": "Kitchen"}),
    (
        said("HassTurnOn", domain="cover", device_class=("awning", "awnings"), area="office"),
        None,
        "no_device_class_in_area",
        {"device_class": "awnings"},
    ),
    (said("HassTurnOn", "lights_area", domain="light"), None, "which_area", {}),
    (said("HassTurnOn", name=(KITCHEN_TV, "tv")), "bedroom", "duplicate_entities", {"entity": "tv"}),
    (said("HassLightSet", "color", name="light.hall_light", color="red"), None, "feature_not_supported", {}),
    (said("HassTurnOff", name="scene.good_night"), None, "feature_not_supported", {}),
    (said("HassTurnOn", name="sensor.outdoor_humidity"), None, "feature_not_supported", {}),
    (said("HassSetPosition", name="cover.garage_door", position=3), None, "feature_not_supported", {}),
    (said("HassMediaPause", name=STEREO), None, "entity_wrong_state", {"state": "playing"}),
    (said("HassLightSet", name="light.bed_light", brightness=101), None, "out_of_range", {"high": "100"}),
    (said("HassLightSet", name="light.bed_light", brightness="much"), None, "not_a_number", {"value": "much"}),
    (said("HassFanSetSpeed", name="fan.ceiling_fan", percentage=float("nan")), None, "out_of_range", {}),
    (said("HassClimateSetTemperature", name="climate.ecobee", temperature=35), None, "out_of_range", {"high": "30"}),
    (said("HassClimateGetTemperature"), None, "which_area", {}),
    (said("HassVacuumCleanArea", area=("attic", "attic")), None, "no_area", {"area": "attic"}),
    (
        said("HearthAdjustBrightness", area="kitchen", domain="light", brightness_step="down"),
        None,
        "entity_wrong_state",
        {"state": "on"},
    ),
    (
        said("HearthAdjustBrightness", name="light.desk_lamp", brightness_step="sideways"),
        None,
        "not_a_number",
        {"value": "sideways"},
    ),
    (said("HearthAdjustBrightness", name="light.porch_light", brightness_step="up"), None, "feature_not_supported", {}),
    (said("HearthAdjustTemperature", temperature_step="up"), None, "which_area", {}),
    (said("HassToggle", name="lock.front_door"), None, "feature_not_supported", {}),
    (
        said("HassGetState", "one", name="sensor.remote_battery", domain="sensor", device_class="humidity"),
        None,
        "no_entity",
        {},
    ),
    (said("HearthCompareState", name="sensor.gone", comparison="above", value=2), None, "no_entity", {}),
    (said("HassShoppingListAddItem", item="milk"), None, "not_supported", {}),
    (said("HassStartTimer", minutes=5), None, "no_timer_support", {}),
    (said("HassCancelTimer"), None, "no_timer_support", {}),
    (said("HassBroadcast", message="dinner"), None, "not_supported", {"intent": "HassBroadcast"}),
    (said("HassListAddItem", item="milk"), None, "not_supported", {}),
]
