"""The buses that the configuration asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hearth_core.settings import HomeConfig

from .bus import Bus
from .demo_home import DemoHome

if TYPE_CHECKING:
    from hearth_core.mqtt.broker import Broker


@dataclass(frozen=True, slots=True)
class Buses:
    """The buses in order of preference, the direct ones first, and the broker that the MQTT bus shares with others."""

    buses: tuple[Bus, ...]
    broker: Broker | None = None


def configured_buses(config: HomeConfig, *, serving: bool = False) -> Buses:
    """Return the buses, not yet started; libraries are imported for those alone that are configured.

    Args:
        config: the section `home`.
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
    if config.demo and (not buses or "demo" in config.model_fields_set):
        buses.append(DemoHome())
    return Buses(tuple(buses), broker)
