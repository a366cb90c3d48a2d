"""An IP interface that tunnels over TCP, which knxd cannot: a bus on which its clients meet."""

from __future__ import annotations

import asyncio

from xknx.exceptions import IncompleteKNXIPFrame
from xknx.knxip import (
    HPAI,
    ConnectionStateRequest,
    ConnectionStateResponse,
    ConnectRequest,
    ConnectResponse,
    ConnectResponseData,
    DisconnectRequest,
    DisconnectResponse,
    HostProtocol,
    KNXIPBody,
    KNXIPFrame,
    TunnellingRequest,
)
from xknx.telegram import IndividualAddress

# cEMI message codes: KNX 03.06.03, 4.1.3.
_REQUEST, _CONFIRMATION, _INDICATION = 0x11, 0x2E, 0x29


class TcpGateway:
    """The interface; it listens on a free port of loopback."""

    def __init__(self) -> None:
        self.port = 0
        self._server: asyncio.Server | None = None
        self._clients: dict[int, asyncio.StreamWriter] = {}
        self._last_channel = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close every connection and listen no more."""
        if self._server is not None:
            self._server.close()
            for writer in self._clients.values():
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._last_channel += 1
        channel = self._last_channel
        self._clients[channel] = writer
        buffer = b""
        try:
            while received := await reader.read(4096):
                buffer += received
                while buffer:
                    try:
                        frame, buffer = KNXIPFrame.from_knx(buffer)
                    except IncompleteKNXIPFrame:
                        break
                    self._answer(channel, frame.body)
        except ConnectionError:
            pass
        finally:
            del self._clients[channel]
            writer.close()

    def _answer(self, channel: int, body: KNXIPBody | None) -> None:
        match body:
            case ConnectRequest():
                crd = ConnectResponseData(individual_address=IndividualAddress(f"1.0.{channel}"))
                endpoint = HPAI(protocol=HostProtocol.IPV4_TCP)
                self._send(channel, ConnectResponse(channel, data_endpoint=endpoint, crd=crd))
            case ConnectionStateRequest():
                self._send(channel, ConnectionStateResponse(channel))
            case DisconnectRequest():
                self._send(channel, DisconnectResponse(channel))
            case TunnellingRequest() if body.raw_cemi[0] == _REQUEST:
                rest = body.raw_cemi[1:]
                for other in self._clients:
                    code = _CONFIRMATION if other == channel else _INDICATION
                    self._send(other, TunnellingRequest(other, 0, bytes([code]) + rest))

    def _send(self, channel: int, body: KNXIPBody) -> None:
        self._clients[channel].write(KNXIPFrame.init_from_body(body).to_knx())
