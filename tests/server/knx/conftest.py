"""A KNX bus for each test: multicast on loopback, with nothing but us and the actuators on it."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import pytest
from xknx.io import ConnectionConfig, ConnectionType

from hearth_core.config_knx import KnxConnection
from tests.real.knx_actuators import Actuators

from .house import STATUS, VALUES


@pytest.fixture
def routing() -> KnxConnection:
    """A way to a bus that nobody else is on: the port tells it from those of tests that run beside this one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return KnxConnection.model_validate(
        {"type": "routing", "local_ip": "127.0.0.1", "multicast_port": port, "individual_address": "1.1.10"}
    )


@pytest.fixture
async def actuators(routing: KnxConnection) -> AsyncIterator[Actuators]:
    config = ConnectionConfig(
        connection_type=ConnectionType.ROUTING,
        individual_address="1.1.20",
        local_ip="127.0.0.1",
        multicast_port=routing.multicast_port,
    )
    found = Actuators(config, STATUS, VALUES)
    await found.start()
    yield found
    await found.stop()
