"""Being found on the network by multicast DNS (zeroconf): announce a service for as long as a block runs.

The network comes and goes under a service: at boot it is late, a router gives another address, a cable is pulled. So an
announcement is kept by a task that looks at the machine's addresses again and again. Nothing here can end the service.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from . import extras
from .errors import ConfigError

_LOG = logging.getLogger(__name__)

WYOMING: Final = "_wyoming._tcp.local."
_LOOK_AGAIN_S: Final = 30.0  # how late a new address is announced
_GOODBYE_S: Final = 2.0


@contextlib.asynccontextmanager
async def announced(
    service_type: str,
    instance_id: str,
    port: int,
    properties: Mapping[str, str],
    *,
    host: str = "0.0.0.0",
    look_again_s: float = _LOOK_AGAIN_S,
) -> AsyncIterator[None]:
    """Announce a service while the block runs; a network that refuses it is told once and tried again.

    Args:
        service_type: e.g. `_wyoming._tcp.local.`.
        instance_id: the same after every start and every change of name: who finds it knows it again by this.
        port: where it listens.
        properties: facts of its TXT record; together below 1300 bytes, one below 255.
        host: the address that it listens on. A loopback address is announced on loopback alone.
        look_again_s: how often the machine's addresses are read.

    Raises:
        ConfigError: the package zeroconf is missing.
    """
    extras.load("zeroconf", extra="satellite", error=ConfigError)
    keeping = asyncio.create_task(
        _keep(service_type, instance_id, port, dict(properties), host, look_again_s), name=f"announce {instance_id}"
    )
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


def addresses_of(host: str) -> tuple[str, ...]:
    """Return the IPv4 addresses by which others reach what listens on this host; none if there is no network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:  # a name: whoever listens on it has it looked up
        address = ipaddress.ip_address("0.0.0.0")
    if not address.is_unspecified:
        return (str(address),)
    import ifaddr

    found = {ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if isinstance(ip.ip, str)}
    usable = (ip for ip in found if not ipaddress.ip_address(ip).is_loopback)
    return tuple(sorted(usable))


async def _keep(
    service_type: str, instance_id: str, port: int, properties: dict[str, str], host: str, look_again_s: float
) -> None:
    told = ""
    announced_on: tuple[str, ...] = ()
    async with contextlib.AsyncExitStack() as stack:
        while True:
            addresses = await asyncio.to_thread(addresses_of, host)
            if addresses != announced_on:
                await stack.aclose()
                announced_on = ()
                try:
                    if addresses:
                        await stack.enter_async_context(
                            _registered(service_type, instance_id, port, properties, addresses)
                        )
                    announced_on, told = addresses, ""
                except Exception as error:  # zeroconf raises OSError, its own errors and bare assertions
                    text = f"{type(error).__name__}: {error}"
                    if text != told:
                        _LOG.warning("%s cannot be announced (%s); trying again", instance_id, text)
                        told = text
            await asyncio.sleep(look_again_s)


@contextlib.asynccontextmanager
async def _registered(
    service_type: str, instance_id: str, port: int, properties: dict[str, str], addresses: Sequence[str]
) -> AsyncIterator[None]:
    from zeroconf import IPVersion
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

    info = AsyncServiceInfo(
        service_type,
        f"{instance_id}.{service_type}",
        port=port,
        properties=properties,
        parsed_addresses=list(addresses),
        # Not the machine's own name: that is Avahi's to answer for.
        server=f"{instance_id}.local.",
    )
    ipv4 = [address for address in addresses if ipaddress.ip_address(address).version == 4]
    version = IPVersion.V4Only if ipv4 else IPVersion.V6Only
    zeroconf = AsyncZeroconf(interfaces=ipv4 or list(addresses), ip_version=version)
    try:
        # The id is ours for good: after a crash the old record may still be in caches, and must not be taken for
        # somebody else's.
        await (await zeroconf.async_register_service(info, cooperating_responders=True))
        _LOG.info("announced as %s on %s", info.name, ", ".join(addresses))
        yield
    finally:
        await _leave(zeroconf)


async def _leave(zeroconf: Any) -> None:
    closing = asyncio.ensure_future(_goodbye(zeroconf))
    await asyncio.wait({closing}, timeout=_GOODBYE_S)
    closing.cancel()


async def _goodbye(zeroconf: Any) -> None:
    with contextlib.suppress(OSError):
        await zeroconf.async_unregister_all_services()
    await zeroconf.async_close()
