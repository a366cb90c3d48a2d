"""Asking a running server to do what a text says."""

from __future__ import annotations

from dataclasses import dataclass

from wyoming.asr import Transcript
from wyoming.error import Error
from wyoming.handle import Handled, NotHandled

from hearth_core.errors import PeerError
from hearth_core.wire import connect, parse

CONNECT_S = 2.0
# An action may take its own limit, once for every bus, before the server answers.
ANSWER_S = 30.0
# So that `hearth say yes` answers what the `hearth say` before it was asked.
CONVERSATION = "hearth say"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server said, and whether it did what was asked; a question is not done yet."""

    text: str
    done: bool


async def ask_server(uri: str, text: str, area: str = "") -> Reply:
    """Send a command as text and return the reply.

    Raises:
        PeerError: no server there, or no answer in time.
    """
    connection = await connect(uri, timeout=CONNECT_S)
    try:
        context = {"conversation_id": CONVERSATION} | ({"area": area} if area else {})
        await connection.write(Transcript(text, context=context).event())
        while (event := await connection.read(timeout=ANSWER_S)) is not None:
            if Handled.is_type(event.type):
                handled = parse(Handled, event)
                asked = isinstance(handled.context, dict) and bool(handled.context.get("continue_conversation"))
                return Reply(handled.text or "", done=not asked)
            if NotHandled.is_type(event.type):
                return Reply(parse(NotHandled, event).text or "", done=False)
            if Error.is_type(event.type):
                return Reply(parse(Error, event).text, done=False)
        raise PeerError(f"the server at {uri} closed without an answer")
    finally:
        await connection.close()
