"""The satellite as one device of Home Assistant, over MQTT: discovery, state, and what people set there.

<base>/<id>/status          online or offline, retained; offline is the last will
<base>/<id>/state           the satellite's whole state as JSON, retained
<base>/<id>/set/<setting>   mute ON|OFF, wake_word NAME, sensitivity 0-100, volume 0-100, listen and
                            restart PRESS
<prefix>/device/<id>/config what the device consists of, retained; sent again when Home Assistant says `online`
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Any, Final

import yaml

from hearth_core import __version__
from hearth_core.config_control import DeviceMqttConfig
from hearth_core.control_event import SatelliteState, SettingsChange
from hearth_core.errors import InputError
from hearth_core.mqtt.broker import Broker
from hearth_core.mqtt.session import Incoming

from .control import Control
from .events import Identity

_LOG = logging.getLogger(__name__)

SETTINGS: Final = ("mute", "wake_word", "sensitivity", "volume", "listen", "restart")


class MqttDevice:
    """Keeps Home Assistant's picture of the satellite.

    Args:
        config: broker and topics.
        device_id: the satellite's id, for good.
        identity: its name and area.
        control: what is shown and set.
    """

    def __init__(self, config: DeviceMqttConfig, device_id: str, identity: Identity, control: Control) -> None:
        self._root = f"{config.base_topic}/{device_id}"
        self._prefix = config.discovery_prefix
        self._device_id = device_id
        self._identity = identity
        self._control = control
        self._broker = Broker(config.broker, f"{self._root}/status")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Be a device while the block runs; the broker may be away for as long as it likes.

        Raises:
            ConfigError: the certificates for the broker cannot be used.
        """
        broker = self._broker
        for setting in SETTINGS:
            broker.hear(f"{self._root}/set/{setting}", self._on_set, every=True)
        broker.hear(f"{self._prefix}/status", self._on_home_assistant)
        broker.on_change(lambda connected: self._introduce() if connected else None)
        unlisten = self._control.listen(self._tell)
        await broker.start()
        try:
            yield
        finally:
            unlisten()
            await broker.stop()

    def discovery(self) -> dict[str, Any]:
        """Return the device's message of MQTT discovery."""
        state = self._control.state()
        device = {
            "ids": [self._device_id],
            "name": self._identity.name,
            "mf": "Hearth",
            "mdl": "Hearth satellite",
            "sw": __version__,
            **({"sa": self._identity.area} if self._identity.area else {}),
        }
        return {
            "dev": device,
            "o": {"name": "Hearth", "sw": __version__},
            "cmps": {key: self._component(key, entity, state) for key, entity in _entities(state).items()},
            "state_topic": f"{self._root}/state",
            "availability_topic": f"{self._root}/status",
            "qos": 1,
        }

    def _component(self, key: str, entity: dict[str, Any], state: SatelliteState) -> dict[str, Any]:
        if entity.keys() == {"p"}:
            return entity
        component = {**entity, "unique_id": f"{self._device_id}_{key}"}
        if command := component.pop("command", None):
            component["command_topic"] = f"{self._root}/set/{command}"
        if key == "wake_word":
            component["options"] = list(state.available_wake_words)
        return component

    def _introduce(self) -> None:
        topic = f"{self._prefix}/device/{self._device_id}/config"
        self._broker.say(topic, json.dumps(self.discovery(), ensure_ascii=False), retain=True)
        self._tell(self._control.state())

    def _tell(self, state: SatelliteState) -> None:
        self._broker.say(f"{self._root}/state", state.model_dump_json(), retain=True)

    def _on_home_assistant(self, message: Incoming) -> None:
        if message.payload == b"online" and not message.retained:
            self._introduce()

    def _on_set(self, message: Incoming) -> None:
        if message.retained:
            # Said before we came, to whoever was there: a restart must not restart us again and again.
            _LOG.warning("a retained message on %s is not obeyed", message.topic)
            return
        setting = message.topic.rpartition("/")[2]
        if setting in ("listen", "restart"):
            if message.payload == b"PRESS":
                self._press(setting)
            return
        try:
            self._control.submit(_change(setting, message.payload.decode()))
        except (ValueError, InputError) as error:
            _LOG.warning("what came on %s cannot be set: %s", message.topic, error)

    def _press(self, button: str) -> None:
        if button == "restart":
            self._control.restart()
        elif not self._control.session.wake_up():
            _LOG.info("listen was pressed over MQTT, and no command can begin now")


def _change(setting: str, payload: str) -> SettingsChange:
    """Return what a payload asks for.

    Raises:
        ValueError, InputError: it is no value of this setting.
    """
    match setting:
        case "mute":
            return SettingsChange.of({"mute": {"ON": True, "OFF": False}.get(payload, payload)})
        case "wake_word":
            return SettingsChange.of({"wake_words": [payload]})
        case _:
            return SettingsChange.of({setting: float(payload) / 100})


def _entities(state: SatelliteState) -> dict[str, dict[str, Any]]:
    text = files("hearth_satellite").joinpath("mqtt_device.yaml").read_text("utf-8")
    entities: dict[str, dict[str, Any]] = yaml.safe_load(text)
    if not state.available_wake_words:  # a satellite without wake words
        for key in ("wake_word", "sensitivity"):
            entities[key] = {"p": entities[key]["p"]}  # a platform alone takes away what was there before
    return entities
