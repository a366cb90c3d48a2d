"""The connection to a KNX bus, by xknx: kept, and made anew when it is lost.

xknx can reconnect by itself, but then it holds a telegram back until the bus is there again, however long that takes.
So each connection here is an XKNX of its own, used once; what is to be sent again, and until when, the outbox says.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from xknx import XKNX
from xknx.core.connection_state import XknxConnectionState
from xknx.dpt.payload import DPTArray, DPTBinary
from xknx.exceptions import InvalidSecureConfiguration, XKNXException
from xknx.io import ConnectionConfig, ConnectionType, SecureConfig
from xknx.secure.keyring import Keyring, sync_load_keyring
from xknx.telegram import GroupAddress, Telegram, TelegramDirection
from xknx.telegram.apci import GroupValueRead, GroupValueResponse, GroupValueWrite

from hearth_core.config_knx import KnxConnection
from hearth_core.errors import BusError, ConfigError

log = logging.getLogger(__name__)

Payload = DPTArray | DPTBinary

_TYPES = {
    "tunnelling": ConnectionType.TUNNELING,
    "tunnelling_tcp": ConnectionType.TUNNELING_TCP,
    "tunnelling_tcp_secure": ConnectionType.TUNNELING_TCP_SECURE,
    "routing": ConnectionType.ROUTING,
    "routing_secure": ConnectionType.ROUTING_SECURE,
}
# A tunnel is there within a round trip or two; xknx itself waits a second for each of its questions.
CONNECT_S = 10.0
# Saying goodbye to an interface that is gone takes xknx a second.
STOP_S = 3.0


@dataclass(frozen=True, slots=True)
class GroupTelegram:
    """A value for a group address, or with no payload the question for it."""

    address: str
    payload: Payload | None = None


class KnxLink:
    """The way to the bus.

    Args:
        config: which interface.
        received: called on the event loop with each value that a device writes or answers, never with our own.
        changed: called with True after each connection, with False after each loss.
    """

    def __init__(
        self, config: KnxConnection, received: Callable[[GroupTelegram], None], changed: Callable[[bool], None]
    ) -> None:
        self._config = config
        self._received = received
        self._changed = changed
        self._xknx: XKNX | None = None
        self._running: asyncio.Task[None] | None = None
        self._told = ""

    @property
    def connected(self) -> bool:
        """True while telegrams can be sent."""
        return self._xknx is not None

    async def start(self) -> None:
        """Begin to connect; does not wait for it.

        Raises:
            ConfigError: the keyring cannot be read, or its password is wrong.
        """
        keyring = await asyncio.to_thread(_keyring, self._config)
        if self._running is None:
            self._running = asyncio.create_task(self._run(keyring), name="knx link")

    async def stop(self) -> None:
        """Disconnect and end; may be called more than once."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def send(self, telegram: GroupTelegram) -> None:
        """Send, and return when the link layer has confirmed it.

        Raises:
            BusError: the bus is away, or did not confirm.
        """
        xknx = self._xknx
        if xknx is None:
            raise BusError("the KNX bus is away")
        value = GroupValueRead() if telegram.payload is None else GroupValueWrite(telegram.payload)
        try:
            # Not through xknx's own queue, which tells nobody what became of a telegram.
            await xknx.cemi_handler.send_telegram(Telegram(GroupAddress(telegram.address), payload=value))
        except XKNXException as error:
            raise BusError(f"the KNX bus did not take a telegram for {telegram.address}: {error}") from error

    async def _run(self, keyring: Keyring | None) -> None:
        shortest, longest = self._config.retry_s
        wait = shortest
        while True:
            lost = asyncio.Event()
            xknx = XKNX(connection_config=_connection(self._config, keyring))
            xknx.telegram_queue.register_telegram_received_cb(self._on_telegram)
            xknx.connection_manager.register_connection_state_changed_cb(
                lambda state, lost=lost: lost.set() if state is XknxConnectionState.DISCONNECTED else None  # type: ignore[misc]
            )
            try:
                async with asyncio.timeout(CONNECT_S):
                    await xknx.start()
                lost.clear()
                wait = shortest
                await self._serve(xknx, lost)
            except (XKNXException, OSError, TimeoutError) as error:
                self._tell(f"{_where(self._config)}: {error or 'no answer'}")
            finally:
                await self._end(xknx)
            # Jitter, so that a house full of clients does not come back to a restarted router all in one moment.
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311
            wait = min(longest, wait * 2)

    async def _serve(self, xknx: XKNX, lost: asyncio.Event) -> None:
        log.info("connected to KNX by %s as %s", _where(self._config), xknx.current_address)
        self._told = ""
        self._xknx = xknx
        self._tell_change(True)
        try:
            await lost.wait()
            log.warning("lost KNX by %s", _where(self._config))
        finally:
            self._xknx = None
            self._tell_change(False)

    async def _end(self, xknx: XKNX) -> None:
        try:
            async with asyncio.timeout(STOP_S):
                await xknx.stop()
        except (XKNXException, OSError, TimeoutError) as error:
            log.debug("KNX did not end well: %s", error)
        finally:
            xknx.started.clear()  # else xknx stops itself a second time when it is collected

    def _on_telegram(self, telegram: Telegram) -> None:
        if telegram.direction is not TelegramDirection.INCOMING or self._xknx is None:
            return
        if telegram.source_address == self._xknx.current_address:
            return  # an echo by a router: what we say ourselves confirms nothing
        if isinstance(telegram.payload, GroupValueWrite | GroupValueResponse):
            self._received(GroupTelegram(str(telegram.destination_address), telegram.payload.value))

    def _tell_change(self, connected: bool) -> None:
        try:
            self._changed(connected)
        except Exception:  # a listener's fault must not end the connection
            log.exception("a listener failed on the bus's %s", "coming" if connected else "going")

    def _tell(self, trouble: str) -> None:
        """Log a trouble once, not at every attempt."""
        if trouble != self._told:
            log.warning("no KNX by %s; trying again until it is there", trouble)
            self._told = trouble


def _where(config: KnxConnection) -> str:
    kind = config.type.replace("_", " ")
    return (
        f"{kind} {config.host}:{config.port}"
        if config.type in config.TUNNELS
        else f"{kind} on {config.multicast_group}"
    )


def _keyring(config: KnxConnection) -> Keyring | None:
    if config.keyring is None or config.keyring_password is None:
        return None
    try:
        return sync_load_keyring(Path(config.keyring), config.keyring_password.get_secret_value())
    except InvalidSecureConfiguration as error:
        raise ConfigError(
            f"the keyring {config.keyring} cannot be used", remedy="Is keyring_password the one given at its export?"
        ) from error
    except Exception as error:  # xknx lets whatever a parser raises out of it
        raise ConfigError(f"{config.keyring} is not a keyring that can be read: {error}") from error


def _connection(config: KnxConnection, keyring: Keyring | None) -> ConnectionConfig:
    return ConnectionConfig(
        connection_type=_TYPES[config.type],
        individual_address=config.individual_address,
        local_ip=config.local_ip,
        gateway_ip=config.host,
        gateway_port=config.port,
        route_back=config.route_back,
        multicast_group=config.multicast_group,
        multicast_port=config.multicast_port,
        auto_reconnect=False,
        secure_config=SecureConfig(keyring=keyring) if keyring is not None else None,
    )
