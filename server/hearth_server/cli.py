"""`hearth server`, `hearth say` and `hearth transcribe`."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import click

from hearth_core.audio import read_recording
from hearth_core.cli import Invocation
from hearth_core.command import Context, ResponseKind, Transcription
from hearth_core.config import Config
from hearth_core.errors import InputError, PeerError

from .server import running_pipeline, running_server


@click.group(invoke_without_command=True)
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
@click.option("--engine", help="Recogniser: micro, pocketsphinx or whisper.")
@click.pass_context
def server(ctx: click.Context, host: str | None, port: int | None, engine: str | None) -> None:
    """Run the server: speech-to-text and commands on a Wyoming port, and the configured satellites."""
    if ctx.invoked_subcommand is not None:
        return
    invocation: Invocation = ctx.obj
    config = _with(invocation.config(), host=host, port=port, engine=engine)
    asyncio.run(_serve(config))


@server.command()
@click.option("--list", "listing", is_flag=True, help="Show who is paired, and no code.")
@click.option("--remove", metavar="NAME", help="Take a pairing back: its name or the beginning of its id.")
@click.pass_obj
def pair(invocation: Invocation, listing: bool, remove: str | None) -> None:
    """Show a code that pairs a Home Assistant with the server of this machine and user."""
    from .companion.pairing import Pairing

    pairing = Pairing(invocation.config().server.companion.folder)
    if remove is not None:
        found = [p for p in pairing.paired() if p.name == remove or p.pairing_id.startswith(remove)]
        if len(found) != 1:
            raise InputError(f"{remove!r} names {len(found)} pairings", remedy="See `hearth server pair --list`")
        pairing.revoke(found[0].pairing_id)
        click.echo(f"{found[0].name} is not paired any more")
    elif listing:
        for paired in pairing.paired():
            since = datetime.fromtimestamp(paired.since).astimezone().strftime("%Y-%m-%d %H:%M")
            click.echo(f"{paired.pairing_id}  {since}  {paired.name}")
    else:
        code, valid_s = pairing.offer()
        click.echo(f"{code[:3]} {code[3:]}")
        click.echo(f"Valid for {valid_s / 60:.0f} minutes: give it to Home Assistant's integration Hearth.", err=True)


async def _serve(config: Config) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running_server(config, _show_code) as running:
        # A line for people and programs alike: with port 0 it is the only way to learn the port.
        click.echo(f"listening on tcp://{running.listener.host}:{running.listener.port}")
        await stop.wait()


def _show_code(code: str, minutes: int) -> None:
    click.echo(f"To pair Home Assistant give it the code {code[:3]} {code[3:]}, valid for {minutes} minutes", err=True)


@click.command()
@click.argument("text", nargs=-1, required=True)
@click.option("--area", default="", help="The room in which it is said.")
@click.option(
    "--server", "uri", help="A running server, e.g. tcp://127.0.0.1:10300; default: the configured one if it runs."
)
@click.pass_obj
def say(invocation: Invocation, text: tuple[str, ...], area: str, uri: str | None) -> None:
    """Do what a text says, as if it had been spoken.

    The running server does it; if none runs, the demo home of this process does. The exit code is 0 if it was done,
    1 if it was not understood or could not be done.
    """
    sys.exit(asyncio.run(_say(invocation.config(), " ".join(text), area, uri)))


async def _say(config: Config, text: str, area: str, uri: str | None) -> int:
    from .ask import ask_server

    address = uri or f"tcp://{config.server.host}:{config.server.port}"
    try:
        reply = await ask_server(address, text, area)
    except PeerError:
        if uri is not None:
            raise
        click.echo(f"No server runs at {address}: said to a demo home of its own.", err=True)
        async with running_pipeline(config) as pipeline:
            answer = await pipeline.answer_text(text, Context(language=config.language, area_id=pipeline.area_id(area)))
        from .demo_script import changes

        for change in changes(answer.before, answer.after).values():
            click.echo(change, err=True)
        click.echo(answer.response.text)
        return 0 if answer.response.kind in (ResponseKind.DONE, ResponseKind.ANSWER) else 1
    click.echo(reply.text)
    return 0 if reply.done else 1


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--engine", help="Recogniser: micro, pocketsphinx or whisper.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with confidence and other readings.")
@click.pass_obj
def transcribe(invocation: Invocation, files: tuple[Path, ...], engine: str | None, as_json: bool) -> None:
    """Print what is said in recordings (WAV, FLAC, Ogg), one command each, against the home's grammar."""
    config = _with(invocation.config(), engine=engine)
    recordings = [(file, read_recording(file)) for file in files]
    asyncio.run(_transcribe(config, recordings, as_json))


async def _transcribe(config: Config, recordings: list[tuple[Path, bytes]], as_json: bool) -> None:
    async with running_pipeline(config) as pipeline:
        for file, pcm in recordings:
            heard = await pipeline.listen(_chunks(pcm), Context(language=config.language))
            if as_json:
                click.echo(json.dumps(_facts(file, heard)))
            elif len(recordings) == 1:
                click.echo(heard.text)
            else:
                click.echo(f"{file}: {heard.text}")


def _facts(file: Path, heard: Transcription) -> dict[str, object]:
    return {
        "file": str(file),
        "text": heard.text,
        "confidence": heard.confidence,
        "hypotheses": [{"text": h.text, "confidence": h.confidence} for h in heard.hypotheses],
        "end": str(heard.end),
        "engine": heard.engine,
        "audio_seconds": round(heard.audio_seconds, 2),
    }


async def _chunks(pcm: bytes, size: int = 1024) -> AsyncIterator[bytes]:
    for start in range(0, len(pcm), size):
        yield pcm[start : start + size]


def _with(config: Config, **options: str | int | None) -> Config:
    """Return the configuration with the options that were given."""
    given = {key: value for key, value in options.items() if value is not None}
    return config.model_copy(update={"server": config.server.model_copy(update=given)})
