"""Wiring the companion into a running server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from hearth_core import __version__, announce, trust
from hearth_core.companion import PROTOCOL, SERVICE_TYPE
from hearth_core.config_companion import CompanionConfig
from hearth_core.errors import ConfigError, HearthError
from hearth_core.settings import ServerConfig
from hearth_core.wire import Connection, Listener, serve

from ..pipeline import Pipeline
from ..satellites import SatelliteLink
from .companion import Companion

log = logging.getLogger(__name__)

MAX_SENTENCE_FILES = 500
MAX_PORT = 65535


def tell_code(code: str, minutes: int) -> None:
    """Show a pairing code in the log, where the owner of a server without a terminal looks."""
    log.warning("to pair Home Assistant give it the code %s %s, valid for %d minutes", code[:3], code[3:], minutes)


def make_companion(config: CompanionConfig, language: str, show: Callable[[str, int], object]) -> Companion | None:
    """Return what paired Home Assistants find, None if it is switched off or its folder cannot be used."""
    if not config.enabled:
        return None
    companion = Companion(config, language, show)
    try:
        companion.identity()
    except ConfigError as error:
        # A server that cannot keep a pairing hears and acts all the same.
        log.error("no Home Assistant can pair with this server: %s", error)
        return None
    return companion


def sentence_folder(companion: Companion) -> Path:
    """Return the folder for the sentences that Home Assistant's owner wrote there, made if it is not there."""
    folder = companion.folder / "sentences"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.asynccontextmanager
async def listening_secured(
    companion: Companion,
    config: CompanionConfig,
    listener: Listener,
    on_connection: Callable[[Connection], Awaitable[None]],
    max_connections: int,
) -> AsyncIterator[None]:
    """Listen over TLS as well, for the length of the block, with a certificate that is made once.

    A server that cannot have one goes on in the clear, and says so.
    """
    if not config.tls:
        yield
        return
    try:
        context, fingerprint = await asyncio.to_thread(_certificate, companion)
        secured = await _listen(config, listener, on_connection, context, max_connections)
    except ConfigError as error:
        log.error("Home Assistant is spoken to in the clear: %s", error)
        yield
        return
    async with secured:
        companion.fingerprint, companion.tls_port = fingerprint, secured.port
        log.info("Home Assistant is spoken to over TLS on port %d, certificate SHA-256 %s", secured.port, fingerprint)
        try:
            yield
        finally:
            companion.tls_port = 0


async def _listen(
    config: CompanionConfig,
    listener: Listener,
    on_connection: Callable[[Connection], Awaitable[None]],
    context: ssl.SSLContext,
    max_connections: int,
) -> Listener:
    if config.tls_port is not None:
        ports = [config.tls_port]
    else:
        ports = [listener.port + 1, 0] if listener.port < MAX_PORT else [0]
    for each in ports:
        try:
            return await serve(listener.host, each, on_connection, max_connections=max_connections, tls=context)
        except ConfigError:
            if each == ports[-1]:
                raise
            log.warning("port %d is taken: Home Assistant is spoken to on another one", each)
    raise AssertionError("one of them was tried last")


def _certificate(companion: Companion) -> tuple[ssl.SSLContext, str]:
    cert, key = companion.folder / "certificate.pem", companion.folder / "key.pem"
    if not cert.exists() or not key.exists():
        trust.make_certificate(cert, key, companion.name)
    remedy = "Remove both: the server makes new ones when it starts, and Home Assistant is paired again"
    return trust.server_context(cert, key, remedy=remedy), trust.fingerprint_of(cert)


@contextlib.asynccontextmanager
async def serving_companion(
    companion: Companion,
    pipeline: Pipeline,
    links: Sequence[SatelliteLink],
    listener: Listener,
    settings: ServerConfig,
) -> AsyncIterator[None]:
    """Serve paired Home Assistants, and let the network find this server, for the length of the block."""
    companion.work.satellites = tuple(links)
    for link in links:
        link.tell, link.changed = companion.tell, companion.changed

    async def reload() -> Mapping[str, Any]:
        problems = await pipeline.renew() if pipeline.renew is not None else ()
        return {"problems": [str(problem) for problem in problems][:20]}

    async def take_sentences(files: Mapping[str, str]) -> None:
        if await asyncio.to_thread(_keep_sentences, sentence_folder(companion), files) and pipeline.renew is not None:
            log.info("Home Assistant sent %d files of sentences", len(files))
            await pipeline.renew()

    companion.work.reload, companion.work.sentences = reload, take_sentences
    running = asyncio.create_task(companion.run(pipeline), name="companion")
    try:
        async with contextlib.AsyncExitStack() as stack:
            told = settings.companion.announce
            if told or (told is None and settings.host not in ("127.0.0.1", "localhost", "::1")):
                await _announce(stack, companion, settings.host, listener.port)
            yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _announce(stack: contextlib.AsyncExitStack, companion: Companion, host: str, port: int) -> None:
    identity = companion.identity()
    instance = f"hearth-{identity['server_id'][:12]}"
    facts = {"id": identity["server_id"], "name": companion.name, "version": __version__, "protocol": str(PROTOCOL)}
    if companion.tls_port:
        facts["tls_port"] = str(companion.tls_port)
    try:
        await stack.enter_async_context(announce.announced(SERVICE_TYPE, instance, port, facts, host=host))
    except HearthError as error:
        log.warning("the network is not told of this server: %s", error)


def _keep_sentences(folder: Path, files: Mapping[str, str]) -> bool:
    """Let the folder hold these files, `<language>/<name>.yaml`, and no others; return whether that is news."""
    wanted: dict[Path, str] = {}
    for name, text in list(files.items())[:MAX_SENTENCE_FILES]:
        path = PurePosixPath(name)
        if len(path.parts) == 2 and path.suffix == ".yaml" and all(part not in ("..", "/") for part in path.parts):
            wanted[folder / path] = text
    there = {file: file.read_text(errors="replace") for file in folder.glob("*/*.yaml")}
    if there == wanted:
        return False
    for old in there.keys() - wanted.keys():
        old.unlink()
    for new, text in wanted.items():
        new.parent.mkdir(exist_ok=True)
        new.write_text(text)
    return True
