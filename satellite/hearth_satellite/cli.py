"""`hearth satellite`."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hearth_core.cli import Invocation
from hearth_core.config_wake import wake_named
from hearth_core.errors import InputError

from .cli_install import check, install, wake_option

if TYPE_CHECKING:
    from hearth_core.config import SatelliteConfig, SecurityConfig

    from .control import WakeChoice
    from .microphone import Microphone
    from .near_miss import NearMiss
    from .satellite import Doors, Satellite
    from .speaker import Speaker
    from .wake import WakeWord


@dataclass(frozen=True, slots=True)
class Choices:
    """What the command line says beyond the configuration; None or empty leaves the configuration's value."""

    name: str | None = None
    area: str | None = None
    host: str | None = None
    port: int | None = None
    mic_files: tuple[Path, ...] = ()
    stdin: bool = False
    wake: tuple[str, ...] = ()
    speaker: str | None = None
    realtime: bool = True
    once: bool = False
    wake_chime: bool = False


@click.group(name="satellite", invoke_without_command=True)
@click.option("--name", help="What the satellite is called.")
@click.option("--area", help="The room that it stands in.")
@click.option("--host", help="Address to listen on; 0.0.0.0 lets the network in.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
@click.option(
    "--mic-file",
    "mic_files",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Hear this recording instead of a microphone; again for the next one.",
)
@click.option("--stdin", is_flag=True, help="Hear raw PCM from standard input, 16 kHz s16le mono if not configured.")
@wake_option
@click.option("--wake-chime", is_flag=True, help="Chime at the wake word; what is said meanwhile is lost.")
@click.option("--once", is_flag=True, help="End when the recordings, or standard input, have ended and are answered.")
@click.option("--no-realtime", is_flag=True, help="Hear recordings as fast as they can be taken.")
@click.option(
    "--speaker",
    metavar="device|none|NAME|FILE.wav",
    help="Where to answer; with --mic-file or --stdin nowhere, if not given.",
)
@click.pass_obj
def satellite(
    invocation: Invocation | None, /, *, no_realtime: bool, **options: str | int | bool | tuple[str, ...] | None
) -> None:
    """Run a satellite: microphone, wake word, answer.

    It waits for a driver, such as `hearth server` or Home Assistant, and says on standard output where.
    """
    if click.get_current_context().invoked_subcommand is not None:
        return
    choices = Choices(realtime=not no_realtime, **options)  # type: ignore[arg-type]
    config = configured((invocation or Invocation()).config().satellite, choices)
    if choices.once and config.microphone.source == "device":
        raise InputError("--once needs a microphone that ends", remedy="Give --mic-file or --stdin as well")
    while True:
        running, microphone = build(config, choices)
        asyncio.run(_run(running, microphone))
        if not running.control.restart_wanted.is_set():
            return


satellite.add_command(install)
satellite.add_command(check)


def configured(config: SatelliteConfig, choices: Choices) -> SatelliteConfig:
    """Return the configuration with the command line's choices in it.

    Raises:
        InputError: choices that exclude each other.
    """
    if choices.mic_files and choices.stdin:
        raise InputError("--mic-file and --stdin exclude each other", remedy="Give one of them")
    for option in ("name", "host"):
        if getattr(choices, option) == "":
            raise InputError(f"--{option} is empty", remedy="Give one, or leave the option out")
    own = {key: value for key in ("name", "area", "host", "port") if (value := getattr(choices, key)) is not None}
    microphone: dict[str, object] = {"realtime": config.microphone.realtime and choices.realtime}
    if choices.mic_files:
        microphone |= {"source": "file", "file": str(choices.mic_files[0])}
    elif choices.stdin:
        microphone |= {"source": "stdin"}
    wake = wake_named(choices.wake) if choices.wake else {}
    if choices.wake_chime:
        wake["chime"] = True
    return config.model_copy(
        update={
            **own,
            "microphone": config.microphone.model_copy(update=microphone),
            "speaker": config.speaker.model_copy(update=_speaker(choices)),
            "wake": config.wake.model_copy(update=wake),
        }
    )


def _speaker(choices: Choices) -> dict[str, object]:
    match choices.speaker:
        case None:
            # Recordings are for demos and tests, mostly on machines that have no sound device.
            return {"sink": "none"} if choices.mic_files or choices.stdin else {}
        case "none" | "device":
            return {"sink": choices.speaker}
        case path if path.lower().endswith(".wav"):
            return {"sink": "file", "file": path}
        case device:
            return {"sink": "device", "device": device}


def build(config: SatelliteConfig, choices: Choices) -> tuple[Satellite, Microphone]:
    """Return the satellite of a configuration and its microphone; neither has opened anything yet.

    Raises:
        ConfigError: an unknown wake word.
        EngineError: the wake word's or the VAD's package is missing.
    """
    from hearth_core.speech import Endpointer, SileroDetector

    from . import front_end
    from .attached import attached
    from .button import NoWakeWord, tell
    from .ears import build_microphone, build_wake
    from .events import Identity
    from .memory import Memory
    from .news import Happening, News
    from .not_connected import load_spoken
    from .satellite import Options, Satellite
    from .session import Manners, TimeLimits

    news = News()

    def nearly(miss: NearMiss) -> None:
        score = round(miss.score, 3)
        news.tell(Happening.NEAR_MISS, wake_word=miss.wake_word, score=score, threshold=miss.threshold)

    vad = config.vad.settings()
    control = config.control
    wake = build_wake(config.wake, on_near_miss=nearly)
    if isinstance(wake, NoWakeWord):
        tell(wake, control)
    options = Options(
        host=config.host,
        port=config.port,
        once=choices.once,
        manners=Manners(
            wake_chime=config.wake.chime,
            barge_in=control.barge_in,
            stop_words=frozenset(control.stop_words),
            ring_s=control.ring_s,
            verify=config.wake.verify,
            not_connected=load_spoken(control.not_connected, [word.language for word in config.wake.words], os.environ),
        ),
        doors=_doors(control.security),
        wake=_wake_choice(config, nearly),
        memory=Memory(_memory_path(config)),
        mute=control.mute,
        volume=control.volume,
        live=config.microphone.source == "device",
        limits=TimeLimits(streaming_s=vad.max_s + 5.0),
    )
    front = front_end.build(config.front_end)
    running = Satellite(
        Identity(config.name, config.area or None),
        wake,
        Endpointer(vad, SileroDetector()),
        front.plays(build_speaker(config)),
        options,
        attach=lambda satellite, listening: attached(control, satellite, listening),
        news=news,
    )
    session = running.session
    microphone = build_microphone(
        config,
        session.ready,
        heeds=session.heeds,
        started=session.started,
        files=choices.mic_files,
        on_health=running.on_microphone,
    )
    return running, front.hears(microphone)


def token_of(security: SecurityConfig) -> str | None:
    """Return the token that drivers have to say, None if there is none.

    Raises:
        ConfigError: its file cannot be used.
    """
    from hearth_core.trust import token_in

    if security.token_file:
        return token_in(Path(security.token_file))
    return security.token.get_secret_value() if security.token else None


def _doors(security: SecurityConfig) -> Doors:
    from hearth_core.trust import server_context

    from .satellite import Doors

    token = token_of(security)
    tls = server_context(Path(security.cert_file), Path(security.key_file)) if security.cert_file else None
    return Doors(token, tls, security.tls_port, security.plain)


def _wake_choice(config: SatelliteConfig, nearly: Callable[[NearMiss], None]) -> WakeChoice:
    """Return what wake words can be chosen while the satellite runs."""
    from hearth_core.config_wake import WakeWordConfig

    from .control import WakeChoice
    from .ears import build_wake, name_of, trigger_of
    from .wake_micro import MICRO_WORDS, installed
    from .wake_word import Trigger

    wake = config.wake
    if trigger_of(wake) is not Trigger.WAKE_WORD:
        return WakeChoice()

    named = {name_of(entry): entry for entry in wake.words}

    def make(words: Sequence[str], sensitivity: float) -> WakeWord:
        # What people set while it runs is for all words, and stands above what the configuration says of one.
        entries = [named.get(word, WakeWordConfig(model=word)) for word in words]
        chosen = tuple(entry.model_copy(update={"sensitivity": None, "threshold": None}) for entry in entries)
        changed = wake.model_copy(update={"words": chosen, "sensitivity": sensitivity})
        return build_wake(changed, on_near_miss=nearly)

    available = tuple(dict.fromkeys((*named, *(MICRO_WORDS if installed() else ()))))
    return WakeChoice(tuple(named), available, 0.5 if wake.sensitivity is None else wake.sensitivity, make)


def _memory_path(config: SatelliteConfig) -> Path | None:
    from .memory import usual_place

    if config.control.state_file:
        return Path(config.control.state_file)
    # A recording is for a demo or a test: what is set in one is not for the next.
    return usual_place() if config.microphone.source == "device" else None


def build_speaker(config: SatelliteConfig) -> Speaker:
    """Return where answers are heard."""
    from .speaker import DeviceSpeaker, FileSpeaker, NullSpeaker

    match config.speaker.sink:
        case "none":
            return NullSpeaker()
        case "file":
            return FileSpeaker(Path(config.speaker.file))
        case "device":
            return DeviceSpeaker(config.speaker.device)


async def _run(running: Satellite, microphone: Microphone) -> None:
    from hearth_core import address

    def say(host: str, port: int) -> None:
        click.echo(f"listening on tcp://{address.join(host, port)}")

    task = asyncio.ensure_future(running.run(microphone, say))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
