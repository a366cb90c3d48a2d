"""The buses that the configuration asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hearth_core.settings import HomeConfig

from .bus import Bus
from .demo_home import DemoHome

if TYPE_CHECKING:
    from hearth_core.mqtt.broker import Broker

    from .companion.companion import Companion


@dataclass(frozen=True, slots=True)
class Buses:
    """The buses in order of preference, the direct ones first, and the broker that the MQTT bus shares with others."""

    buses: tuple[Bus, ...]
    broker: Broker | None = None


def configured_buses(config: HomeConfig, *, serving: bool = False, companion: Companion | None = None) -> Buses:
    """Return the buses, not yet started; libraries are imported for those alone that are configured.

    Args:
        config: the section `home`.
        companion: the Home Assistants that are paired with this server; one that is configured goes before.
        serving: whether this is the server, whose presence is told on MQTT; others only visit.

    Raises:
        ConfigError: a bus can never work as configured.
    """
    buses: list[Bus] = []
    broker: Broker | None = None
    if config.knx is not None:
        from .knx.home_file import knx_bus

        buses.append(knx_bus(config.knx))
    if config.mqtt is not None:
        from hearth_core.mqtt.broker import Broker

        from .mqtt.bus import MqttBus
        from .mqtt.own_topics import OwnTopics

        broker = Broker(config.mqtt.broker, OwnTopics.of(config.mqtt).status if serving else None)
        buses.append(MqttBus(config.mqtt, broker))
    if config.home_assistant is not None:
        from .home_assistant.access import access
        from .home_assistant.bus import HomeAssistant

        buses.append(HomeAssistant(access(config.home_assistant)))
    demo: Bus | None = DemoHome() if config.demo and (not buses or "demo" in config.model_fields_set) else None
    if companion is not None:
        from .companion.stand_in import StandIn

        companion.feeds = config.home_assistant is None
        if demo is not None and "demo" not in config.model_fields_set:
            demo = StandIn(demo, lambda: not companion.bus.told.registry.listings)
        if companion.feeds:
            buses.append(companion.bus)
    if demo is not None:
        buses.append(demo)
    return Buses(tuple(buses), broker)
