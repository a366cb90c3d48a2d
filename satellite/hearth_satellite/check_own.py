"""Trying out the satellite of this machine as its configuration has it: its door, and where its sound comes from."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wyoming.error import Error

from hearth_core import address, control_event, wire
from hearth_core.errors import HearthError, PeerError

from .check import Finding, Verdict
from .wake_word import Trigger

if TYPE_CHECKING:
    from hearth_core.config import SatelliteConfig
    from hearth_core.config_microphone import MicrophoneConfig

_LATE_S: Final = 5.0
_ALSA: Final = {1: "U8", 2: "S16_LE", 3: "S24_3LE", 4: "S32_LE"}  # arecord's names, by bytes of a sample
_UNIT: Final = "hearth-satellite` (`systemctl --user` if it is your own)"
_START: Final = f"Start it with `systemctl start {_UNIT}, or give --server to ask a server"
_RESTART: Final = f"Start it anew with `systemctl restart {_UNIT}, so that it takes this configuration"
_ADD: Final = "Add it to Home Assistant (Settings, Devices, Wyoming) or to `server.satellites` of a Hearth server"


@dataclass(frozen=True, slots=True)
class Door:
    """Where the satellite can be asked, and what it wants to hear first.

    Attributes:
        uri: its address.
        token: what has to be said; None if nothing.
        fingerprint: of its certificate, if the door speaks TLS; empty if it does not.
    """

    uri: str
    token: str | None = field(default=None, repr=False)
    fingerprint: str = ""


def door_of(config: SatelliteConfig) -> Door | None:
    """Return where the satellite of a configuration can be asked; None if its port is another at each start.

    Raises:
        ConfigError: its token or its certificate cannot be read.
    """
    from hearth_core.trust import fingerprint_of

    from .cli import token_of

    security = config.control.security
    port = config.port if security.plain else security.tls_port
    if port == 0:
        return None
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)
    fingerprint = "" if security.plain else fingerprint_of(Path(security.cert_file))
    return Door(f"tcp://{address.join(host, port)}", token_of(security), fingerprint)


async def check_own(config: SatelliteConfig) -> Finding:
    """Ask the satellite of this configuration whether anybody drives it, if it runs on this machine."""
    try:
        door = door_of(config)
    except HearthError as error:
        remedy = f"{error.remedy or 'Look at satellite.control.security'}; or check as the user that it runs as"
        return Finding("driver", Verdict.SKIPPED, f"the satellite cannot be asked: {error.message}", remedy)
    if door is None:
        remedy = "Give it a port of its own in the configuration, or give --server to ask a server"
        return Finding("driver", Verdict.SKIPPED, "the satellite cannot be asked: its port is 0, any free one", remedy)
    return await check_driver(door)


async def check_driver(door: Door) -> Finding:
    """Ask a satellite whether anybody drives it."""
    place = door.uri.removeprefix("tcp://")
    try:
        async with await wire.connect(door.uri, fingerprint=door.fingerprint) as connection:
            await connection.write(control_event.hello(door.token))
            event = await connection.read(_LATE_S)
    except HearthError as error:
        if isinstance(error, PeerError) and not await _listens(door.uri):
            says = f"no satellite runs on this machine, or it has another configuration: nobody listens on {place}"
            return Finding("driver", Verdict.SKIPPED, says, _START)
        says = f"what listens on {place} is not the satellite of this configuration: {error.message}"
        return Finding("driver", Verdict.WARNING, says, _RESTART)
    if event is not None and Error.is_type(event.type):
        says = f"the satellite on {place} does not take the token of this configuration"
        return Finding("driver", Verdict.WARNING, says, _RESTART)
    if event is None or event.type != control_event.STATE:
        says = f"what listens on {place} tells nothing of its state: it is no satellite of Hearth's"
        return Finding("driver", Verdict.WARNING, says, "Stop it, or give the satellite another port")
    state = control_event.state_of(event)
    if state.state == "idle":
        return Finding("driver", Verdict.WARNING, "the satellite runs, and nobody drives it", _ADD)
    return Finding("driver", Verdict.OK, f"the satellite is driven, and {'muted' if state.mute else state.state}")


async def _listens(uri: str) -> bool:
    """Return whether anybody takes connections there, whatever is spoken."""
    with suppress(OSError, TimeoutError, HearthError):
        async with asyncio.timeout(_LATE_S):
            _, writer = await asyncio.open_connection(*address.split(uri))
        writer.close()
        return True
    return False


def invitation(config: MicrophoneConfig, seconds: float, trigger: Trigger = Trigger.WAKE_WORD) -> str:
    """Return what a person has to do for the microphone to hear something."""
    words = "the wake word and a few words" if trigger is Trigger.WAKE_WORD else "a few words"
    match config.source:
        case "socket":
            return f"Send {_sound_of(config)} with {words}; {seconds:g} seconds are heard …"
        case "stdin":
            return f"Hearing standard input for {seconds:g} seconds …"
        case "file":
            return f"Hearing {config.file} for {seconds:g} seconds …"
    return f"Say {words}, for {seconds:g} seconds …"


def runs(finding: Finding) -> bool:
    """Return whether, by what was found of the driver, a satellite runs that may hear with the same microphone."""
    return finding.verdict is Verdict.OK or finding.remedy in (_ADD, _RESTART)


def explained(findings: Sequence[Finding], config: MicrophoneConfig, *, runs: bool) -> list[Finding]:
    """Say what to do about a microphone that failed in the words of where its sound comes from.

    Args:
        findings: what was found of it.
        config: the microphone.
        runs: the satellite of this configuration runs, and hears with the same.
    """
    return [
        replace(finding, remedy=_remedy(finding.remedy, config, runs=runs))
        if finding.what == "microphone" and finding.verdict is Verdict.FAILED
        else finding
        for finding in findings
    ]


def _remedy(usual: str, config: MicrophoneConfig, *, runs: bool) -> str:
    stop = "The satellite that runs hears with it: stop it (`systemctl stop hearth-satellite`) and check again"
    match config.source:
        case "socket" if runs:
            return f"{stop}, or check with --mic-file FILE"
        case "socket":
            return f"Send {_sound_of(config)} while it is heard, or check with --mic-file FILE"
        case "stdin":
            arecord = f"arecord -t raw -f {_ALSA[config.width]} -r {config.rate} -c {config.channels}"
            return f"Pipe raw PCM into it (`{arecord} | hearth satellite check`), or check with --mic-file FILE"
        case "device" if runs:
            return f"{stop}. If it is not that: {usual}"
    return usual


def _sound_of(config: MicrophoneConfig) -> str:
    place = address.join(config.host, config.port) if config.port else "its port, which is 0: give it a number"
    if config.protocol == "wyoming":
        return f"Wyoming's audio events to {place}"
    channels = "1 channel" if config.channels == 1 else f"{config.channels} channels"
    return f"raw PCM ({config.rate} Hz, {8 * config.width} bit, {channels}) to {place}"
