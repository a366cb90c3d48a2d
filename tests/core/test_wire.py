"""Connections over real sockets: what one peer does costs the others nothing."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wyoming.asr import Transcribe, Transcript
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.ping import Ping, Pong

from hearth_core.address import join, split
from hearth_core.errors import ConfigError, InputError, PeerError, WireError
from hearth_core.frame import encode
from hearth_core.wire import Connection, Limits, Listener, connect, parse, serve
from tests.core.sockets import assert_cut, echo, raw, until, uri

SHORT = Limits(frame_s=0.05, write_s=0.05)


def serving(
    on_connection: Callable[[Connection], Awaitable[None]] = echo,
    limits: Limits | None = None,
    max_connections: int = 64,
) -> Awaitable[Listener]:
    return serve("127.0.0.1", 0, on_connection, limits=limits, max_connections=max_connections)


@asynccontextmanager
async def pair(limits: Limits | None = None) -> AsyncIterator[tuple[Connection, Connection]]:
    """Both ends of one connection: ours, made by `connect`, and the listener's."""
    accepted: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    async def hold(connection: Connection) -> None:
        accepted.set_result(connection)
        await done.wait()

    async with await serving(hold, limits) as listener, await connect(uri(listener), limits=limits) as ours:
        yield ours, await accepted
        done.set()


async def test_the_stock_client_gets_its_answer() -> None:
    async with await serving() as listener, AsyncTcpClient("127.0.0.1", listener.port) as client:
        await client.write_event(Transcribe(language="en").event())
        assert await client.read_event() == Transcribe(language="en").event()


async def test_byte_by_byte_and_all_at_once() -> None:
    events = [Event("a", {"x": 1}), Event("b", {}, bytes(300)), Event("c")]
    frames = b"".join(encode(event, Limits()) for event in events)
    async with await serving() as listener:
        for size in (1, len(frames)):
            reader, writer = await raw(listener)
            for start in range(0, len(frames), size):
                writer.write(frames[start : start + size])
                await writer.drain()
                await asyncio.sleep(0)
            assert await reader.readexactly(len(frames)) == frames
            writer.close()
            await writer.wait_closed()


async def test_a_close_between_frames_is_an_end_and_within_one_an_error() -> None:
    async with pair() as (ours, theirs):
        await ours.write(Ping())
        await ours.close()
        await ours.close()
        assert await theirs.read() == Ping().event()
        assert await theirs.read() is None
        with pytest.raises(PeerError, match="closed"):
            await ours.write(Ping())
    async with pair() as (ours, theirs):
        ours._writer.write(encode(Event("a", {}, bytes(100)), Limits())[:-1])
        await ours.close()
        with pytest.raises(WireError, match="in the middle of a frame"):
            await theirs.read()


async def test_a_reset_is_a_peer_error() -> None:
    async with await serving() as listener:
        peers: list[Connection] = []
        listener._on_connection = lambda connection: _read_until_error(connection, peers)
        ours = socket.create_connection(("127.0.0.1", listener.port))
        await until(lambda: listener._tasks)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close by reset
        ours.close()
        await until(lambda: peers)


async def _read_until_error(connection: Connection, seen: list[Connection]) -> None:
    with pytest.raises(PeerError, match=f"{connection.peer} was lost: {os.strerror(errno.ECONNRESET)}"):
        await connection.read()
    seen.append(connection)


async def test_silence_between_frames_ends_the_wait_only() -> None:
    async with pair() as (ours, theirs):
        with pytest.raises(PeerError, match=r"127.0.0.1:\d+ sent nothing for 0.01 s"):
            await theirs.read(timeout=0.01)
        await ours.write(Ping())
        assert await theirs.read(timeout=5) == Ping().event()


async def test_a_frame_that_does_not_come_to_its_end_is_late() -> None:
    frame = encode(Event("a", {}, bytes(100)), Limits())
    for begun in (1, 10, len(frame) - 1):
        async with pair(SHORT) as (ours, theirs):
            ours._writer.write(frame[:begun])
            with pytest.raises(PeerError, match=r"more than 0\.05 s for one frame"):
                await theirs.read()


async def test_trickling_does_not_stretch_the_time_of_a_frame() -> None:
    async with pair(SHORT) as (ours, theirs):

        async def trickle() -> None:
            while True:
                ours._writer.write(b" ")
                await asyncio.sleep(0.01)

        task = asyncio.create_task(trickle())
        with pytest.raises(PeerError, match="for one frame"):
            await theirs.read()
        task.cancel()


async def test_time_in_which_nobody_reads_is_not_the_peers() -> None:
    frame = encode(Event("a", {}, bytes(100)), Limits())
    limits = Limits(frame_s=0.3)  # long enough for a busy machine to bring bytes that are there
    async with pair(limits) as (ours, theirs):
        ours._writer.write(frame + frame[:20])
        await theirs.read()
        await asyncio.sleep(limits.frame_s * 1.5)  # the handler is busy with the first
        ours._writer.write(frame[20:])
        assert (await theirs.read()) == Event("a", {}, bytes(100))


async def test_a_cancelled_read_loses_nothing() -> None:
    frame = encode(Event("a", {"x": "y"}, bytes(500)), Limits())
    async with pair() as (ours, theirs):
        for start in range(0, len(frame), 100):
            task = asyncio.create_task(theirs.read())
            await asyncio.sleep(0)
            ours._writer.write(frame[start : start + 100])
            await asyncio.sleep(0.002)
            if not task.done():
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
        assert (await task) == Event("a", {"x": "y"}, bytes(500))


async def test_frames_of_many_writers_never_mix() -> None:
    async with pair() as (ours, theirs):
        sent = [Event("chunk", {"n": n}, bytes([n]) * 150_000) for n in range(30)]
        writing = asyncio.gather(*(ours.write(event) for event in sent))
        got = [await theirs.read() for _ in sent]
        await writing
        assert sorted(event.data["n"] for event in got if event) == list(range(30))
        assert all(event and set(event.payload or b"") == {event.data["n"]} for event in got)


async def test_a_peer_that_stops_reading_is_cut() -> None:
    async with pair(SHORT) as (ours, _theirs):
        writing = (ours.write(Event("a", {}, bytes(1_000_000))) for _ in range(100))  # more than all buffers hold
        with pytest.raises(PeerError, match=r"has not read for 0\.05 s"):
            await _one_after_the_other(writing)
        with pytest.raises(PeerError, match="closed"):
            await ours.write(Ping())


async def _one_after_the_other(calls: Iterable[Awaitable[None]]) -> None:
    for call in calls:
        await call


async def test_closing_does_not_wait_for_a_peer_that_stopped_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hearth_core.wire._CLOSE_S", 0.01)
    async with pair() as (ours, _theirs):
        writers = [asyncio.create_task(ours.write(Event("a", {}, bytes(1_000_000)))) for _ in range(20)]
        await asyncio.sleep(0.01)
        await ours.close()
        results = await asyncio.gather(*writers, return_exceptions=True)
        assert any(isinstance(result, PeerError) for result in results)
        assert all(result is None or isinstance(result, PeerError) for result in results)


async def test_a_frame_over_the_limits_is_not_sent_and_disturbs_nothing() -> None:
    async with pair() as (ours, theirs):
        with pytest.raises(WireError, match="payload"):
            await ours.write(Event("a", {}, bytes(2_000_000)))
        await ours.write(Transcript("on"))
        event = await theirs.read()
        assert event is not None
        assert parse(Transcript, event).text == "on"


CLOSING_JUNK = {
    "junk bytes": b"\x00\xff\x13\x37 not wyoming\n",
    "payload of 1e12": b'{"type": "a", "payload_length": 1000000000000}\n',
    "data of 1e12": b'{"type": "a", "data_length": 1000000000000}\n',
    "no type": b"{}\n",
    "a JSON list": b"[1]\n",
    "a truncated payload": b'{"type": "a", "payload_length": 10}\nabc',
    "an endless header": b"x" * 200_000,
}


@pytest.mark.parametrize("junk", CLOSING_JUNK.values(), ids=CLOSING_JUNK.keys())
async def test_junk_closes_its_own_connection_and_is_logged_once(junk: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with await serving() as listener, await connect(uri(listener)) as bystander:
        reader, writer = await raw(listener)
        host, port = writer.get_extra_info("sockname")
        writer.write(junk)
        writer.write_eof()
        await assert_cut(reader)
        writer.transport.abort()
        await bystander.write(Ping())
        assert await bystander.read() == Ping().event()
    (record,) = [record for record in caplog.records if record.name.startswith("hearth")]
    assert record.levelno == logging.WARNING
    assert f"{host}:{port}" in record.getMessage()
    assert record.exc_info is None


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=5))
def test_fuzzed_connections_never_reach_a_traceback(caplog: pytest.LogCaptureFixture, chunks: list[bytes]) -> None:
    async def fuzz() -> None:
        async with await serving() as listener:
            reader, writer = await raw(listener)
            for chunk in chunks:
                writer.write(chunk)
                await asyncio.sleep(0)
            with suppress(OSError):  # the server may have cut it already
                writer.write_eof()
                await reader.read()
            writer.transport.abort()
            async with await connect(uri(listener)) as other:
                await other.write(Ping())
                assert await other.read() == Ping().event()

    caplog.clear()
    asyncio.run(fuzz())
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_memory_stays_bounded_while_others_are_served() -> None:
    """20 peers send up to 16 MiB each that an unguarded reader keeps; a bystander gets all its answers meanwhile."""
    mebibyte = 1024 * 1024
    openings = [
        b'{"type": "audio-chunk", "payload_length": 1000000000000}\n',
        b'{"type": "audio-chunk", "data_length": 1000000000000}\n',
        b'{"type": "',
        b'{"type": "audio-chunk", "payload_length": 1048576}\n',  # allowed, but read as junk after it
    ]
    process = psutil.Process()
    gc.collect()
    before = process.memory_info().rss
    peak = before

    async def flood(listener: Listener, opening: bytes) -> int:
        _reader, writer = await raw(listener)
        sent = 0
        try:
            writer.write(opening)
            while sent < 16 * mebibyte:
                writer.write(bytes(64 * 1024))
                await writer.drain()
                sent += 64 * 1024
        except ConnectionError:
            pass
        writer.transport.abort()
        return sent

    async with await serving() as listener, await connect(uri(listener)) as bystander:
        floods = asyncio.gather(*(flood(listener, openings[n % 4]) for n in range(20)))
        pongs = 0
        while not floods.done() or pongs < 50:
            await bystander.write(Pong(str(pongs)))
            assert await bystander.read() == Pong(str(pongs)).event()
            pongs += 1
            peak = max(peak, process.memory_info().rss)
        assert all(sent < 16 * mebibyte for sent in await floods), "each was cut"
    assert peak - before < 96 * mebibyte


async def test_a_failing_handler_ends_its_own_connection(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(connection: Connection) -> None:
        event = await connection.read()
        if event is not None and event.type == "bad":
            raise RuntimeError("a bug")
        await connection.write(Ping())

    async with await serving(fail) as listener, await connect(uri(listener)) as good:
        async with await connect(uri(listener)) as bad:
            await bad.write(Event("bad"))
            assert await bad.read() is None
        await good.write(Event("good"))
        assert await good.read() == Ping().event()
        assert await good.read() is None
    (record,) = [record for record in caplog.records if record.name.startswith("hearth")]
    assert record.exc_info is not None
    assert "127.0.0.1" in record.getMessage()


async def test_too_many_are_refused_told_once_and_let_in_again(caplog: pytest.LogCaptureFixture) -> None:
    async with await serving(max_connections=2) as listener:
        async with await connect(uri(listener)) as first, await connect(uri(listener)) as second:
            for connection in (first, second):
                await connection.write(Ping())
                await connection.read()
            for _ in range(5):
                reader, writer = await raw(listener)
                await assert_cut(reader)
                writer.transport.abort()
            await first.write(Ping())
            assert await first.read() == Ping().event()
        await until(lambda: not listener._tasks)
        async with await connect(uri(listener)) as third:
            await third.write(Ping())
            assert await third.read() == Ping().event()
    (record,) = [record for record in caplog.records if record.name.startswith("hearth")]
    assert "max_connections" in record.getMessage()


async def test_closing_a_listener_ends_its_connections() -> None:
    ended = []

    async def wait(connection: Connection) -> None:
        try:
            await connection.read()
        finally:
            ended.append(connection.peer)

    listener = await serving(wait)
    peers = [await connect(uri(listener)) for _ in range(3)]
    await until(lambda: len(listener._tasks) == 3)
    await listener.close()
    await listener.close()
    assert len(ended) == 3
    assert [await peer.read() for peer in peers] == [None] * 3
    for peer in peers:
        await peer.close()
    with pytest.raises(PeerError, match="refused"):
        await connect(uri(listener))


async def test_a_taken_port_says_so() -> None:
    async with await serving() as listener:
        with pytest.raises(ConfigError, match=f"port {listener.port} of 127.0.0.1 is taken. Stop what listens"):
            await serve("127.0.0.1", listener.port, echo)


@pytest.mark.parametrize(
    ("host", "port"), [("192.0.2.1", 0), ("127.0.0.1", 70_000), ("no such host", 0), ("x" * 99, 0)]
)
async def test_an_address_that_cannot_be_listened_on_says_so(host: str, port: int) -> None:
    with pytest.raises(ConfigError, match=r"cannot listen on .* Set another"):
        await serve(host, port, echo)


async def test_nobody_there_says_so() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with pytest.raises(PeerError, match=f"cannot connect to 127.0.0.1:{port}: Connection refused. Check"):
            await connect(f"tcp://127.0.0.1:{port}")


async def test_a_host_that_never_answers_says_so() -> None:
    with socket.socket() as full:  # a listening socket whose queue is full does not answer
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = []
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            fillers.append(filler)
        with pytest.raises(PeerError, match=f"127.0.0.1:{port} does not answer within 0.05 s"):
            await connect(f"tcp://127.0.0.1:{port}", timeout=0.05)
        for filler in fillers:
            filler.close()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("tcp://127.0.0.1:10700", ("127.0.0.1", 10700)),
        ("tcp://kitchen.local:10700/", ("kitchen.local", 10700)),
        ("tcp://[::1]:1", ("::1", 1)),
    ],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert split(text) == address
    assert f"tcp://{join(*address)}" == text.rstrip("/")


@pytest.mark.parametrize(
    "text",
    ["", "kitchen", "kitchen:10700", "http://kitchen:80", "tcp://kitchen", "tcp://:10700", "tcp://kitchen:0",
     "tcp://kitchen:99999", "tcp://kitchen:port", "tcp://[::1:5", "tcp://kitchen:1/path", "tcp://kitchen:1?x",
     "tcp://user:secret@kitchen:1", "tcp://a b:1", "tcp://kitchen:1\n"],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="tcp://host:port") as raised:
        split(text)
    assert "secret" not in str(raised.value)
