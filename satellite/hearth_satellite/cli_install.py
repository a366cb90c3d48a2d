"""`hearth satellite install` and `hearth satellite check`."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hearth_core.cli import Invocation
from hearth_core.config_wake import wake_named
from hearth_core.errors import HearthError, InputError

if TYPE_CHECKING:
    from hearth_core.config import SatelliteConfig

    from .check import Finding
    from .install import Wishes

_METER_S = 6.0
_SYSTEMCTL_S = 60.0

wake_option = click.option(
    "--wake",
    multiple=True,
    metavar="WORD|none|button",
    help="Wake word; again for another. none: any speech. button: only when a button or the driver starts it.",
)


@click.command()
@click.option("--name", help="What the satellite is called.")
@click.option("--area", help="The room that it stands in.")
@click.option("--microphone", metavar="DEVICE", help="Name or number of the sound device that hears.")
@click.option("--speaker", metavar="DEVICE", help="Name or number of the sound device that answers.")
@wake_option
@click.option("--host", default="0.0.0.0", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=10700, show_default=True, help="Port to listen on.")
@click.option("--tls", is_flag=True, help="Make a certificate, and speak TLS on port 10743 too.")
@click.option("--token", is_flag=True, help="Make a token that a driver has to know; Home Assistant knows none.")
@click.option("--user", "of_user", is_flag=True, help="A service of your own, not of the system.")
@click.option("--run-as", help="The user that the system's service runs as; default: you, before sudo.")
@click.option("--yes", is_flag=True, help="Ask nothing: what is not given has its default.")
@click.option("--force", is_flag=True, help="Replace what is there; the former files are kept.")
@click.option("--start", is_flag=True, help="Start it, now and at every boot.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
def install(
    *, name: str | None, area: str | None, microphone: str | None, speaker: str | None, wake: tuple[str, ...],
    host: str, port: int, tls: bool, token: bool, of_user: bool, run_as: str | None, yes: bool, force: bool,
    start: bool, dry_run: bool,
) -> None:  # fmt: skip
    """Make this machine a satellite: a configuration and a systemd unit."""
    from .install import UNIT, Wishes, configuration, look_ahead, places, unit, write

    if name == "":
        raise InputError("--name is empty", remedy="Give one, or leave the option out")
    config_path, unit_path = places(system=not of_user)
    if not dry_run:
        look_ahead(config_path, force=force)
    named = wake_named(wake or ("okay_nabu",))
    wishes = Wishes(
        name or os.uname().nodename or "hearth",
        area or "",
        microphone or "",
        speaker or "",
        tuple(word.model for word in named.get("words", ())),
        host,
        port,
        id=f"hearth-{secrets.token_hex(6)}",
        all_speech=named["engine"] == "none",
    )
    if not yes:
        given = {key for key, value in (("name", name), ("area", area)) if value is not None}
        wishes = _answered(wishes, given=given, choose_microphone=microphone is None)
    folder = config_path.parent
    if of_user:
        wishes = replace(wishes, socket=f"/run/user/{os.getuid()}/hearth/satellite.sock")  # systemd's own place for it
    if token:
        wishes = replace(wishes, token_file=str(folder / "token"))
    if tls:
        wishes = replace(wishes, cert_file=str(folder / "satellite.pem"), key_file=str(folder / "satellite.key"))
    user = None if of_user else run_as or os.environ.get("SUDO_USER") or "root"
    texts = ((config_path, configuration(wishes), 0o644), (unit_path, unit(config_path, user=user), 0o644))
    _check(texts[0][1])
    if dry_run:
        for path, text, _ in texts:
            click.echo(f"# {path}\n{text}")
        return
    for path, text, mode in texts:
        kept = write(path, text, mode=mode, force=force)
        click.echo(f"wrote {path}" + (f"; the former is {kept}" if kept else ""))
    _make_secrets(wishes, user)
    _start(UNIT, of_user=of_user, start=start)


def _check(text: str) -> None:
    """Make sure that the satellite will take its configuration.

    Raises:
        ConfigError, InputError: it has a mistake.
    """
    import tempfile

    from hearth_core.config import load

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "hearth.yaml"
        file.write_text(text, encoding="utf-8")
        load(file)


def _answered(wishes: Wishes, *, given: set[str], choose_microphone: bool) -> Wishes:
    """Ask; answers may come from a terminal or be written beforehand.

    Raises:
        InputError: there are none, as where a script runs it.
    """
    try:
        return _ask(wishes, given=given, choose_microphone=choose_microphone)
    except click.Abort as error:
        if sys.stdin.isatty():
            raise
        click.echo()
        raise InputError("nobody answered", remedy="Give --yes to be asked nothing") from error


def _ask(wishes: Wishes, *, given: set[str], choose_microphone: bool) -> Wishes:
    """Ask a person what was not given, with a level meter to choose the microphone by."""
    if "name" not in given:
        wishes = replace(wishes, name=click.prompt("Name of the satellite", default=wishes.name))
    if "area" not in given:
        wishes = replace(wishes, area=click.prompt("Room that it stands in", default="", show_default=False))
    while choose_microphone:
        from .device import describe_devices, load_sounddevice

        try:
            click.echo(describe_devices(load_sounddevice()))
            device = click.prompt("Microphone: number or name, empty for the default", default="", show_default=False)
            _show_meter(device)
        except HearthError as error:
            click.echo(f"That does not work: {error}")
            if not click.confirm("Choose another one?", default=True):
                break
            continue
        if click.confirm("Is this the one?", default=True):
            wishes = replace(wishes, microphone=device)
            break
    return wishes


def _show_meter(device: str) -> None:
    from rich.console import Console

    from hearth_core.audio import SPEECH
    from hearth_core.errors import AudioError

    from .meter import show_level
    from .microphone import DeviceMicrophone

    click.echo(f"Speak for {_METER_S:g} seconds:")
    try:
        loudest = asyncio.run(show_level(DeviceMicrophone(device, SPEECH), Console(), _METER_S))
    except TimeoutError as error:
        raise AudioError("the device delivers nothing", remedy="Choose another one") from error
    click.echo(f"The loudest was {loudest:.0f} dBFS; speech should be at -40 to -15.")


def _make_secrets(wishes: Wishes, user: str | None) -> None:
    from hearth_core.trust import make_certificate, token_in

    made: list[str] = []
    if wishes.token_file:
        token_in(Path(wishes.token_file), make=True)
        click.echo(f"the token is in {wishes.token_file}: copy it to the server")
        made.append(wishes.token_file)
    if wishes.cert_file:
        fingerprint = make_certificate(Path(wishes.cert_file), Path(wishes.key_file), wishes.name)
        click.echo(f"fingerprint of the certificate, for the server's configuration: {fingerprint}")
        made += [wishes.cert_file, wishes.key_file]
    if user is not None and os.geteuid() == 0:
        for path in made:
            shutil.chown(path, user)


def _start(unit: str, *, of_user: bool, start: bool) -> None:
    scope = ["--user"] if of_user else []
    commands = [["systemctl", *scope, "daemon-reload"], ["systemctl", *scope, "enable", "--now", unit]]
    if not start:
        click.echo("start it with:\n  " + "\n  ".join(" ".join(command) for command in commands))
        return
    for command in commands:
        try:
            subprocess.run(command, check=True, timeout=_SYSTEMCTL_S)  # noqa: S603 - fixed words
        except (OSError, subprocess.SubprocessError) as error:
            raise InputError(f"{' '.join(command)} failed: {error}", remedy=f"journalctl -u {unit} says why") from error


@click.command()
@click.option("--seconds", type=click.FloatRange(1, 60), default=5.0, show_default=True, help="How long to listen.")
@click.option("--mic-file", type=click.Path(path_type=Path), metavar="FILE", help="Hear this recording instead.")
@click.option("--speaker", metavar="device|none|NAME|FILE.wav", help="Where to play the chime.")
@click.option("--server", metavar="tcp://HOST:PORT", help="A server to look for.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def check(
    invocation: Invocation | None, /, *, seconds: float, mic_file: Path | None, speaker: str | None,
    server: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Try microphone, speaker, wake word and server out; exit with 1 if one does not work."""
    from .check import failed
    from .check_own import invitation
    from .cli import Choices, configured
    from .ears import trigger_of

    choices = Choices(mic_files=(mic_file,) if mic_file else (), speaker=speaker, realtime=mic_file is None)
    config = configured((invocation or Invocation()).config().satellite, choices)
    if not as_json and mic_file is None:
        click.echo(invitation(config.microphone, seconds, trigger_of(config.wake)))
    findings = asyncio.run(_check_all(config, choices, seconds, server))
    if as_json:
        click.echo(json.dumps({"ok": not failed(findings), "findings": [asdict(finding) for finding in findings]}))
    else:
        for finding in findings:
            click.echo(f"{finding.verdict.upper():8} {finding.what}: {finding.says}")
            if finding.remedy:
                click.echo(f"{'':8} {finding.remedy}.")
    return 1 if failed(findings) else 0


async def _check_all(config: SatelliteConfig, choices: object, seconds: float, server: str | None) -> list[Finding]:
    from . import check, check_own
    from .cli import Choices, build_speaker
    from .ears import build_microphone, build_wake

    assert isinstance(choices, Choices)
    # Before the microphone: a satellite that runs may have taken it.
    driver = await check_own.check_own(config) if server is None else None
    pcm, heard = await check.check_microphone(build_microphone(config, lambda: True, files=choices.mic_files), seconds)
    runs = driver is not None and check_own.runs(driver)
    findings = check_own.explained(heard, config.microphone, runs=runs)
    findings.append(await check.check_speaker(build_speaker(config)))
    make = lambda: build_wake(config.wake)  # noqa: E731
    findings.append(await asyncio.to_thread(check.check_wake, make, pcm, config.control))
    findings.append(driver or await check.check_server(server or ""))
    return findings
