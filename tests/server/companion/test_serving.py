"""What the network is told, what is kept of sentences, and a folder that cannot be written."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hearth_core import companion_client as client
from hearth_core.config import Config
from hearth_core.config_companion import CompanionConfig
from hearth_core.errors import ConfigError
from hearth_core.wire import Listener
from hearth_server import server as hearth
from hearth_server.companion import serving
from tests.fakes import FakeEngine


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int, Mapping[str, str]]]:
    told: list[tuple[str, str, int, Mapping[str, str]]] = []

    @contextlib.asynccontextmanager
    async def announce(kind: str, name: str, port: int, facts: Mapping[str, str], host: str) -> AsyncIterator[None]:
        told.append((kind, name, port, facts))
        yield

    monkeypatch.setattr("hearth_core.announce.announced", announce)
    monkeypatch.setattr(hearth, "load_engine", lambda config, language: FakeEngine())
    return told


@contextlib.asynccontextmanager
async def running(folder: Path, host: str = "127.0.0.1", **companion: Any) -> AsyncIterator[hearth.Server]:
    settings = {"host": host, "port": 0, "companion": {"state": str(folder), **companion}}
    async with hearth.running_server(Config.model_validate({"server": settings})) as server:
        yield server


@pytest.mark.parametrize(
    ("host", "announce", "expected"),
    [("127.0.0.1", None, 0), ("0.0.0.0", None, 1), ("0.0.0.0", False, 0), ("127.0.0.1", True, 1)],
)
async def test_the_network_is_told_of_a_server_that_it_can_reach(
    tmp_path: Path, announced: list[Any], host: str, announce: bool | None, expected: int
) -> None:
    async with running(tmp_path, host, announce=announce) as server:
        assert len(announced) == expected
        for kind, name, port, facts in announced:
            assert kind == "_hearth._tcp.local."
            assert port == server.listener.port
            assert name == f"hearth-{facts['id'][:12]}"


async def test_the_id_is_the_same_after_a_restart(tmp_path: Path, announced: list[Any]) -> None:
    for _ in range(2):
        async with running(tmp_path, announce=True):
            pass
    assert len({name for _, name, _, _ in announced}) == 1


async def test_a_server_that_cannot_keep_a_pairing_serves_all_the_same(
    tmp_path: Path, announced: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    async with running(tmp_path / "file" / "folder", announce=True) as server:
        assert server.pipeline.house.home.entities
    assert "can pair" in caplog.text
    assert announced == []


async def test_it_can_be_switched_off(tmp_path: Path, announced: list[Any]) -> None:
    async with running(tmp_path / "none", enabled=False):
        pass
    assert not (tmp_path / "none").exists()


def test_sentences_that_are_gone_are_removed_and_none_leaves_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "sentences"
    folder.mkdir()
    keep = serving._keep_sentences
    assert keep(folder, {"en/a.yaml": "a", "en/b.yaml": "b", "../x.yaml": "x", "/e/x.yaml": "x", "en/x.txt": "x"})
    assert not keep(folder, {"en/a.yaml": "a", "en/b.yaml": "b"})
    assert keep(folder, {"en/a.yaml": "new"})
    assert {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.*")} == {"sentences/en/a.yaml"}
    assert (folder / "en/a.yaml").read_text() == "new"


async def test_the_certificate_is_made_once_and_told(tmp_path: Path, announced: list[Any]) -> None:
    seen = []
    for _ in range(2):
        async with running(tmp_path, announce=True) as server:
            identity = await client.identify("127.0.0.1", server.listener.port)
            assert announced[-1][3]["tls_port"] == str(identity.tls_port)
            seen.append(identity.fingerprint)
    assert len(set(seen)) == 1
    assert (tmp_path / "key.pem").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("why", ["switched off", "no openssl"])
async def test_a_server_without_a_certificate_goes_on_in_the_clear(
    tmp_path: Path, announced: list[Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, why: str
) -> None:
    if why == "no openssl":
        monkeypatch.setattr("hearth_core.trust.shutil.which", lambda name: None)
    async with running(tmp_path, announce=True, tls=why == "no openssl") as server:
        identity = await client.identify("127.0.0.1", server.listener.port)
        assert (identity.fingerprint, identity.tls_port) == ("", 0)
        assert "tls_port" not in announced[-1][3]
    assert ("in the clear" in caplog.text) == (why == "no openssl")


@pytest.mark.parametrize("comes", [True, False])
async def test_who_comes_before_the_secured_port_is_there_waits_for_it(
    tmp_path: Path, announced: list[Any], monkeypatch: pytest.MonkeyPatch, comes: bool
) -> None:
    """Told that there is none, Home Assistant would take its server for another and stay away."""
    early: list[asyncio.Task[client.Identity]] = []
    listen = serving._listen

    async def slowly(config: Any, listener: Listener, *others: Any) -> Listener:
        early.append(asyncio.create_task(client.identify("127.0.0.1", listener.port)))
        await asyncio.wait(early, timeout=0.2)
        if not comes:
            raise ConfigError("the port is taken")
        return await listen(config, listener, *others)

    monkeypatch.setattr(serving, "_listen", slowly)
    async with running(tmp_path) as server:
        told = await early[0]
        assert told == await client.identify("127.0.0.1", server.listener.port)
        assert bool(told.fingerprint) == bool(told.tls_port) == comes


@pytest.mark.parametrize(
    ("port", "tls_port", "tried"), [(65535, None, [0]), (8000, None, [8001, 0]), (8000, 443, [443]), (65535, 1, [1])]
)
async def test_the_secured_port_comes_after_the_other_if_there_is_one(
    monkeypatch: pytest.MonkeyPatch, port: int, tls_port: int | None, tried: list[int]
) -> None:
    asked: list[int] = []

    async def taken(host: str, port: int, *_: Any, **__: Any) -> Listener:
        asked.append(port)
        raise ConfigError("it is taken")

    monkeypatch.setattr(serving, "serve", taken)
    listener: Any = SimpleNamespace(host="127.0.0.1", port=port)
    nothing: Any = None
    with pytest.raises(ConfigError, match="taken"):
        await serving._listen(CompanionConfig(tls_port=tls_port), listener, nothing, nothing, 1)
    assert asked == tried


def test_a_certificate_that_cannot_be_used_has_a_remedy_for_servers(tmp_path: Path) -> None:
    for name in ("certificate.pem", "key.pem"):
        (tmp_path / name).write_text("no certificate")
    companion: Any = SimpleNamespace(folder=tmp_path, name="Hearth")
    with pytest.raises(ConfigError) as refused:
        serving._certificate(companion)
    assert "satellite" not in str(refused.value)
    assert "paired again" in refused.value.remedy
