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


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server said, and whether it did what was asked."""

    text: str
    done: bool


async def ask_server(uri: str, text: str, area: str = "") -> Reply:
    """Send a command as text and return the reply.

    Raises:
        PeerError: no server there, or no answer in time.
    """
    connection = await connect(uri, timeout=CONNECT_S)
    try:
        await connection.write(Transcript(text, context={"area": area} if area else None).event())
        while (event := await connection.read(timeout=ANSWER_S)) is not None:
            if Handled.is_type(event.type):
                return Reply(parse(Handled, event).text or "", done=True)
            if NotHandled.is_type(event.type):
                return Reply(parse(NotHandled, event).text or "", done=False)
            if Error.is_type(event.type):
                return Reply(parse(Error, event).text, done=False)
        raise PeerError(f"the server at {uri} closed without an answer")
    finally:
        await connection.close()
