"""Every intent: what the sentence comes to in the demo home."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from hearth_core.command import Action, Context, IntentMatch, ResponseKind
from hearth_core.home import Area, Entity, Home, State
from hearth_server.demo_home import load_demo_house
from hearth_server.plan import plan
from tests.house_fakes import said, there

HOME = load_demo_house().home

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


@pytest.mark.parametrize(("match", "calls"), ACTIONS, ids=lambda value: getattr(value, "intent", ""))
def test_command_becomes_service_calls(match: IntentMatch, calls: list[tuple[Any, ...]]) -> None:
    made = plan([match], HOME, there("office"))
    assert made.refusal is None
    assert made.actions == tuple(Action(*call) for call in calls)
    assert made.kind is ResponseKind.DONE
    assert made.matched == tuple(entity_id for action in made.actions for entity_id in action.entity_ids)


def test_all_of_the_lights_are_those_of_the_whole_house() -> None:
    made = plan([said("HassTurnOff", "light_all", domain="light")], HOME, there("office"))
    assert set(made.matched) == {entity_id for entity_id in HOME.entities if entity_id.startswith("light.")}


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


@pytest.mark.parametrize(("match", "matched", "unmatched"), QUESTIONS, ids=lambda value: getattr(value, "intent", ""))
def test_question_is_answered_from_the_states(match: IntentMatch, matched: set[str], unmatched: set[str]) -> None:
    made = plan([match], HOME, there("office"))
    assert (set(made.matched), set(made.unmatched)) == (matched, unmatched)
    assert (made.kind, made.actions, made.refusal) == (ResponseKind.ANSWER, (), None)


def test_time_and_date_are_those_of_the_speaker() -> None:
    context = Context(now=datetime(2026, 3, 1, 17, 5, tzinfo=UTC))
    assert plan([said("HassGetCurrentTime")], HOME, context).slots == {"time": time(17, 5)}
    assert plan([said("HassGetCurrentDate")], HOME, context).slots == {"date": date(2026, 3, 1)}


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


@pytest.mark.parametrize(("match", "area", "key", "values"), REFUSALS, ids=lambda value: getattr(value, "intent", ""))
def test_what_cannot_be_done_says_why(match: IntentMatch, area: str | None, key: str, values: dict[str, str]) -> None:
    made = plan([match], HOME, there(area))
    assert made.refusal is not None
    assert made.refusal.key == key
    assert values.items() <= made.refusal.values.items()
    assert (made.kind, made.actions) == (ResponseKind.FAILED, ())


def test_thermometer_that_knows_nothing_is_not_quoted() -> None:
    home = HOME.with_states({"weather.new_york": State("unavailable")})
    made = plan([said("HassGetWeather")], home, there())
    assert made.refusal is not None
    assert made.refusal.key == "no_state"


def test_reading_that_can_be_done_goes_before_its_equal_that_cannot() -> None:
    readings = [said("HassMediaPause", name=(STEREO, "")), said("HassMediaPause", name=(OFFICE_TV, ""))]
    assert plan(readings, HOME, there()).matched == (OFFICE_TV,)
    assert plan(readings, HOME, there()).match is readings[1]


def test_another_text_is_never_done_in_place_of_the_best() -> None:
    wrong = said("HassMediaPause", name=(STEREO, ""))
    other = IntentMatch("HassTurnOn", wrong.slots, "another text")
    worse = IntentMatch("HassTurnOn", wrong.slots, wrong.text, score=0.8)
    assert plan([wrong, other, worse], HOME, there()).refusal is not None


def test_unavailable_light_is_asked_too_so_that_its_silence_is_told() -> None:
    home = HOME.with_states({"light.counter_light": State("unavailable")})
    made = plan([said("HassTurnOn", "lights_area", domain="light", area="kitchen")], home, there())
    assert "light.counter_light" in made.matched


def test_names_are_compared_without_case_and_through_aliases() -> None:
    home = Home.of(
        [],
        [Area("a", "A"), Area("b", "B")],
        [Entity("light.one", "Lamp", area_id="a"), Entity("light.two", "Other", ("LAMP",), area_id="b")],
    )
    assert plan([said("HassTurnOn", name=("light.one", "lamp"))], home, there("b")).matched == ("light.two",)


def test_thermostat_at_its_limit_says_so() -> None:
    hot = State("heat", {"temperature": 28, "min_temp": 5, "max_temp": 28})
    home = HOME.with_states({"climate.radiator": hot})
    made = plan([said("HearthAdjustTemperature", area="bedroom", temperature_step="up")], home, there())
    assert made.refusal is not None
    assert (made.refusal.key, made.refusal.values["high"]) == ("out_of_range", "28")


def test_only_light_that_is_on_already_needs_nothing_done() -> None:
    home = HOME.with_states({"light.office_ceiling": State("off")})
    made = plan([said("HearthLeaveOn", domain="light", name="light.desk_lamp")], home, there())
    assert (made.kind, made.actions, made.matched) == (ResponseKind.DONE, (), ("light.desk_lamp",))


def test_what_is_not_known_is_told_and_not_compared() -> None:
    home = HOME.with_states({"sensor.outdoor_humidity": State("unavailable")})
    for match in (
        said("HassGetState", "one", name="sensor.outdoor_humidity"),
        said("HassGetState", "measured", domain="sensor", device_class="humidity"),
        said("HearthCompareState", device_class="humidity", comparison="below", value=60),
    ):
        made = plan([match], home, there())
        assert made.refusal is not None
        assert made.refusal.key == "no_state"


def test_readings_that_come_to_the_same_are_one() -> None:
    home = Home.of(
        [],
        [],
        [
            Entity("binary_sensor.battery", "Phone", device_class="battery", state=State("off")),
            Entity("binary_sensor.plug", "Phone", device_class="plug", state=State("on")),
        ],
    )
    readings = [
        said("HassGetState", "one_yesno", name=(i, "phone"), domain="binary_sensor", device_class="plug", state="on")
        for i in home.entities
    ]
    assert plan(readings, home, there(None)).matched == ("binary_sensor.plug",)


LISTS = Home.of([], [], [Entity("todo.shopping_list", "Groceries"), Entity("todo.chores", "Chores")])


@pytest.mark.parametrize(
    ("match", "service", "entity_id", "data"),
    [
        (said("HassShoppingListAddItem", item="milk"), "todo.add_item", "todo.shopping_list", {"item": "milk"}),
        (
            said("HassShoppingListCompleteItem", item=" milk "),
            "todo.update_item",
            "todo.shopping_list",
            {"item": "milk", "status": "completed"},
        ),
        (
            said("HassListAddItem", name=("todo.chores", "chores"), item="sweep"),
            "todo.add_item",
            "todo.chores",
            {"item": "sweep"},
        ),
        (
            said("HassListRemoveItem", name=("todo.chores", "chores"), item="sweep"),
            "todo.remove_item",
            "todo.chores",
            {"item": ["sweep"]},
        ),
    ],
    ids=lambda value: getattr(value, "intent", ""),
)
def test_lists_are_written_by_home_assistant(
    match: IntentMatch, service: str, entity_id: str, data: dict[str, Any]
) -> None:
    assert plan([match], LISTS, there(None)).actions == (Action(service, (entity_id,), data),)


@pytest.mark.parametrize("item", ["", "   ", "x" * 201])
def test_nothing_empty_or_endless_goes_on_a_list(item: str) -> None:
    made = plan([said("HassShoppingListAddItem", item=item)], LISTS, there(None))
    assert made.refusal is not None
    assert made.refusal.key == "no_item"
