"""A microphone that others speak into over the network."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import async_write_event

from hearth_core.audio import PcmFormat
from hearth_core.errors import AudioError
from hearth_satellite.microphone import CHUNK_BYTES
from hearth_satellite.session import Session, State
from hearth_satellite.socket_microphone import SocketMicrophone
from tests.satellite.fakes import END, TALK, WAKE, ByteEnd, ByteWake, Peer, Sounds

RAMP = np.arange(-8000, 8000, dtype="<i2").tobytes()


def microphone(**options: Any) -> SocketMicrophone:
    return SocketMicrophone("127.0.0.1", 0, options.pop("audio", PcmFormat()), **options)


async def take(source: SocketMicrophone, size: int) -> bytes:
    heard = b""
    async with asyncio.timeout(20):
        async for chunk in source:
            assert len(chunk) == CHUNK_BYTES
            heard += chunk
            if len(heard) >= size:
                break
    return heard


async def test_raw_sound_comes_whole_however_it_is_cut() -> None:
    async with microphone() as source:
        _, writer = await asyncio.open_connection("127.0.0.1", source.port)
        for start in range(0, len(RAMP), 777):
            writer.write(RAMP[start : start + 777])
            await writer.drain()
        writer.close()
        heard = await take(source, len(RAMP))
    assert heard == RAMP.ljust(len(heard), b"\0")


async def test_one_channel_of_several_is_heard() -> None:
    left, right = np.frombuffer(RAMP, "<i2"), np.zeros(16000, "<i2")
    stereo = np.stack([right, left], axis=1).tobytes()
    async with microphone(audio=PcmFormat(16000, 2, 2), channel=2) as source:
        _, writer = await asyncio.open_connection("127.0.0.1", source.port)
        writer.write(stereo)
        writer.close()
        assert (await take(source, len(RAMP)))[: len(RAMP)] == RAMP


async def test_wyoming_names_its_own_format() -> None:
    async with microphone(protocol="wyoming") as source:
        _, writer = await asyncio.open_connection("127.0.0.1", source.port)
        stereo = np.repeat(np.frombuffer(RAMP, "<i2"), 2).tobytes()
        await async_write_event(AudioStart(16000, 2, 2).event(), writer)
        await async_write_event(AudioChunk(16000, 2, 2, stereo).event(), writer)
        await async_write_event(AudioStop().event(), writer)
        writer.close()
        assert (await take(source, len(RAMP)))[: len(RAMP)] == RAMP


async def test_the_next_peer_is_heard_after_the_first_has_left_or_sent_junk() -> None:
    async with microphone(protocol="wyoming") as source:
        _, junk = await asyncio.open_connection("127.0.0.1", source.port)
        junk.write(b"GET / HTTP/1.1\r\n\r\n")
        await junk.drain()
        _, writer = await asyncio.open_connection("127.0.0.1", source.port)
        await async_write_event(AudioStart(16000, 2, 1).event(), writer)
        await async_write_event(AudioChunk(16000, 2, 1, RAMP).event(), writer)
        assert (await take(source, 16 * CHUNK_BYTES)) == RAMP[: 16 * CHUNK_BYTES]
        for open_writer in (junk, writer):
            open_writer.close()


async def test_a_second_peer_takes_over() -> None:
    async with microphone() as source:
        reader, first = await asyncio.open_connection("127.0.0.1", source.port)
        first.write(b"\1" * CHUNK_BYTES)
        assert await take(source, CHUNK_BYTES) == b"\1" * CHUNK_BYTES
        _, second = await asyncio.open_connection("127.0.0.1", source.port)
        second.write(b"\2" * CHUNK_BYTES)
        assert await take(source, CHUNK_BYTES) == b"\2" * CHUNK_BYTES
        async with asyncio.timeout(20):
            with suppress(ConnectionError):
                assert await reader.read() == b"", "the first was closed"
        for writer in (first, second):
            writer.close()


async def test_peers_that_come_and_go_leave_no_error_behind() -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))
    async with microphone() as source:
        for number in range(20):
            _, writer = await asyncio.open_connection("127.0.0.1", source.port)
            writer.write(bytes([number]) * CHUNK_BYTES)
            writer.close()
            await asyncio.sleep(0.001 * (number % 3))  # it may still be read, be closing, or be gone
        _, writer = await asyncio.open_connection("127.0.0.1", source.port)
        writer.write(b"\xff" * CHUNK_BYTES)
        while await take(source, CHUNK_BYTES) != b"\xff" * CHUNK_BYTES:
            pass
        writer.close()
    assert not told


async def test_nothing_is_read_before_somebody_listens() -> None:
    listens = False
    async with microphone(ready=lambda: listens) as source:
        _, writer = await asyncio.open_connection("127.0.0.1", source.port)
        writer.write(b"\1" * CHUNK_BYTES)
        first = asyncio.ensure_future(take(source, CHUNK_BYTES))
        await asyncio.sleep(0.1)
        assert not first.done()
        listens = True
        assert await first == b"\1" * CHUNK_BYTES
        writer.close()


async def test_who_comes_back_in_the_middle_of_a_command_brings_the_rest_of_it() -> None:
    session, driver = Session(ByteWake(), ByteEnd(), Sounds()), Peer()
    session.run(driver)
    async with microphone(ready=session.heeds) as source:
        for said, then in ((WAKE + TALK, State.STREAMING), (TALK + END, State.ANSWERING)):
            _, writer = await asyncio.open_connection("127.0.0.1", source.port)
            writer.write(said)
            heard = await take(source, len(said))
            for start in range(0, len(heard), CHUNK_BYTES):
                session.hear(heard[start : start + CHUNK_BYTES])
            assert session.state is then
            writer.close()
    assert driver.heard() == WAKE + TALK + TALK + END


async def test_a_port_that_is_taken_is_told() -> None:
    async with microphone() as source:
        other = SocketMicrophone("127.0.0.1", source.port, PcmFormat())
        with pytest.raises(AudioError, match="cannot listen for sound"):
            await other.__aenter__()
