"""The token of the bus: a wrong one is told with its remedy, and none is in a log."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from hearth_core.errors import BusError
from hearth_core.home import UNAVAILABLE
from hearth_server.home_assistant.access import Access
from hearth_server.home_assistant.bus import HomeAssistant

from .conftest import LONG_S, ON, PATIENCE
from .fake import TOKEN, FakeHomeAssistant, Recorder


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_wrong_token_is_told_once_with_its_remedy(
    fake: FakeHomeAssistant, bus: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    fake.tokens.clear()
    watcher = Recorder(bus)
    await watcher.tried()
    async with asyncio.timeout(LONG_S):
        while len(fake.logins) < 3:
            await asyncio.sleep(0.01)
    assert isinstance(bus.trouble, BusError)
    assert "long-lived access token" in bus.trouble.remedy
    assert len(errors(caplog)) == 1
    fake.tokens.add(TOKEN)
    await watcher.until(lambda home: "light.ceiling" in home.entities)


async def test_a_token_that_is_revoked_ends_it_until_there_is_another(
    fake: FakeHomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    bus = HomeAssistant(Access(fake.access.url, file=file), PATIENCE)
    watcher = Recorder(bus)
    await watcher.tried()
    try:
        fake.tokens = {"another-token"}
        await fake.hang_up()
        await watcher.until(lambda home: home.entities["light.ceiling"].state == UNAVAILABLE)
        async with asyncio.timeout(LONG_S):
            while len(fake.logins) < 2:
                await asyncio.sleep(0.01)
        file.write_text("another-token\n")
        await watcher.until(lambda home: home.entities["light.ceiling"].state.value == "off")
        assert len(errors(caplog)) == 1
    finally:
        await bus.stop()


async def test_a_user_without_rights_is_told(fake: FakeHomeAssistant, bus: HomeAssistant) -> None:
    fake.admin = False
    await Recorder(bus).tried()
    assert isinstance(bus.trouble, BusError)
    assert "administrator" in bus.trouble.remedy


async def test_the_token_is_in_no_log(
    fake: FakeHomeAssistant, bus: HomeAssistant, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("asyncio", "aiohttp", "hearth_server", "hearth_core"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    watcher = Recorder(bus)
    await watcher.tried()
    await bus.perform(ON, LONG_S)
    await fake.send("junk")
    fake.tokens.clear()
    await fake.hang_up()
    await watcher.until(lambda home: home.entities["light.ceiling"].state == UNAVAILABLE)
    async with asyncio.timeout(LONG_S):
        while fake.logins[-1] != TOKEN or len(fake.logins) < 3:
            await asyncio.sleep(0.01)
    told = (
        caplog.text + "".join(map(str, capfd.readouterr())) + repr(bus.__dict__) + repr(fake.access) + str(bus.trouble)
    )
    assert "does not accept the access token" in told
    for part in TOKEN.split("."):
        assert part not in told
