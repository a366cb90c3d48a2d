"""The ways to a KNX bus beside those that the other tests take: TCP tunnels, and KNX Secure by a keyring."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from xknx.io import ConnectionConfig, ConnectionType, SecureConfig

from hearth_core.command import Action, OutcomeStatus
from hearth_core.config_knx import KnxConnection
from hearth_core.errors import ConfigError
from hearth_core.home import State
from hearth_server.knx.link import KnxLink
from tests.real.knx_actuators import Actuators
from tests.real.knx_keyring import write_keyring

from .gateway import TcpGateway
from .house import STATUS, VALUES, running

ON = Action("light.turn_on", ("light.ceiling",), {}, "on")
PASSWORD = "open sesame"
KEY = bytes(range(16))


@pytest.fixture
async def gateway() -> AsyncIterator[TcpGateway]:
    interface = TcpGateway()
    await interface.start()
    yield interface
    await interface.stop()


def tcp_tunnel(gateway: TcpGateway) -> KnxConnection:
    return KnxConnection.model_validate(
        {"type": "tunnelling_tcp", "host": "127.0.0.1", "port": gateway.port, "retry_s": (0.02, 0.1)}
    )


def actuators_at(gateway: TcpGateway) -> Actuators:
    config = ConnectionConfig(
        connection_type=ConnectionType.TUNNELING_TCP, gateway_ip="127.0.0.1", gateway_port=gateway.port
    )
    return Actuators(config, STATUS, VALUES)


async def test_command_through_a_tcp_tunnel_is_confirmed(gateway: TcpGateway) -> None:
    actuators = actuators_at(gateway)
    await actuators.start()
    async with running(tcp_tunnel(gateway)) as (bus, watching):
        await watching.until(lambda s: s.get("light.ceiling") == State("off"))
        (outcome,) = await bus.perform(ON, 5.0)
        assert outcome.status is OutcomeStatus.DONE, outcome
    await actuators.stop()


async def test_commands_wait_for_a_short_loss_and_keep_their_order(gateway: TcpGateway) -> None:
    async with running(tcp_tunnel(gateway), max_age_s=10) as (bus, _):
        await gateway.stop()
        off = Action("light.turn_off", ("light.ceiling",), {}, "off")
        commands = [asyncio.create_task(bus.perform(action, 3.0)) for action in (ON, off, ON)]
        await asyncio.sleep(0.1)
        assert bus.reachable, "a command that comes now would wait too"
        await gateway.start()
        actuators = actuators_at(gateway)
        actuators.telling = False
        await actuators.start()
        assert [await actuators.next() for _ in commands] == [("1/1/1", 1), ("1/1/1", 0), ("1/1/1", 1)]
        outcomes = [outcome for command in commands for outcome in await command]
        assert outcomes[-1].status is OutcomeStatus.DONE, outcomes
        await actuators.stop()


@pytest.fixture
def keyring(tmp_path: Path, routing: KnxConnection) -> KnxConnection:
    file = tmp_path / "house.knxkeys"
    write_keyring(file, PASSWORD, KEY, routing.multicast_group)
    return routing.model_copy(update={"type": "routing_secure", "keyring": str(file)})


def with_password(connection: KnxConnection, password: str) -> KnxConnection:
    return KnxConnection.model_validate({**connection.model_dump(), "keyring_password": password})


def secured(connection: KnxConnection, key: bytes) -> Actuators:
    config = ConnectionConfig(
        connection_type=ConnectionType.ROUTING_SECURE,
        individual_address="1.1.20",
        local_ip="127.0.0.1",
        multicast_port=connection.multicast_port,
        secure_config=SecureConfig(backbone_key=key.hex(), latency_ms=1000),
    )
    return Actuators(config, STATUS, VALUES)


async def test_secure_routing_takes_its_key_from_the_keyring(
    keyring: KnxConnection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    actuators, stranger = secured(keyring, KEY), secured(keyring, bytes(16))
    await asyncio.gather(actuators.start(), stranger.start())  # each listens a while for the others' clocks
    async with running(with_password(keyring, PASSWORD)) as (bus, watching):
        await watching.until(lambda s: s.get("light.ceiling") == State("off"))
        (outcome,) = await bus.perform(ON, 5.0)
        assert outcome.status is OutcomeStatus.DONE, outcome
        assert await actuators.next() == ("1/1/1", 1)
        assert stranger.written.empty()
        assert not stranger.asked
    await asyncio.gather(actuators.stop(), stranger.stop())
    assert PASSWORD not in caplog.text
    assert KEY.hex() not in caplog.text


async def test_wrong_password_of_a_keyring_is_a_configuration_error(
    keyring: KnxConnection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    link = KnxLink(with_password(keyring, "wrong secret"), lambda _: None, lambda _: None)
    with pytest.raises(ConfigError, match="keyring_password") as caught:
        await link.start()
    await link.stop()
    assert "wrong secret" not in f"{caught.value} {caplog.text}"
