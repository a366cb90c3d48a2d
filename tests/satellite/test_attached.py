"""What accompanies a satellite: it is found on the network under its own id, wherever the network reaches it."""

from __future__ import annotations

import pytest
from zeroconf import IPVersion
from zeroconf.asyncio import AsyncZeroconf

from hearth_core import announce
from hearth_core.announce import WYOMING
from hearth_core.stable_id import stable_id
from hearth_satellite import attached
from tests.satellite.lab import living


@pytest.mark.parametrize("given", ["", "hearth-by-hand"])
async def test_it_is_found_with_its_name_and_room(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setattr(attached, "is_loopback", lambda host: False)  # as if loopback were the network
    zeroconf = AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    try:
        async with living({"id": given}) as running:
            name = f"{given or stable_id('satellite', running.port)}.{WYOMING}"
            info = await zeroconf.async_get_service_info(WYOMING, name, timeout=20_000)
            assert info is not None
            assert info.port == running.port
            assert info.decoded_properties == {"name": "Kitchen satellite", "area": "Kitchen", "hearth": "1"}
    finally:
        await zeroconf.async_close()


async def test_on_loopback_or_where_it_is_not_wanted_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(announce, "announced", lambda *arguments, **options: told.append("announced"))
    async with living():
        pass
    monkeypatch.setattr(attached, "is_loopback", lambda host: False)
    async with living({"announce": False}):
        pass
    assert told == []
