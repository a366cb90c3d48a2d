"""The server's hand on a satellite, each side's real code on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from wyoming.timer import TimerFinished

from hearth_core import trust
from hearth_core.command import Response, ResponseKind
from hearth_core.config import SpeakConfig
from hearth_core.config_control import LinkSecurityConfig
from hearth_core.control_event import SatelliteState
from hearth_core.errors import InputError
from hearth_satellite.satellite import Doors
from hearth_satellite.session import State
from hearth_satellite.speaker import FileSpeaker
from hearth_server.satellite_control import Trust
from hearth_server.satellites import LinkLimits, SatelliteLink
from hearth_server.voice import choose_voice
from tests.satellite.lab import Running, living, until

from .conftest import PipelineFactory

FAST = LinkLimits(first_retry_s=0.02, last_retry_s=0.05)


@contextlib.asynccontextmanager
async def linked(running: PipelineFactory, port: int, trusted: Trust | None = None) -> AsyncIterator[SatelliteLink]:
    async with running("lock the front door") as pipeline:
        voice = choose_voice(SpeakConfig(voice="chime"), "en")
        link = SatelliteLink("kitchen", f"tcp://127.0.0.1:{port}", "", pipeline, voice, limits=FAST, trust=trusted)
        task = asyncio.create_task(link.run())
        try:
            yield link
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_the_server_sees_the_state_and_sets_it(running: PipelineFactory) -> None:
    states: list[SatelliteState | None] = []
    async with living() as satellite, linked(running, satellite.port) as link:
        link.control.listen(states.append)
        await until(lambda: link.state is not None and link.state.state == "listening")
        assert await link.set(mute=True, volume=0.5, wake_words=("okay_nabu",), sensitivity=0.75)
        await until(lambda: link.state is not None and link.state.mute and link.state.sensitivity == 0.75)
        assert link.state is not None
        assert (link.state.volume, link.state.wake_words) == (0.5, ("okay_nabu",))
        assert satellite.satellite.session.muted
        with pytest.raises(InputError):
            await link.set(volume=7)
        satellite.task.cancel()
        await until(lambda: link.state is None)
        assert not await link.set(mute=False)
    assert states[-1] is None


async def test_an_announcement_is_heard_at_any_time_and_the_server_knows_when(
    running: PipelineFactory, tmp_path: Path
) -> None:
    heard = tmp_path / "heard.wav"
    async with living(speaker=FileSpeaker(heard)) as satellite, linked(running, satellite.port) as link:
        response = Response("Dinner is ready", ResponseKind.ANSWER)
        await until(lambda: satellite.satellite.session.state is State.LISTENING)
        assert await link.interrupt(response)
        assert heard.stat().st_size > 1000
        assert satellite.satellite.session.state is State.LISTENING
        satellite.task.cancel()
        await until(lambda: link.state is None)
        assert not await link.interrupt(response)


async def test_a_timer_rings_on_the_satellite(running: PipelineFactory) -> None:
    async with living() as satellite, linked(running, satellite.port) as link:
        await until(lambda: satellite.satellite.session.state is State.LISTENING)
        assert await link.control.tell(TimerFinished("1").event())
        await until(lambda: satellite.satellite.session.ringing)


async def drives(satellite: Running) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1.5):
            while satellite.satellite.session.alone:
                await asyncio.sleep(0.01)
            return True
    return False


async def test_token_and_fingerprint_of_the_configuration_open_the_door_and_no_others(
    running: PipelineFactory, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cert, key, tokens = tmp_path / "c.pem", tmp_path / "k.pem", tmp_path / "token"
    fingerprint = await asyncio.to_thread(trust.make_certificate, cert, key, "kitchen")
    token = trust.token_in(tokens, make=True)
    doors = Doors(token=token, tls=trust.server_context(cert, key), plain=False)
    cases: list[tuple[dict[str, Any], bool]] = [
        ({"token_file": str(tokens), "fingerprint": fingerprint}, True),
        ({"token": token, "fingerprint": fingerprint.upper()}, True),
        ({"token": "wrong" * 5, "fingerprint": fingerprint}, False),
        ({"token": token, "fingerprint": "0" * 64}, False),
        ({"fingerprint": fingerprint}, False),
        ({"token": token}, False),
    ]
    for values, expected in cases:
        async with living(doors=doors) as satellite:
            assert satellite.listening.tls_port is not None
            trusted = Trust.of(LinkSecurityConfig.model_validate(values))
            async with linked(running, satellite.listening.tls_port, trusted):
                assert await drives(satellite) is expected, values
    assert token not in caplog.text
    assert "wrong" * 5 not in caplog.text
    assert token not in repr(Trust(token))
    assert token not in repr(doors)


def test_a_satellite_that_comes_back_is_connected_within_five_seconds() -> None:
    limits = LinkLimits()
    jitter = 1.2
    assert limits.connect_s + limits.last_retry_s * jitter < 5
