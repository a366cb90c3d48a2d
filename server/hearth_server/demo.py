"""`hearth demo`: a server, a satellite and the demo home on loopback, and real recordings spoken into it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import click

from hearth_core.audio import read_recording
from hearth_core.cli import Invocation
from hearth_core.config import Config, SatelliteLinkConfig
from hearth_core.errors import PeerError

from .bundled import examples
from .demo_screen import Screen, open_screen
from .demo_script import Scene, judge, load_script
from .pipeline import Answer, Partial, Progress
from .server import Server, running_server

CHUNK_S = 0.032
BYTES_PER_S = 32_000
# The satellite starts a Python with onnx and a model or two; a Pi Zero takes several seconds for that.
SATELLITE_READY_S = 30.0
# From the last sample of a recording to its answer: end-pointing, recognition on a slow machine, action, chime.
ANSWER_S = 20.0


@click.command()
@click.option("--mic", is_flag=True, help="Use this machine's microphone and the wake word instead of the recordings.")
@click.option(
    "--speed", default=1.0, type=click.FloatRange(0.25, 16), help="Play the recordings faster than they were spoken."
)
@click.option("--picture", type=click.Path(path_type=Path), help="Save what was shown as a picture (SVG).")
@click.pass_obj
def demo(invocation: Invocation, mic: bool, speed: float, picture: Path | None) -> None:
    """Play real recordings through a satellite and a server into a demo home, and watch.

    The exit code is 0 only if every device ended in the state that the recordings ask for.
    """
    config = invocation.config()
    run = _listen_to_microphone(config) if mic else _play(config, speed, picture)
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(asyncio.run(run))


async def _play(config: Config, speed: float, picture: Path | None) -> int:
    folder = examples() / "recordings"
    scenes = load_script(folder)
    recordings = [await asyncio.to_thread(read_recording, folder / scene.file) for scene in scenes]
    screen = open_screen()
    async with _running(config, ["--stdin", "--wake", "none"], microphone=PIPE) as (server, satellite):
        answers: asyncio.Queue[Answer] = asyncio.Queue()

        def observe(progress: Progress) -> None:
            if isinstance(progress, Answer):
                answers.put_nowait(progress)
            else:
                screen.partial(progress.hypothesis.text)

        server.pipeline.observers.append(observe)
        right = 0
        with screen:
            for scene, pcm in zip(scenes, recordings, strict=True):
                right += await _play_one(scene, pcm, speed, satellite, answers, screen)
                await server.links[0].resting.wait()  # the answer is played; the satellite listens again
        screen.summary(right, len(scenes))
        if picture is not None:
            screen.save(picture)
    return 0 if right == len(scenes) else 1


async def _play_one(
    scene: Scene, pcm: bytes, speed: float, satellite: Process, answers: asyncio.Queue[Answer], screen: Screen
) -> bool:
    """Speak one recording into the satellite, then silence until it is answered; return whether it did what it says."""
    screen.begin(scene)
    while not answers.empty():  # an answer that came after its time must not be taken for this one's
        answers.get_nowait()
    speaking = asyncio.create_task(_speak(satellite, pcm, speed))
    try:
        answer = await asyncio.wait_for(answers.get(), len(pcm) / BYTES_PER_S / speed + ANSWER_S)
    except TimeoutError:
        screen.silent(scene)
        return scene.nothing and scene.answer is None
    finally:
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
    verdict = judge(scene, answer)
    screen.end(scene, answer, verdict)
    return verdict.right


async def _speak(satellite: Process, pcm: bytes, speed: float) -> None:
    """Write a recording at the pace at which it was spoken, and silence after it, as a microphone would."""
    assert satellite.stdin is not None
    size = int(CHUNK_S * BYTES_PER_S)
    clock = asyncio.get_running_loop().time
    start, position = clock(), 0
    while True:
        chunk = pcm[position : position + size]
        satellite.stdin.write(chunk.ljust(size, b"\0"))
        await satellite.stdin.drain()
        position += size
        await asyncio.sleep(max(0.0, start + position / BYTES_PER_S / speed - clock()))


async def _listen_to_microphone(config: Config) -> int:
    screen = open_screen()
    async with _running(config, ["--speaker", "device"], microphone=None) as (server, satellite):

        def observe(progress: Progress) -> None:
            if isinstance(progress, Partial):
                screen.partial(progress.hypothesis.text)
            else:
                screen.said(progress)

        server.pipeline.observers.append(observe)
        click.echo("Say “okay nabu”, then e.g. “turn on the kitchen lights”. Ctrl-C ends it.")
        with screen:
            return await satellite.wait()


@contextlib.asynccontextmanager
async def _running(config: Config, options: list[str], microphone: int | None) -> AsyncIterator[tuple[Server, Process]]:
    """Run a satellite as a process of its own, and a server that drives it."""
    barista = str(examples() / "barista" / "sentences")
    async with _satellite(options, microphone) as (satellite, uri):
        link = SatelliteLinkConfig(name="demo", uri=uri)
        update = {"port": 0, "satellites": (link,), "sentences": (*config.server.sentences, barista)}
        config = config.model_copy(update={"server": config.server.model_copy(update=update)})
        with tempfile.TemporaryDirectory() as folder:  # the demo home's timers are not the household's
            kept = config.schedule.model_copy(update={"file": str(Path(folder) / "schedule.db")})
            config = config.model_copy(update={"schedule": kept})
            async with running_server(config) as server:
                await asyncio.wait_for(server.links[0].connected.wait(), SATELLITE_READY_S)
                yield server, satellite


@contextlib.asynccontextmanager
async def _satellite(options: list[str], microphone: int | None) -> AsyncIterator[tuple[Process, str]]:
    command = [
        sys.executable,
        "-m",
        "hearth_satellite",
        "--name",
        "demo",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        *options,
    ]
    process = await asyncio.create_subprocess_exec(*command, stdin=microphone, stdout=PIPE)
    assert process.stdout is not None
    try:
        try:
            line = await asyncio.wait_for(process.stdout.readline(), SATELLITE_READY_S)
        except TimeoutError:
            line = b""
        found = re.search(r"tcp://\S+", line.decode("utf-8", "replace"))
        if found is None:
            raise PeerError(
                "the satellite did not start", remedy="Run `hearth satellite --wake none --stdin` to see why"
            )
        yield process, found[0]
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            process.kill()
            await process.wait()
