"""The house that the tests' Home Assistant runs: its demo devices, put into rooms."""

from __future__ import annotations

from .client import Client

CONFIGURATION = """
homeassistant:
  name: Test house
  latitude: 52.5
  longitude: 13.4
  elevation: 40
  unit_system: metric
  currency: EUR
  country: DE
  language: en
  time_zone: Europe/Berlin
api:
websocket_api:
config:
conversation:
assist_pipeline:
demo:
wyoming:
input_boolean:
  guest_mode: {name: Guest mode}
  stuck_relay: {name: Stuck relay}
  back_door_bolt: {name: Back door bolt}
template:
  # A light that takes every command and never changes: a call that succeeds and does nothing.
  - light:
      - name: Stuck light
        unique_id: stuck_light
        state: "{{ is_state('input_boolean.stuck_relay', 'on') }}"
        turn_on: []
        turn_off: []
  # The demo's locks cannot be put into rooms.
  - lock:
      - name: Back door
        unique_id: back_door
        state: "{{ is_state('input_boolean.back_door_bolt', 'on') }}"
        lock: {action: input_boolean.turn_on, target: {entity_id: input_boolean.back_door_bolt}}
        unlock: {action: input_boolean.turn_off, target: {entity_id: input_boolean.back_door_bolt}}
logger:
  default: info
"""

FLOORS = {"Ground floor": 0, "Upper floor": 1}
AREAS = {
    "Kitchen": ("Ground floor", ["light.kitchen_lights", "cover.kitchen_window", "lock.back_door"]),
    "Living Room": ("Ground floor", ["light.living_room_rgbww_lights", "cover.living_room_window", "climate.heatpump"]),
    "Hall": ("Ground floor", ["light.entrance_color_white_lights", "cover.hall_window"]),
    "Bedroom": ("Upper floor", ["light.bed_light", "fan.ceiling_fan"]),
    "Office": ("Upper floor", ["light.office_rgbw_lights", "light.ceiling_lights"]),
}
ALIASES = {"light.bed_light": ["night lamp"], "cover.kitchen_window": ["kitchen blind"]}
HIDDEN = ("light.ceiling_lights",)  # not exposed to Assist
SHOWN = ("lock.back_door", "lock.front_door", "lock.poorly_installed_door", "valve.orchard")  # by default hidden


async def furnish(client: Client) -> None:
    """Make floors and areas, put the devices into them, give aliases, and hide one entity from Assist."""
    floors = {
        name: (await client.command("config/floor_registry/create", name=name, level=level))["floor_id"]
        for name, level in FLOORS.items()
    }
    # Onboarding has made a few rooms already.
    made = {area["name"]: area["area_id"] for area in await client.command("config/area_registry/list")}
    for name, (floor, entity_ids) in AREAS.items():
        how: dict[str, str] = {"area_id": made[name]} if name in made else {"name": name}
        command = f"config/area_registry/{'update' if name in made else 'create'}"
        area = await client.command(command, floor_id=floors[floor], **how)
        for entity_id in entity_ids:
            entity = await client.command("config/entity_registry/get", entity_id=entity_id)
            # What is named after its device is also where its device is.
            kind = "device" if entity["device_id"] else "entity"
            of = {f"{kind}_id": entity[f"{kind}_id"], "area_id": area["area_id"]}
            await client.command(f"config/{kind}_registry/update", **of)
    for entity_id, aliases in ALIASES.items():
        await client.command("config/entity_registry/update", entity_id=entity_id, aliases=[None, *aliases])
    for voiced, shown in ((HIDDEN, False), (SHOWN, True)):
        exposure = {"assistants": ["conversation"], "entity_ids": list(voiced), "should_expose": shown}
        await client.command("homeassistant/expose_entity", **exposure)


async def rename(client: Client, entity_id: str, name: str | None) -> None:
    """Give an entity another name as a person does, None for the one that it had.

    One that is all of its device has the device's name.
    """
    entity = await client.command("config/entity_registry/get", entity_id=entity_id)
    if entity["device_id"]:
        device = {"device_id": entity["device_id"], "name_by_user": name}
        await client.command("config/device_registry/update", **device)
    else:
        await client.command("config/entity_registry/update", entity_id=entity_id, name=name)
