"""Hearth among other programs on the broker: it tells what it heard, and does what it is told by text."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

from hearth_core.command import Context, ResponseKind
from hearth_core.config_mqtt import MqttConfig
from hearth_core.errors import InputError
from hearth_core.mqtt.broker import Broker
from hearth_core.mqtt.session import Incoming

from ..pipeline import Answer, Pipeline, Progress
from .announcement import announcements
from .own_topics import OwnTopics

log = logging.getLogger(__name__)

# A spoken command has some dozens of characters; JSON around it some more.
MAX_TEXT_CHARS = 500
MAX_PAYLOAD_BYTES = 4_096
# Commands that wait while one is done: a person sends one and looks; more than this is a loop somewhere.
MAX_WAITING = 16


@dataclass(frozen=True, slots=True)
class TextCommand:
    """A command that came as text.

    Attributes:
        text: what to do.
        area: name or id of the room that it comes from.
        satellite: who sends it.
        request_id: comes back with the answer.
    """

    text: str
    area: str = ""
    satellite: str | None = None
    request_id: str | None = None


def parse(payload: bytes) -> TextCommand:
    """Read a command: `turn on the light`, or `{"text": "turn on the light", "area": "kitchen", "id": "1"}`.

    Raises:
        InputError: it is too long, no text, or JSON of another form.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise InputError(f"the command has {len(payload)} bytes", remedy=f"{MAX_PAYLOAD_BYTES} is the most")
    try:
        text = payload.decode().strip()
    except UnicodeDecodeError:
        raise InputError("the command is not UTF-8 text") from None
    given: dict[str, object] = {"text": text}
    if text.startswith("{"):
        try:
            given = json.loads(text)
        except (ValueError, RecursionError):
            raise InputError("the command begins like JSON and is none") from None
    values: dict[str, str] = {}
    for key in ("text", "area", "satellite", "id"):
        value = given.get(key)
        if value is not None and not isinstance(value, str):
            raise InputError(f"{key} is not a text", remedy='Send e.g. {"text": "turn on the light"}')
        if value is not None:
            values[key] = value.strip()
    if not values.get("text"):
        raise InputError("the command has no text", remedy='Send e.g. {"text": "turn on the light"}')
    if max(map(len, values.values())) > MAX_TEXT_CHARS:
        raise InputError("the command is too long", remedy=f"{MAX_TEXT_CHARS} characters are the most")
    return TextCommand(values["text"], values.get("area", ""), values.get("satellite"), values.get("id"))


@contextlib.asynccontextmanager
async def exchanging(pipeline: Pipeline, broker: Broker, config: MqttConfig, language: str) -> AsyncIterator[None]:
    """Tell of every command, and take commands as text, until the block is left; as far as that is configured."""
    topics = OwnTopics.of(config)

    def observe(progress: Progress) -> None:
        if isinstance(progress, Answer):
            for message in announcements(progress, topics, hermes=config.hermes):
                broker.say(message.topic, message.payload)

    async with contextlib.AsyncExitStack() as stack:
        if config.publish_commands:
            pipeline.observers.append(observe)
            stack.callback(pipeline.observers.remove, observe)
        if config.text_commands:
            desk = _Desk(pipeline, broker, topics, language)
            stack.callback(broker.hear(topics.say, desk.receive, every=True))
            worker = asyncio.create_task(desk.run(), name="mqtt text commands")
            stack.push_async_callback(_ended, worker)
        yield


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class _Desk:
    """Commands that come as text, done one after the other."""

    def __init__(self, pipeline: Pipeline, broker: Broker, topics: OwnTopics, language: str) -> None:
        self._pipeline = pipeline
        self._broker = broker
        self._topics = topics
        self._language = language
        self._waiting: asyncio.Queue[TextCommand] = asyncio.Queue(MAX_WAITING)

    def receive(self, message: Incoming) -> None:
        """Take a command from the broker."""
        if message.retained:
            log.warning("a retained command on %s is not done: nobody says it now", message.topic)
            return
        try:
            self._waiting.put_nowait(parse(message.payload))
        except InputError as error:
            self._respond(None, str(error), ResponseKind.FAILED)
        except asyncio.QueueFull:
            self._respond(None, "Too many commands at once", ResponseKind.FAILED)

    async def run(self) -> None:
        """Do what comes, for ever."""
        while True:
            command = await self._waiting.get()
            area_id = self._pipeline.area_id(command.area) if command.area else None
            if command.area and area_id is None:
                self._respond(command, f"There is no area called {command.area}", ResponseKind.FAILED)
                continue
            # Not a satellite's own conversation: a "yes" on the broker answers what was asked on the broker.
            context = Context(
                language=self._language,
                satellite=command.satellite,
                area_id=area_id,
                conversation=f"mqtt:{command.satellite or ''}",
            )
            try:
                answer = await self._pipeline.answer_text(command.text, context)
            except Exception:  # a fault in one command must not end the topic for all that come
                log.exception("%s failed", context.command_id)
                self._respond(command, "Something went wrong", ResponseKind.FAILED, context.command_id)
            else:
                self._respond(command, answer.response.text, answer.response.kind, context.command_id)

    def _respond(
        self, command: TextCommand | None, response: str, kind: ResponseKind, command_id: str | None = None
    ) -> None:
        facts = {
            "id": command.request_id if command else None,
            "command_id": command_id,
            "text": command.text if command else None,
            "response": response,
            "kind": kind.value,
        }
        self._broker.say(self._topics.response, json.dumps(facts, ensure_ascii=False))
