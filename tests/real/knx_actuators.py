"""The other end of a KNX bus: actuators and sensors with a connection of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from xknx import XKNX
from xknx.dpt.payload import DPTArray, DPTBinary
from xknx.io import ConnectionConfig
from xknx.telegram import GroupAddress, Telegram
from xknx.telegram.apci import GroupValueRead, GroupValueResponse, GroupValueWrite

Payload = DPTArray | DPTBinary
WAIT_S = 10.0


class Actuators:
    """Devices on the bus.

    Args:
        config: how they are connected.
        status: for each address that sets, the address that tells; what is written to the one is told on the other.
        values: what they answer when asked.

    Attributes:
        written: (address, value) of each write, in the order in which they came.
        asked: the addresses that were asked for.
        obeying: False for actuators that hear and do nothing.
        telling: False for actuators that obey, and tell only when asked.
    """

    def __init__(
        self, config: ConnectionConfig, status: Mapping[str, str], values: Mapping[str, Payload] | None = None
    ) -> None:
        self.written: asyncio.Queue[tuple[str, int | tuple[int, ...]]] = asyncio.Queue()
        self.asked: list[str] = []
        self.obeying = True
        self.telling = True
        self.values: dict[str, Payload] = dict(values or {})
        self._status = status
        self._xknx = XKNX(connection_config=config)
        self._xknx.telegram_queue.register_telegram_received_cb(self._received)

    async def start(self) -> None:
        await self._xknx.start()

    async def stop(self) -> None:
        await self._xknx.stop()

    def tell(self, address: str, payload: Payload) -> None:
        """Write a value, as a sensor or a wall switch does."""
        self.values[address] = payload
        self._xknx.telegrams.put_nowait(Telegram(GroupAddress(address), payload=GroupValueWrite(payload)))

    async def next(self) -> tuple[str, int | tuple[int, ...]]:
        """Return the next write."""
        async with asyncio.timeout(WAIT_S):
            return await self.written.get()

    def _received(self, telegram: Telegram) -> None:
        address = str(telegram.destination_address)
        if isinstance(telegram.payload, GroupValueRead):
            self.asked.append(address)
            if address in self.values:
                response = GroupValueResponse(self.values[address])
                self._xknx.telegrams.put_nowait(Telegram(GroupAddress(address), payload=response))
        elif isinstance(telegram.payload, GroupValueWrite):
            self.written.put_nowait((address, telegram.payload.value.value))
            status = self._status.get(address)
            if status is not None and self.obeying:
                self.values[status] = telegram.payload.value
                if self.telling:
                    self.tell(status, telegram.payload.value)
