"""Services are found by an independent browser, under the same name every time, and leave when they end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf

from hearth_core import announce
from hearth_core.announce import WYOMING, addresses_of, announced

WAIT_S = 20


class Seen:
    """What a stranger sees of the services on loopback."""

    def __init__(self, zeroconf: AsyncZeroconf) -> None:
        self.zeroconf = zeroconf
        self.names: set[str] = set()
        self.changed = asyncio.Event()

    def change(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        (self.names.discard if state_change is ServiceStateChange.Removed else self.names.add)(name)
        self.changed.set()

    async def until(self, name: str, *, there: bool) -> None:
        async with asyncio.timeout(WAIT_S):
            while (name in self.names) is not there:
                self.changed.clear()
                await self.changed.wait()


@contextlib.asynccontextmanager
async def browsing(service_type: str) -> AsyncIterator[Seen]:
    zeroconf = AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    seen = Seen(zeroconf)
    browser = AsyncServiceBrowser(zeroconf.zeroconf, service_type, handlers=[seen.change])
    try:
        yield seen
    finally:
        await browser.async_cancel()
        await zeroconf.async_close()


async def test_a_service_is_found_while_its_block_runs_and_again_under_the_same_name() -> None:
    name = f"hearth-test-1.{WYOMING}"
    async with browsing(WYOMING) as seen:
        for _ in range(2):
            async with announced(WYOMING, "hearth-test-1", 10700, {"area": "Kitchen"}, host="127.0.0.1"):
                await seen.until(name, there=True)
                info = await seen.zeroconf.async_get_service_info(WYOMING, name, timeout=5000)
                assert info is not None
                assert (info.port, info.parsed_addresses()) == (10700, ["127.0.0.1"])
                assert info.decoded_properties == {"area": "Kitchen"}
            await seen.until(name, there=False)


async def test_a_network_that_comes_late_is_announced_on(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[tuple[str, ...]] = [(), (), ("127.0.0.1",)]
    monkeypatch.setattr(announce, "addresses_of", lambda host: found.pop(0) if len(found) > 1 else found[0])
    async with browsing(WYOMING) as seen, announced(WYOMING, "hearth-test-2", 10701, {}, look_again_s=0.01):
        await seen.until(f"hearth-test-2.{WYOMING}", there=True)


async def test_a_network_that_refuses_is_tried_again_and_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, refusals = announce._registered, [OSError(19, "No such device")] * 3

    @contextlib.asynccontextmanager
    async def refusing(*arguments: Any) -> AsyncIterator[None]:
        if refusals:
            raise refusals.pop()
        async with real(*arguments):
            yield

    monkeypatch.setattr(announce, "_registered", refusing)
    async with (
        browsing(WYOMING) as seen,
        announced(WYOMING, "hearth-test-3", 10702, {}, host="127.0.0.1", look_again_s=0.01),
    ):
        await seen.until(f"hearth-test-3.{WYOMING}", there=True)
    assert caplog.text.count("No such device") == 1


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", ("127.0.0.1",)), ("192.0.2.1", ("192.0.2.1",))])
def test_one_address_is_that_address(host: str, expected: tuple[str, ...]) -> None:
    assert addresses_of(host) == expected


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "kitchen.lan"])
def test_loopback_is_nobodys_way_in(host: str) -> None:
    assert "127.0.0.1" not in addresses_of(host)
