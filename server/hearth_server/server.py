"""The running server: it only wires the parts together and gives each task an owner."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hearth_core.announce import WYOMING, announced
from hearth_core.command import Context, Response
from hearth_core.config import Config
from hearth_core.settings import ServerConfig
from hearth_core.stable_id import is_loopback, stable_id
from hearth_core.wire import Connection, Listener, serve
from hearth_intents.sentence_folders import SentenceFolders

from .arbitration import Arbitration, Rules
from .asr.engine import Recogniser
from .asr.registry import load_engine
from .buses import Buses, configured_buses
from .companion.serving import listening_secured, make_companion, sentence_folder, serving_companion, tell_code
from .companion.session import Session
from .dialogue import TalkSettings
from .handler import Client
from .hearing import Ear
from .house import House
from .pin import pin_gate
from .pipeline import Pipeline, PipelineSettings
from .policy import rules
from .renewal import keep_understanding
from .satellite_control import Trust
from .satellites import SatelliteLink
from .schedule.bell import SatelliteBell
from .schedule.clock import Clock
from .schedule.schedule import Schedule, open_schedule
from .sentence_watch import tell_problems
from .understanding import understand_home
from .voice import choose_voice

log = logging.getLogger(__name__)

# A bus that is there has told its part by then; one that is not is awaited while the server runs.
SETTLE_S = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Server:
    """What a running server consists of."""

    pipeline: Pipeline
    listener: Listener
    links: tuple[SatelliteLink, ...]


@contextlib.asynccontextmanager
async def running_house(config: Config, buses: Buses | None = None, *, settle_s: float = 0.0) -> AsyncIterator[House]:
    """Run the buses that are configured.

    Args:
        config: says which.
        buses: made from it already, None if not.
        settle_s: how long to wait for buses that are not yet connected, before the house is given out.

    Raises:
        ConfigError: a bus can never work as configured.
    """
    house = House((buses or configured_buses(config.home)).buses)
    await house.start()
    try:
        await house.settled(settle_s)
        yield house
    finally:
        await house.stop()


def _load(config: ServerConfig, language: str) -> Recogniser:
    if not config.processes:
        return load_engine(config, language)
    from .listening_processes import EngineProcesses

    return EngineProcesses(config.processes, config, language)


@contextlib.asynccontextmanager
async def running_pipeline(
    config: Config, buses: Buses | None = None, *, folders: Sequence[Path] = ()
) -> AsyncIterator[Pipeline]:
    """Run the house and everything that understands it, without a socket.

    Args:
        config: says which.
        buses: made from it already, None if not.
        folders: with sentence files, beside those that are configured.

    Raises:
        ConfigError, EngineError, SentenceError: what is configured cannot be had.
    """
    async with running_house(config, buses, settle_s=SETTLE_S) as house, contextlib.AsyncExitStack() as stack:
        where = [*(Path(folder) for folder in config.server.sentences), *folders]
        sentence_folders = SentenceFolders(config.language, where)
        sentences = await asyncio.to_thread(sentence_folders.load)
        tell_problems(sentence_folders)
        engine = await asyncio.to_thread(_load, config.server, config.language)
        stack.callback(engine.close)
        gate = pin_gate(config.policy)
        home = house.home  # what changes from here on is news to `keep_understanding`
        understanding = await asyncio.to_thread(understand_home, sentences, home, pin_digits=gate.digits)
        await asyncio.to_thread(engine.use, understanding.grammar)
        talk = TalkSettings(rules(config.policy), gate, config.conversation.reply_s, config.conversation.followup_s)
        settings = PipelineSettings(config.server.utterance.settings(), config.server.action_timeout_s, talk)
        pipeline = Pipeline(engine, house, understanding, settings)
        _own(stack, keep_understanding(pipeline, sentence_folders, home))
        yield pipeline


@contextlib.asynccontextmanager
async def running_server(config: Config, show_code: Callable[[str, int], object] = tell_code) -> AsyncIterator[Server]:
    """Run a server until the block is left: the pipeline, the Wyoming port and the links to the satellites.

    Args:
        config: says which.
        show_code: brings a pairing code and its minutes before the owner's eyes.
    """
    settings = config.server
    companion = make_companion(settings.companion, config.language, show_code)
    buses = configured_buses(config.home, serving=True, companion=companion)
    folders = [sentence_folder(companion)] if companion else []
    async with running_pipeline(config, buses, folders=folders) as pipeline, contextlib.AsyncExitStack() as stack:
        if buses.broker is not None and config.home.mqtt is not None:
            from .mqtt.exchange import exchanging

            await stack.enter_async_context(exchanging(pipeline, buses.broker, config.home.mqtt, config.language))

        # Who comes before the secured port is known would be told that there is none.
        settled = asyncio.Event()

        def speaking(*, secured: bool) -> Callable[[Connection], Awaitable[None]]:
            async def on_connection(connection: Connection) -> None:
                await settled.wait()
                guest = Session(companion, connection, pipeline, secured=secured) if companion else None
                await Client(connection, pipeline, config.language, guest).run()

            return on_connection

        most = settings.max_connections
        listener = await serve(settings.host, settings.port, speaking(secured=False), max_connections=most)
        async with listener:
            try:
                if companion is not None:
                    await stack.enter_async_context(
                        listening_secured(companion, settings.companion, listener, speaking(secured=True), most)
                    )
            finally:
                settled.set()
            if settings.announce and not is_loopback(listener.host):
                server_id = stable_id("server", listener.port)
                facts = {"hearth": "server"}
                await stack.enter_async_context(announced(WYOMING, server_id, listener.port, facts, host=listener.host))
            voice = choose_voice(settings.speak, config.language)
            arbitration = Arbitration(pipeline, Rules.of(settings.rooms))
            stack.push_async_callback(arbitration.close)
            links: list[SatelliteLink] = []
            await stack.enter_async_context(running_schedule(config, pipeline, lambda: links))
            for satellite in settings.satellites:
                if satellite.area and pipeline.area_id(satellite.area) is None:
                    log.warning(
                        "satellite %s: the home has no area %r; name one that it has", satellite.name, satellite.area
                    )
                link = SatelliteLink(
                    satellite.name,
                    satellite.uri,
                    satellite.area,
                    pipeline,
                    voice,
                    language=config.language,
                    trust=Trust.of(satellite.security),
                    arbitration=arbitration,
                    ear=Ear(satellite.name, satellite.group, satellite.gain_db),
                )
                _own(stack, link.run())
                links.append(link)
            if companion is not None:
                companion.policies.subscribe(lambda found: pipeline.dialogue.guard(rules(config.policy, found)))
                await stack.enter_async_context(serving_companion(companion, pipeline, links, listener, settings))
            yield Server(pipeline, listener, tuple(links))


@contextlib.asynccontextmanager
async def running_schedule(
    config: Config, pipeline: Pipeline, links: Callable[[], Sequence[SatelliteLink]], clock: Clock | None = None
) -> AsyncIterator[Schedule]:
    """Run timers, alarms and commands for later, and let the pipeline put them there.

    Raises:
        ConfigError: their file cannot be used.
    """

    async def do(text: str, context: Context) -> Response:
        return (await pipeline.answer_text(text, context)).response

    opened = open_schedule(
        config.schedule,
        config.language,
        SatelliteBell(links),
        do,
        lambda: pipeline.house.home,
        lambda: pipeline.understanding,
        clock,
    )
    async with opened as schedule, contextlib.AsyncExitStack() as stack:
        pipeline.schedule = schedule
        stack.callback(setattr, pipeline, "schedule", None)
        _own(stack, schedule.runner.run())
        yield schedule


def _own(stack: contextlib.AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    """Run work as a task that ends with the stack."""
    task = asyncio.create_task(work)

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(end)
