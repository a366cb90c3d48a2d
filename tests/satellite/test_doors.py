"""Who is let in: plain drivers notice nothing where nothing is asked; where a token or TLS is, strangers stay out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from wyoming.event import Event
from wyoming.info import Describe
from wyoming.ping import Ping
from wyoming.satellite import RunSatellite
from wyoming.wake import Detect

from hearth_core import trust, wire
from hearth_core.control_event import HELLO, NEAR_MISS, SETTINGS, STATE, SatelliteState, hello, state_of
from hearth_core.errors import ConfigError, PeerError
from hearth_satellite.news import Happening
from hearth_satellite.satellite import Doors
from hearth_satellite.session import State
from tests.satellite.lab import WAIT_S, living, until

TOKEN = "correct horse battery"


@contextlib.asynccontextmanager
async def driver(port: int, fingerprint: str = "") -> AsyncIterator[wire.Connection]:
    async with await wire.connect(f"tcp://127.0.0.1:{port}", fingerprint=fingerprint) as connection:
        yield connection


async def until_state(connection: wire.Connection, **expected: object) -> SatelliteState:
    while True:
        event = await connection.read(WAIT_S)
        assert event is not None
        if event.type == STATE:
            state = state_of(event)
            if all(getattr(state, key) == value for key, value in expected.items()):
                return state


async def test_a_driver_of_our_own_kind_sees_the_state_and_sets_it() -> None:
    async with living() as running, driver(running.port) as connection:
        await connection.write(hello())
        await until_state(connection, state="idle", mute=False)
        await connection.write(RunSatellite())
        await until_state(connection, state="listening")
        await connection.write(Event(SETTINGS, {"mute": True, "volume": 0.5}))
        state = await until_state(connection, mute=True, volume=0.5)
        assert state.available_wake_words == ("alexa", "okay_nabu")
        await connection.write(Detect(names=["okay_nabu"]).event())
        await until_state(connection, wake_words=("okay_nabu",))


async def test_a_driver_of_our_own_kind_is_told_what_was_almost_a_wake_word() -> None:
    async with living() as running, driver(running.port) as connection:
        await connection.write(hello())
        await until_state(connection, state="idle")
        running.satellite.news.tell(Happening.NEAR_MISS, wake_word="alexa", score=0.81, threshold=0.9)
        event = await connection.read(WAIT_S)
        assert event is not None
        assert (event.type, event.data) == (NEAR_MISS, {"wake_word": "alexa", "score": 0.81, "threshold": 0.9})


async def test_a_plain_driver_notices_nothing() -> None:
    async with living() as running, driver(running.port) as connection:
        await connection.write(Describe())
        await connection.write(RunSatellite())
        await until(lambda: running.satellite.session.state is State.LISTENING)
        running.satellite.session.mute(True)
        running.satellite.news.tell(Happening.NEAR_MISS, wake_word="alexa", score=0.81, threshold=0.9)
        running.satellite.control.restart_wanted.clear()
        await connection.write(Detect().event())
        await connection.write(Ping().event())
        kinds = [event.type for event in [await connection.read(WAIT_S), await connection.read(WAIT_S)] if event]
        assert kinds == ["info", "pong"]


@pytest.mark.parametrize(
    "first",
    [
        Describe().event(),
        RunSatellite().event(),
        hello("wrong" * 4),
        hello(),
        Event(HELLO, {"token": 5}),
        Event(HELLO, {"token": "x" * 100_000}),
        Event("describe", {"context": {"token": "wrong"}}),
        Event("describe", {"context": "x"}),
    ],
)
async def test_where_a_token_is_asked_for_a_stranger_gets_an_error_and_is_closed(
    first: Event, caplog: pytest.LogCaptureFixture
) -> None:
    async with living(doors=Doors(token=TOKEN)) as running, driver(running.port) as stranger:
        await stranger.write(first)
        event = await stranger.read(WAIT_S)
        assert event is not None
        assert (event.type, event.data["code"]) == ("error", "unauthorized")
        assert await stranger.read(WAIT_S) is None
        assert running.satellite.session.alone
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("first", [hello(TOKEN), Event("describe", {"context": {"token": TOKEN}})])
async def test_who_says_the_token_first_is_let_in(first: Event) -> None:
    async with living(doors=Doors(token=TOKEN)) as running, driver(running.port) as connection:
        await connection.write(first)
        await connection.write(RunSatellite())
        await until(lambda: running.satellite.session.state is State.LISTENING)


async def test_over_tls_the_satellite_is_known_by_its_fingerprint(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    fingerprint = await asyncio.to_thread(trust.make_certificate, cert, key, "Küche / O=x")
    assert key.stat().st_mode & 0o077 == 0
    doors = Doors(tls=trust.server_context(cert, key), plain=False)
    async with living(doors=doors) as running:
        assert running.listening.port is None
        tls_port = running.listening.tls_port
        assert tls_port is not None
        colons = ":".join(fingerprint[i : i + 2] for i in range(0, 64, 2)).upper()
        async with driver(tls_port, colons) as connection:
            await connection.write(Describe())
            assert (await connection.read(WAIT_S) or Event("none")).type == "info"
        with pytest.raises(PeerError, match="another certificate"):
            async with driver(tls_port, "0" * 64):
                pass
        async with driver(tls_port) as plain:
            await plain.write(Describe())
            with contextlib.suppress(PeerError):
                assert await plain.read(WAIT_S) is None


async def test_both_doors_may_be_open(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    fingerprint = await asyncio.to_thread(trust.make_certificate, cert, key, "kitchen")
    async with living(doors=Doors(tls=trust.server_context(cert, key))) as running:
        assert running.listening.tls_port is not None
        async with driver(running.port) as plain, driver(running.listening.tls_port, fingerprint) as secured:
            for connection in (plain, secured):
                await connection.write(Ping().event())
                assert (await connection.read(WAIT_S) or Event("none")).type == "pong"


def test_a_certificate_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("nonsense")
    with pytest.raises(ConfigError, match="cannot be used"):
        trust.server_context(tmp_path / "x.pem", tmp_path / "x.pem")
    with pytest.raises(ConfigError):
        trust.fingerprint_of(tmp_path / "none.pem")


def test_tokens_are_compared_whole() -> None:
    assert trust.same_token(TOKEN, TOKEN)
    for said in ("", None, TOKEN[:-1], TOKEN + "x", [TOKEN], "\ud800"):
        assert not trust.same_token(said, TOKEN)
