"""Home Assistant's own MQTT integration, on the tests' broker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ..mosquitto import PASSWORD, USER, Mosquitto
from .running import HomeAssistant
from .with_integration import FLOWS, go_on, rest

# What its form has for everything beside the address; every one of them is asked for.
PLAIN = {"set_client_cert": False, "set_ca_cert": "off"}


@asynccontextmanager
async def mqtt(home_assistant: HomeAssistant, broker: Mosquitto) -> AsyncIterator[None]:
    """Connect it to a broker as a person would, for the length of the block.

    Raises:
        AssertionError: the integration does not take it.
    """
    flow = await rest(home_assistant, "POST", FLOWS, {"handler": "mqtt"})
    address = {"broker": "127.0.0.1", "port": broker.port, "username": USER, "password": PASSWORD}
    entry = await go_on(home_assistant, flow, **address, other_settings=PLAIN)
    assert entry["type"] == "create_entry", entry
    try:
        yield
    finally:
        await rest(home_assistant, "DELETE", f"/api/config/config_entries/entry/{entry['result']['entry_id']}")
