"""A local socket for lights and buttons: JSON lines, what happens out, commands in. docs/satellite.md describes them.

Who may connect: on a unix socket the user that the satellite runs as, and root; on loopback TCP whoever says the token
of a file that only that user can read.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from hearth_core.control_event import SettingsChange
from hearth_core.errors import ConfigError, HearthError, InputError
from hearth_core.trust import same_token

from .control import Control
from .news import Told

_LOG = logging.getLogger(__name__)

VERSION: Final = 1
_MAX_LINE: Final = 4096  # bytes; a command has some fifty
_MAX_CLIENTS: Final = 8
_MAX_OUTGOING: Final = 256  # lines that a client has not read: it has stopped
_TOKEN_S: Final = 5.0
_WRITE_S: Final = 5.0


class ControlSocket:
    """Serves clients on one socket.

    Args:
        control: what they command, and whose news they get.
        token: what they have to say first; None where the socket itself says who they are.
    """

    def __init__(self, control: Control, token: str | None) -> None:
        self._control = control
        self._token = token
        self._clients: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def at_path(self, path: Path) -> AsyncIterator[None]:
        """Listen on a unix socket while the block runs.

        Raises:
            ConfigError: it cannot be listened on, or another satellite does.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            await asyncio.to_thread(_remove_dead, path)
            former = os.umask(0o177)  # nobody else can connect, not even for a moment
            try:
                server = await asyncio.start_unix_server(self._accept, path, limit=_MAX_LINE)
            finally:
                os.umask(former)
        except OSError as error:
            raise ConfigError(
                f"cannot listen on {path}: {error}", remedy="Set satellite.control.socket.path"
            ) from error
        try:
            yield
        finally:
            await self._close(server)
            with contextlib.suppress(OSError):
                os.unlink(path)

    @contextlib.asynccontextmanager
    async def at_port(self, port: int) -> AsyncIterator[int]:
        """Listen on a port of loopback while the block runs; yield it.

        Raises:
            ConfigError: it cannot be listened on.
        """
        try:
            server = await asyncio.start_server(self._accept, "127.0.0.1", port, limit=_MAX_LINE)
        except OSError as error:
            raise ConfigError(
                f"cannot listen on port {port} of loopback: {error}", remedy="Set satellite.control.socket.port"
            ) from error
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            await self._close(server)

    async def _close(self, server: asyncio.Server) -> None:
        server.close()
        clients = list(self._clients)
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        await server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._clients) >= _MAX_CLIENTS or not (self._token is not None or _is_ours(writer)):
            _LOG.warning("a client of the control socket is refused")
            writer.transport.abort()
            return
        client = asyncio.get_running_loop().create_task(self._serve(reader, writer), name="control client")
        self._clients.add(client)
        client.add_done_callback(self._clients.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue(_MAX_OUTGOING)
        client = _Client(self._control, outgoing, writer)
        unlisten: Callable[[], None] | None = None
        tasks: list[asyncio.Task[None]] = []
        try:
            if self._token is not None and not await self._authenticated(reader):
                writer.write(_line({"error": 'say {"token": …} first'}))
                return
            client.say({"event": "hello", "version": VERSION, **self._control.state().model_dump(mode="json")})
            unlisten = self._control.news.listen(client.on_news)
            tasks = [asyncio.create_task(client.read_all(reader)), asyncio.create_task(client.write_all())]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except (OSError, ValueError, TimeoutError) as error:  # ValueError: a line that is too long
            _LOG.info("a client of the control socket is cut off: %s", error or type(error).__name__)
        except Exception:
            _LOG.exception("a client of the control socket is cut off")
        finally:
            if unlisten is not None:
                unlisten()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await writer.wait_closed()
            writer.transport.abort()

    async def _authenticated(self, reader: asyncio.StreamReader) -> bool:
        async with asyncio.timeout(_TOKEN_S):
            line = await reader.readline()
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            return False
        return isinstance(said, dict) and same_token(said.get("token"), self._token or "")


class _Client:
    """One who looks on, and commands."""

    def __init__(self, control: Control, outgoing: asyncio.Queue[dict[str, Any]], writer: asyncio.StreamWriter) -> None:
        self._control = control
        self._outgoing = outgoing
        self._writer = writer

    def say(self, message: dict[str, Any]) -> None:
        """Send soon; who does not read is cut off."""
        try:
            self._outgoing.put_nowait(message)
        except asyncio.QueueFull:
            _LOG.warning("a client of the control socket does not read: cut off")
            self._writer.transport.abort()

    def on_news(self, told: Told) -> None:
        """Pass on what happened."""
        self.say({"event": str(told.happening), **told.facts})

    async def write_all(self) -> None:
        """Write what is to be said."""
        while True:
            message = await self._outgoing.get()
            async with asyncio.timeout(_WRITE_S):
                self._writer.write(_line(message))
                await self._writer.drain()

    async def read_all(self, reader: asyncio.StreamReader) -> None:
        """Obey until the client leaves."""
        while line := await reader.readline():
            if line.strip():
                self.say(await self._obey(line))

    async def _obey(self, line: bytes) -> dict[str, Any]:
        name: object = None
        try:
            said = json.loads(line)
            if not isinstance(said, dict):
                raise InputError("a command is an object")
            name = said.get("command")
            return {"reply": name, "ok": True, **await self._do(name, said)}
        except (ValueError, RecursionError) as error:
            return {"reply": name, "ok": False, "error": f"not JSON: {error}"}
        except HearthError as error:
            return {"reply": name if isinstance(name, str) else None, "ok": False, "error": str(error)}

    async def _do(self, name: object, said: dict[str, Any]) -> dict[str, Any]:
        control = self._control
        change: Callable[[str, Any], Awaitable[None]] = lambda key, value: control.change(  # noqa: E731
            SettingsChange.of({key: value})
        )
        match name:
            case "mute" | "unmute":
                await change("mute", name == "mute")
            case "toggle-mute":
                await change("mute", not control.state().mute)
            case "volume" | "sensitivity":
                await change(name, said.get("value", "missing"))
            case "wake-words":
                await change("wake_words", said.get("value", "missing"))
            case "wake":
                return {"done": control.session.wake_up()}
            case "stop":
                return {"done": control.session.stop()}
            case "say-state":
                return control.state().model_dump(mode="json")
            case "restart":
                control.restart()
            case _:
                raise InputError("there is no such command", remedy="docs/satellite.md lists them")
        return {}


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode() + b"\n"


def _is_ours(writer: asyncio.StreamWriter) -> bool:
    """Return whether the other end of a unix socket is our own user, or root."""
    peer: socket.socket = writer.get_extra_info("socket")
    _, user, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return user in (0, os.geteuid())


def _remove_dead(path: Path) -> None:
    """Remove a socket that nobody listens on any more, such as a power cut leaves.

    Raises:
        OSError: somebody does, or it is no socket.
    """
    if not path.exists():
        return
    if not path.is_socket():
        raise OSError(f"{path} is something else")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError(f"another satellite listens on {path}")
