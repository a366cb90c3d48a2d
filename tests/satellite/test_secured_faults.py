"""Faults between a server and a satellite that know each other by certificate and token: each is made, and mended.

The link and the satellite are the real ones, and so are the sockets, the certificate and the house. Between them lies a
cable that the test cuts, jams and writes into; it sees what a network sees, which is ciphertext.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from hearth_core import trust
from hearth_satellite.news import Happening, Told
from hearth_satellite.satellite import Doors
from hearth_satellite.session import State
from hearth_server.pipeline import Pipeline
from hearth_server.satellite_control import Trust
from hearth_server.satellites import LinkLimits, SatelliteLink
from hearth_server.voice import ChimeVoice
from tests.core.certificates import Certificate, certified
from tests.fakes import silence, tone
from tests.satellite.fakes import END, WAKE
from tests.satellite.lab import Running, living, until
from tests.server.conftest import PipelineFactory, demo_understanding, running

__all__ = ["demo_understanding", "running"]  # fixtures

TOKEN = "correct horse battery"
LIMITS = LinkLimits(ping_s=0.1, silent_s=2.0, first_retry_s=0.02, last_retry_s=0.05)


class Cable:
    """A TCP way from the server to the satellite's TLS port.

    Attributes:
        flows: sound and silence go through, both ways; cleared, everybody stays connected and nothing arrives.
        plugged: new connections reach the satellite.
        carried: every byte that went through.
    """

    def __init__(self, to: int) -> None:
        self.port = 0
        self.flows = asyncio.Event()
        self.flows.set()
        self.plugged = True
        self.carried = bytearray()
        self._to = to
        self._ends: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []  # server's, satellite's

    @contextlib.asynccontextmanager
    async def laid(self) -> AsyncIterator[Cable]:
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.flows.set()
            self.cut()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.plugged:
            writer.transport.abort()
            return
        there, onward = await asyncio.open_connection("127.0.0.1", self._to)
        self._ends.append((writer, onward))
        await asyncio.gather(self._pass(reader, onward), self._pass(there, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self.flows.wait()
                self.carried += data
                writer.write(data)
                await writer.drain()
        writer.close()

    def cut(self) -> None:
        """Reset every connection."""
        for ends in self._ends:
            for end in ends:
                end.transport.abort()

    def jam(self, junk: bytes, *, to_satellite: bool) -> None:
        """Write what nobody said into the connection."""
        self._ends[-1][to_satellite].write(junk)


@dataclass
class Line:
    """A satellite that is driven over TLS, and what is in between."""

    satellite: Running
    link: SatelliteLink
    cable: Cable
    pipeline: Pipeline
    drivers: list[Told]  # every one that took the satellite

    def take_note(self, told: Told) -> None:
        if told.happening is Happening.CONNECTED:
            self.drivers.append(told)

    def lock(self) -> object:
        return self.pipeline.house.home.entities["lock.front_door"].state.value

    async def driven(self, *, after: int) -> None:
        """Wait until a driver has the satellite who came after that many others."""
        await until(lambda: len(self.drivers) > after and self.satellite.state() is State.LISTENING)

    async def command(self) -> None:
        """Speak a command; the house does it, and the answer is heard to its end."""
        self.satellite.microphone.hear(WAKE, tone(0.5), silence(0.1), END)
        await until(lambda: self.lock() == "locked" and self.satellite.state() is State.LISTENING)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certified(tmp_path_factory.mktemp("certificate"), "kitchen")


@pytest.fixture
async def line(running: PipelineFactory, certificate: Certificate) -> AsyncIterator[Line]:
    doors = Doors(token=TOKEN, tls=certificate.context, plain=False)
    async with running("lock the front door") as pipeline, living(doors=doors) as satellite:
        assert satellite.listening.tls_port is not None
        async with Cable(satellite.listening.tls_port).laid() as cable:
            link = SatelliteLink(
                "kitchen", f"tcp://127.0.0.1:{cable.port}", "", pipeline, ChimeVoice(),
                limits=LIMITS, trust=Trust(TOKEN, certificate.fingerprint),
            )  # fmt: skip
            line = Line(satellite, link, cable, pipeline, [])
            satellite.satellite.news.listen(line.take_note)
            task = asyncio.create_task(link.run())
            try:
                await line.driven(after=0)
                yield line
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


async def cut(line: Line) -> None:
    line.cable.cut()


async def junk_to_the_satellite(line: Line) -> None:
    line.cable.jam(os.urandom(2000), to_satellite=True)


async def junk_to_the_server(line: Line) -> None:
    line.cable.jam(b'{"type": "detection"}\n', to_satellite=False)


async def half_open(line: Line) -> None:
    """Nothing arrives any more, and nobody is told."""
    line.cable.flows.clear()
    await until(lambda: not line.link.connected.is_set())
    line.cable.flows.set()


async def unplugged(line: Line) -> None:
    line.cable.plugged = False
    line.cable.cut()
    await until(lambda: line.satellite.state() is State.IDLE)
    line.cable.plugged = True


FAULTS = (cut, junk_to_the_satellite, junk_to_the_server, half_open, unplugged)


@pytest.mark.parametrize("fault", FAULTS)
async def test_after_a_fault_the_satellite_is_driven_again_and_heard(
    line: Line, fault: Callable[[Line], Awaitable[None]]
) -> None:
    for _ in range(2):
        before = len(line.drivers)
        await fault(line)
        await line.driven(after=before)
    await line.command()
    assert TOKEN.encode() not in line.cable.carried


@pytest.mark.parametrize("fault", [cut, junk_to_the_satellite, half_open])
async def test_a_fault_in_the_middle_of_a_command_leaves_nobody_waiting(
    line: Line, fault: Callable[[Line], Awaitable[None]]
) -> None:
    line.satellite.microphone.hear(WAKE, tone(0.3))
    await until(lambda: line.satellite.state() is State.STREAMING)
    before = len(line.drivers)
    await fault(line)
    await line.driven(after=before)
    await line.command()


async def test_a_command_that_was_spoken_whole_is_done_though_the_line_is_cut(line: Line) -> None:
    line.satellite.microphone.hear(WAKE, tone(0.5), silence(0.1), END)
    await until(lambda: line.satellite.state() is State.ANSWERING)
    line.cable.plugged = False
    await until(lambda: line.lock() == "locked")
    line.cable.cut()
    line.cable.plugged = True
    await line.driven(after=1)


async def test_a_stranger_who_stops_reading_or_knows_no_token_does_not_take_the_satellite(
    line: Line, certificate: Certificate
) -> None:
    port = line.satellite.listening.tls_port
    strangers = []
    for _ in range(5):
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust.pinned_context(), limit=1024)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b'{"type": "run-satellite"}\n' + b'{"type": "describe"}\n' * 5000)
        strangers.append(writer)
    await line.command()
    for writer in strangers:
        writer.transport.abort()
    assert len(line.drivers) == 1


async def test_handshakes_that_nobody_finishes_leave_the_satellite_driven(line: Line) -> None:
    port = line.satellite.listening.tls_port
    silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
    await line.command()
    for _, writer in silent:
        writer.transport.abort()
    assert len(line.drivers) == 1
