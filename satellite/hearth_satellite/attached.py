"""Whatever accompanies a running satellite, from its configuration: hooks, the control socket, MQTT, being found."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from hearth_core import address, announce
from hearth_core.config_control import ControlConfig
from hearth_core.stable_id import is_loopback, stable_id
from hearth_core.trust import token_in

from .control_socket import ControlSocket
from .hooks import Hooks
from .notify import Notifier
from .satellite import Listening, Satellite


@contextlib.asynccontextmanager
async def attached(config: ControlConfig, satellite: Satellite, listening: Listening) -> AsyncIterator[None]:
    """Run everything that is configured beside the satellite, until the block is left.

    Raises:
        ConfigError: a socket, a token file or a certificate cannot be used.
    """
    identity = satellite.identity
    async with contextlib.AsyncExitStack() as stack:
        if config.hooks.commands:
            hooks = Hooks(config.hooks.commands, config.hooks.timeout_s, config.hooks.max_running)
            await stack.enter_async_context(hooks.running(satellite.news))
        await _open_sockets(stack, config, satellite)
        device_id = config.id or stable_id("satellite", listening.port or listening.tls_port or 0)
        if config.mqtt is not None:
            from .mqtt_device import MqttDevice

            device = MqttDevice(config.mqtt, device_id, identity, satellite.control)
            await stack.enter_async_context(device.running())
        if config.announce and not is_loopback(listening.host):
            properties = {"name": identity.name, "area": identity.area or "", "hearth": "1"}
            if listening.tls_port is not None:
                properties["tls_port"] = str(listening.tls_port)
            port = listening.port or listening.tls_port or 0
            await stack.enter_async_context(
                announce.announced(announce.WYOMING, device_id, port, properties, host=listening.host)
            )
        where = address.join(listening.host, listening.port or listening.tls_port or 0)
        await stack.enter_async_context(Notifier().ready(f"{identity.name} listens on {where}"))
        yield


async def _open_sockets(stack: contextlib.AsyncExitStack, config: ControlConfig, satellite: Satellite) -> None:
    local = config.socket
    if local.path:
        await stack.enter_async_context(ControlSocket(satellite.control, None).at_path(Path(local.path)))
    if local.port is not None:
        token = token_in(Path(local.token_file), make=True)
        await stack.enter_async_context(ControlSocket(satellite.control, token).at_port(local.port))
