"""The socket for lights and buttons: what happens goes out, commands come in, strangers stay out."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from hearth_core.errors import ConfigError
from hearth_satellite import control_socket
from hearth_satellite.session import State
from tests.satellite.fakes import Peer
from tests.satellite.lab import WAIT_S, living
from tests.satellite.socket_client import at


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_what_happens_is_told_and_commands_are_obeyed(tmp_path: Path) -> None:
    path = tmp_path / "satellite.sock"
    async with living({"socket": {"path": str(path)}}) as running, at(path) as client:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        hello = await client.read()
        assert (hello["event"], hello["version"], hello["state"], hello["mute"]) == ("hello", 1, "idle", False)
        driver = Peer()
        running.satellite.session.run(driver)
        assert await client.read() == {"event": "connected", "driver": "peer"}
        assert await client.read() == {"event": "state", "state": "listening"}
        assert await client.command("mute") == {"reply": "mute", "ok": True}
        assert running.satellite.session.muted
        assert (await client.command("say-state"))["mute"] is True
        assert (await client.command("toggle-mute"))["ok"]
        assert (await client.command("volume", value=0.3))["ok"]
        assert (await client.command("sensitivity", value=0.9))["ok"]
        assert (await client.command("wake-words", value=["okay_nabu"]))["ok"]
        state = await client.command("say-state")
        assert (state["mute"], state["volume"], state["sensitivity"], state["wake_words"]) == (
            False, 0.3, 0.9, ["okay_nabu"],
        )  # fmt: skip
        assert await client.command("wake") == {"reply": "wake", "ok": True, "done": True}
        assert running.state() is State.STREAMING
        assert (await client.command("stop"))["done"]
        assert running.state() is State.ANSWERING
        assert (await client.command("stop"))["done"] is False
        assert (await client.command("restart"))["ok"]
        await asyncio.wait_for(running.task, WAIT_S)
    assert not path.exists()


@pytest.mark.parametrize(
    "line",
    [b"nonsense", b"[]", b"{}", b'{"command": "dance"}', b'{"command": ["mute"]}', b'{"command": "volume"}', b"\xff",
     b'{"command": "volume", "value": "loud"}', b'{"command": "wake-words", "value": ["no such"]}', b"[" * 4000],
)  # fmt: skip
async def test_a_command_that_makes_no_sense_is_answered_with_an_error(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "satellite.sock"
    async with living({"socket": {"path": str(path)}}), at(path) as client:
        client.writer.write(line + b"\n")
        message = await client.until("ok", False)
        assert message["error"]
        assert (await client.command("say-state"))["ok"], "it is still served"


async def test_a_line_without_an_end_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "satellite.sock"
    async with living({"socket": {"path": str(path)}}), at(path) as client:
        client.writer.write(b"x" * 100_000)
        await client.read()
        assert await client.closed()


async def test_over_tcp_the_token_comes_first(tmp_path: Path) -> None:
    port, tokens = free_port(), tmp_path / "token"
    async with living({"socket": {"port": port, "token_file": str(tokens)}}):
        token = tokens.read_text().strip()
        assert stat.S_IMODE(tokens.stat().st_mode) == 0o600
        refused: list[object] = [{"token": token[:-1]}, {"token": 5}, {"command": "mute"}, [], "x"]
        for said in refused:
            async with at(port) as stranger:
                stranger.writer.write(json.dumps(said).encode() + b"\n")
                assert "error" in await stranger.read()
                assert await stranger.closed()
        async with at(port) as client:
            client.writer.write(json.dumps({"token": token}).encode() + b"\n")
            assert (await client.read())["event"] == "hello"


@pytest.mark.parametrize(("mode", "text"), [(0o644, "a" * 20), (0o600, "short"), (0o600, "")])
async def test_a_token_that_others_can_read_or_guess_is_not_used(tmp_path: Path, mode: int, text: str) -> None:
    tokens = tmp_path / "token"
    tokens.write_text(text)
    tokens.chmod(mode)
    with pytest.raises(ConfigError):
        async with living({"socket": {"port": 0, "token_file": str(tokens)}}):
            pass


async def test_clients_are_bounded_and_one_that_does_not_read_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_socket, "_MAX_CLIENTS", 2)
    path = tmp_path / "satellite.sock"
    async with living({"socket": {"path": str(path)}}) as running, at(path) as sleeper, at(path) as other:
        await sleeper.read()
        await other.read()
        async with at(path) as third:
            assert await third.closed()
        session, driver = running.satellite.session, Peer()
        for _ in range(100_000):
            session.run(driver)
            session.drop(driver)
            await asyncio.sleep(0)
            async with asyncio.timeout(WAIT_S):
                while (await other.read()).get("state") != "idle":
                    pass
            if len(sleeper.reader._buffer) > 2_000:  # type: ignore[attr-defined]
                sleeper.writer.transport.pause_reading()  # type: ignore[attr-defined]
            if not has_two(running.satellite.control):
                break
        assert not has_two(running.satellite.control)
        assert (await other.command("say-state"))["ok"]


def has_two(control: Any) -> bool:
    """Whether both clients are still told the news."""
    return sum("_Client" in repr(listener) for listener in control.news._listeners) == 2


async def test_a_socket_that_a_power_cut_left_is_taken_over_and_a_living_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "satellite.sock"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    async with living({"socket": {"path": str(path)}}):
        with pytest.raises(ConfigError, match="another satellite"):
            async with living({"socket": {"path": str(path)}}):
                pass
    path.write_text("mine")
    with pytest.raises(ConfigError, match="something else"):
        async with living({"socket": {"path": str(path)}}):
            pass
    assert path.read_text() == "mine"
