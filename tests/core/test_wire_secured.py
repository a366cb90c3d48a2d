"""TLS on real sockets: who does not finish a handshake is counted, and has its time."""

from __future__ import annotations

import logging
import ssl
from contextlib import suppress

import pytest
from wyoming.event import Event
from wyoming.ping import Ping

from hearth_core import trust, wire
from hearth_core.errors import PeerError
from hearth_core.frame import encode
from hearth_core.wire import Limits, Listener, connect, serve
from tests.core.certificates import Certificate, certified
from tests.core.sockets import assert_cut, echo, raw, until, uri


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certified(tmp_path_factory.mktemp("certificate"), "hearth")


async def secured(certificate: Certificate, max_connections: int = 64) -> Listener:
    return await serve("127.0.0.1", 0, echo, max_connections=max_connections, tls=certificate.context)


def client_hello() -> bytes:
    """Return what a TLS client says first."""
    said = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        trust.pinned_context().wrap_bio(ssl.MemoryBIO(), said).do_handshake()
    return said.read()


async def test_who_does_not_finish_the_handshake_counts_as_connected(certificate: Certificate) -> None:
    begun = client_hello()
    async with await secured(certificate, max_connections=3) as listener:
        async with await connect(uri(listener), fingerprint=certificate.fingerprint) as first:
            await first.write(Ping())
            assert await first.read() == Ping().event()
            unfinished = [await raw(listener) for _ in range(2)]
            unfinished[0][1].write(begun[:-1])
            await until(lambda: len(listener._tasks) == 3)
            for _ in range(20):  # as many as there are: none is kept
                reader, writer = await raw(listener)
                await assert_cut(reader)
                writer.transport.abort()
            assert len(listener._tasks) == 3
            with pytest.raises(PeerError):
                await connect(uri(listener), fingerprint=certificate.fingerprint)
            await first.write(Event("long", {}, bytes(500_000)))
            assert await first.read() == Event("long", {}, bytes(500_000)), "who is connected stays"
        for _, writer in unfinished:
            writer.transport.abort()
        await until(lambda: not listener._tasks)
        async with await connect(uri(listener), fingerprint=certificate.fingerprint) as later:
            await later.write(Ping())
            assert await later.read() == Ping().event()


async def test_a_handshake_has_its_time(
    certificate: Certificate, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    async with await secured(certificate, max_connections=2) as listener:
        with monkeypatch.context() as patch:
            patch.setattr(wire, "_HANDSHAKE_S", 0.05)
            silent, trickling = await raw(listener), await raw(listener)
            trickling[1].write(client_hello()[:20])
            for reader, writer in (silent, trickling):
                await assert_cut(reader)
                writer.transport.abort()
            await until(lambda: not listener._tasks)
        async with await connect(uri(listener), fingerprint=certificate.fingerprint) as later:
            await later.write(Ping())
            assert await later.read() == Ping().event()
    told = [record for record in caplog.records if "did not finish the TLS handshake" in record.getMessage()]
    assert [record.levelno for record in told] == [logging.INFO] * 2
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


@pytest.mark.parametrize("junk", [b"GET / HTTP/1.1\r\n\r\n", bytes(70_000), encode(Ping().event(), Limits())])
async def test_junk_for_a_handshake_is_cut_at_once(
    certificate: Certificate, junk: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "_HANDSHAKE_S", 3600.0)
    async with await secured(certificate) as listener:
        reader, writer = await raw(listener)
        writer.write(junk)
        with suppress(ConnectionError):
            await reader.read()  # an alert, if anything
        writer.transport.abort()
        await until(lambda: not listener._tasks)


async def test_closing_a_listener_ends_the_handshakes(certificate: Certificate) -> None:
    listener = await secured(certificate)
    peers = [await raw(listener) for _ in range(3)]
    await until(lambda: len(listener._tasks) == 3)
    await listener.close()
    assert not listener._tasks
    for reader, writer in peers:
        await assert_cut(reader)
        writer.transport.abort()
