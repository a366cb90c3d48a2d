"""Homes to understand sentences in."""

from __future__ import annotations

from random import Random

from hearth_core.home import Area, Entity, Floor, Home

_AREAS = (
    Area("kitchen", "Kitchen", floor_id="ground"),
    Area("living_room", "Living Room", floor_id="ground"),
    Area("office", "Office", floor_id="upper"),
    Area("bedroom_2", "Bedroom 2", aliases=("Guest Room",), floor_id="upper"),
)
_FLOORS = (Floor("ground", "Ground Floor", level=0), Floor("upper", "Upstairs", level=1))


def speech_home() -> Home:
    """Return a home with the names that are spoken in the recordings of home commands."""
    entities = (
        Entity("light.bed_light", "Bed Light", area_id="bedroom_2"),
        Entity("light.standing_light", "Standing Light", area_id="office"),
        Entity("light.kitchen_ceiling", "Kitchen Ceiling", area_id="kitchen"),
        Entity("light.office_desk", "Desk Lamp", area_id="office"),
        Entity("switch.kettle", "Kettle", area_id="kitchen"),
        Entity("lock.front_door", "Front Door", area_id="living_room"),
        Entity("cover.sliding_door", "Sliding Door", area_id="office", device_class="door"),
        Entity("cover.kitchen_window", "Kitchen Skylight", area_id="kitchen", device_class="window"),
        Entity("cover.office_window", "Office Skylight", area_id="office", device_class="window"),
        Entity("cover.office_curtain", "Office Drapes", area_id="office", device_class="curtain"),
        Entity("cover.office_blind", "Office Roller", area_id="office", device_class="blind"),
        Entity("media_player.tv_kitchen", "TV", area_id="kitchen"),
        Entity("media_player.tv_office", "TV", area_id="office"),
        Entity("climate.ecobee", "EcoBee", area_id="living_room"),
        Entity("sensor.outdoor_humidity", "Outdoor Humidity", device_class="humidity"),
        Entity("sensor.office_temperature", "Office Thermometer", area_id="office", device_class="temperature"),
        Entity("weather.new_york", "New York"),
        Entity("script.party_time", "Party Time"),
        Entity("scene.mood_lighting", "Mood Lighting"),
        Entity("fan.bedroom", "Ceiling Fan", area_id="bedroom_2"),
    )
    return Home.of(_FLOORS, _AREAS, entities)


def large_home(count: int, seed: int = 0) -> Home:
    """Return a home of that many entities, 1 area for 10 of them, made of common words of a house."""
    rng = Random(seed)
    rooms = (
        *("Kitchen", "Living Room", "Office", "Bedroom", "Bathroom", "Hall", "Garage", "Garden", "Attic", "Cellar"),
        *("Nursery", "Library", "Dining Room", "Guest Room", "Laundry", "Porch", "Studio", "Gym", "Pantry", "Terrace"),
    )
    floors = [Floor("f0", "Ground Floor"), Floor("f1", "First Floor"), Floor("f2", "Top Floor")]
    areas = []
    for index in range(max(3, count // 10)):
        number = index // len(rooms)
        name = rooms[index % len(rooms)] + (f" {number + 1}" if number else "")
        areas.append(Area(f"area_{index}", name, floor_id=rng.choice(floors).floor_id))
    adjectives = (
        *("Ceiling", "Floor", "Desk", "Wall", "Corner", "Left", "Right", "Main"),
        *("Small", "Big", "Old", "New", "Red", "Window", "Door", "Reading"),
    )
    nouns = {
        "light": ("Light", "Lamp", "Spot", "Chandelier"),
        "switch": ("Plug", "Heater", "Pump", "Socket"),
        "cover": ("Blind", "Curtain", "Shutter"),
        "sensor": ("Temperature", "Humidity", "Power", "Pressure"),
        "binary_sensor": ("Motion", "Leak", "Contact"),
        "climate": ("Thermostat", "Radiator"),
        "media_player": ("Speaker", "TV", "Stereo"),
        "lock": ("Lock",),
        "fan": ("Fan",),
        "scene": ("Scene",),
        "script": ("Routine",),
    }
    weights = (8, 4, 3, 5, 3, 2, 2, 1, 1, 1, 1)
    entities = []
    for index in range(count):
        (domain,) = rng.choices(list(nouns), weights)
        area = rng.choice(areas)
        first = rng.choice((area.name, f"{area.name} {rng.choice(adjectives)}", rng.choice(adjectives)))
        name = f"{first} {rng.choice(nouns[domain])}"
        entities.append(Entity(f"{domain}.{index}", name, area_id=area.area_id))
    return Home.of(floors, areas, entities)
