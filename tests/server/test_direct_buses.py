"""KNX and MQTT in one house: what one of them cannot do keeps nobody else from doing it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from xknx.io import ConnectionConfig, ConnectionType

from hearth_core.command import Action, IntentMatch, Outcome, OutcomeStatus, ResponseKind
from hearth_core.config_knx import KnxConfig
from hearth_core.config_mqtt import MqttConfig
from hearth_core.mqtt.broker import Broker
from hearth_server.bus import Bus
from hearth_server.execute import execute
from hearth_server.house import House
from hearth_server.knx.bus import KnxBus
from hearth_server.mqtt.bus import MqttBus
from hearth_server.plan import Plan
from tests.real.knx_actuators import Actuators
from tests.real.mosquitto import Mosquitto, free_port
from tests.real.mqtt_device import Device

LIGHTS = {
    "light.hall": {"write": "1/1/1", "state": "1/1/2"},
    "light.stairs": {"write": "1/1/3", "state": "1/1/4"},
}


@pytest.fixture
def lamp(mosquitto: Mosquitto) -> Iterator[Device]:
    device = Device(mosquitto.port, "desk/set", "hall/set", answer=lambda t, p: {t.removesuffix("/set"): p})
    device.publish("desk", "OFF", retain=True)
    yield device
    device.close()


@pytest.fixture
async def house(mosquitto: Mosquitto, lamp: Device) -> AsyncIterator[tuple[House, Actuators, KnxBus]]:
    port = free_port()
    knx = KnxBus(
        KnxConfig.model_validate(
            {
                "connection": {"type": "routing", "local_ip": "127.0.0.1", "multicast_port": port},
                "entities": [{"entity_id": k, "name": k, "area": "Hall", "switch": v} for k, v in LIGHTS.items()],
            }
        )
    )
    mqtt_config = MqttConfig.model_validate(
        {
            "broker": mosquitto.config,
            "entities": [
                {"entity_id": f"light.{k}", "name": k, "command_topic": f"{k}/set", "state_topic": k}
                for k in ("desk", "hall")  # the hall's is on KNX too
            ],
        }
    )
    mqtt: Bus = MqttBus(mqtt_config, Broker(mqtt_config.broker, None))
    actuators = Actuators(
        ConnectionConfig(
            connection_type=ConnectionType.ROUTING,
            individual_address="1.1.20",
            local_ip="127.0.0.1",
            multicast_port=port,
        ),
        {v["write"]: v["state"] for v in LIGHTS.values()},
    )
    await actuators.start()
    found = House([knx, mqtt])
    await found.start()
    await found.settled(10.0)
    async with asyncio.timeout(10):
        while found.home.entities["light.desk"].state.value != "off":
            await asyncio.sleep(0.01)
    yield found, actuators, knx
    await found.stop()
    await actuators.stop()


async def turned_on(house: House, *entity_ids: str) -> dict[str, Outcome]:
    action = Action("light.turn_on", entity_ids, {}, "on")
    plan = Plan(IntentMatch("HassTurnOn", {}, "all on"), ResponseKind.DONE, (action,))
    return {outcome.entity_id: outcome for outcome in await execute(plan, house, 3.0)}


async def test_one_sentence_reaches_both(house: tuple[House, Actuators, KnxBus]) -> None:
    outcomes = await turned_on(house[0], "light.hall", "light.stairs", "light.desk")
    assert {outcome.status for outcome in outcomes.values()} == {OutcomeStatus.DONE}, outcomes
    assert house[0].home.entities["light.desk"].state.value == "on"


async def test_broker_away_leaves_knx_working(house: tuple[House, Actuators, KnxBus], mosquitto: Mosquitto) -> None:
    mosquitto.kill()
    async with asyncio.timeout(10):
        while house[0].home.entities["light.desk"].state.value != "unavailable":
            await asyncio.sleep(0.01)
    outcomes = await turned_on(house[0], "light.stairs", "light.desk")
    assert outcomes["light.stairs"].status is OutcomeStatus.DONE
    assert outcomes["light.desk"].status is OutcomeStatus.UNREACHABLE


async def test_entity_on_both_goes_by_knx_and_without_it_by_mqtt(
    house: tuple[House, Actuators, KnxBus], lamp: Device
) -> None:
    found, actuators, knx = house
    assert [binding.bus for binding in found.home.entities["light.hall"].bindings] == ["knx", "mqtt"]
    assert (await turned_on(found, "light.hall"))["light.hall"].status is OutcomeStatus.DONE
    assert await actuators.next() == ("1/1/1", 1)
    assert lamp.silent()
    await knx.stop()
    assert (await turned_on(found, "light.hall"))["light.hall"].status is OutcomeStatus.DONE
    assert lamp.next("hall/set") == ("ON", False)


async def test_silent_actuator_does_not_hold_up_the_others(house: tuple[House, Actuators, KnxBus]) -> None:
    house[1].obeying = False
    outcomes = await turned_on(house[0], "light.stairs", "light.desk")
    assert outcomes["light.desk"].status is OutcomeStatus.DONE
    assert (outcomes["light.stairs"].status, outcomes["light.stairs"].detail) == (
        OutcomeStatus.UNCONFIRMED,
        "1/1/4 did not answer",
    )
