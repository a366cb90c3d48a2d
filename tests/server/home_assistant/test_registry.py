"""Names and rooms as Home Assistant's registries have them, of different versions."""

from __future__ import annotations

import pytest

from hearth_core.home import State
from hearth_server.home_assistant.bus import HomeAssistant
from hearth_server.home_assistant.registry import Listing, clean, entity_of

from .fake import FakeHomeAssistant, Recorder


@pytest.mark.parametrize(
    ("listing", "friendly_name", "name", "aliases"),
    [
        (Listing("light.a"), "Lamp", "Lamp", ()),
        (Listing("light.a", aliases=("one", "two")), "Lamp", "Lamp", ("one", "two")),
        (Listing("light.a", aliases=("Lamp", "two")), "Lamp", "Lamp", ("two",)),
        (Listing("light.a", aliases=("one", "two"), computed=False), "Lamp", "one", ("two",)),
        (Listing("light.a", computed=False), "Lamp", "Lamp", ()),
        (Listing("light.big_lamp"), None, "big lamp", ()),
    ],
)
def test_names(listing: Listing, friendly_name: str | None, name: str, aliases: tuple[str, ...]) -> None:
    entity = entity_of(listing, State("on", {"friendly_name": friendly_name, "device_class": 5}))
    assert (entity.name, entity.aliases, entity.device_class) == (name, aliases, None)


@pytest.mark.parametrize(
    ("ceiling", "shelf", "names"),
    [
        # Newer: the None stands for the computed name; without it, that is no name.
        ([None, "big light"], ["book light"], ("book light",)),
        # Older: there is no None, and the computed name always counts.
        (["big light"], ["book light"], ("Shelf Light", "book light")),
    ],
)
async def test_whether_the_computed_name_counts(
    fake: FakeHomeAssistant,
    bus: HomeAssistant,
    ceiling: list[str | None],
    shelf: list[str | None],
    names: tuple[str, ...],
) -> None:
    for thing in fake.things.values():
        thing.aliases = []
    fake.things["light.ceiling"].aliases, fake.things["light.shelf"].aliases = ceiling, shelf
    await Recorder(bus).tried()
    assert bus.home.entities["light.shelf"].names == names
    assert bus.home.entities["lock.door"].names == ("Front Door",)


async def test_an_entity_in_no_registry_has_its_states_name_and_no_room(
    fake: FakeHomeAssistant, bus: HomeAssistant
) -> None:
    fake.things["lock.door"].registered = False
    await Recorder(bus).tried()
    assert bus.home.entities["lock.door"].names == ("Front Door",)
    assert bus.home.entities["lock.door"].area_id is None


@pytest.mark.parametrize(("name", "expected"), [("a\x00b", "a b"), ("\n", "x"), (" a  b ", "a b"), ("é👩‍🚀", "é👩‍🚀")])
def test_clean(name: str, expected: str) -> None:
    assert clean(name, "x") == expected
