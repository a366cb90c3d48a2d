"""Commands for later: kept as words, understood anew and done when their time comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final

from hearth_core.command import Clause, Context, IntentMatch, Response, ResponseKind, When
from hearth_intents.matcher import Matcher
from hearth_intents.times import TimePhrase, read_time

from .book import Book
from .due import first_due
from .item import Item, Kind

MAX_COMMAND_CHARS: Final = 300


def delayed(clause: Clause, matcher: Matcher, context: Context) -> Clause:
    """Return a clause with the time that Home Assistant's own sentences say: "turn off the light in ten minutes".

    They are HassStartTimer with a command in it. What the command means is in the result, so that it is judged like any
    other; every other clause is returned as it is.
    """
    match = clause.matches[0] if clause.matches else None
    if match is None or match.intent != "HassStartTimer" or "conversation_command" not in match.slots:
        return clause
    seconds = 0.0
    said = []
    for slot, unit in (("hours", 3600), ("minutes", 60), ("seconds", 1)):
        if slot in match.slots:
            seconds += float(match.slots[slot].value) * unit
            said.append(f"{match.slots[slot].text} {slot}")
    text = str(match.slots["conversation_command"].text).strip()
    when = When(" ".join(said), context.now + timedelta(seconds=seconds)) if seconds else When(" ".join(said))
    return Clause(text, matcher.match(text, context), when=when)


class Commands:
    """Keeps, lists and cancels commands for later.

    Args:
        book: the items.
        not_understood: what is said to words without a meaning.
    """

    def __init__(self, book: Book, not_understood: Callable[[], Response]) -> None:
        self._book = book
        self._not_understood = not_understood
        self._handlers: Mapping[str, Callable[[IntentMatch, Context], Awaitable[Response]]] = {
            "HearthScheduleStatus": self._status,
            "HearthCancelScheduled": self._cancel,
            "HearthCancelAllScheduled": self._cancel_all,
        }

    def handles(self, intent: str) -> bool:
        """Return whether an intent is about commands for later."""
        return intent in self._handlers

    async def handle(self, match: IntentMatch, context: Context) -> Response:
        """Do what a sentence about them says."""
        return await self._handlers[match.intent](match, context)

    async def later(self, clause: Clause, context: Context) -> Response:
        """Keep a command for its time, which the clause must have, and say when it will be done.

        The words are kept, not what they mean now: they are understood again in the home as it is then, and whatever
        has to be confirmed is not done then but asked.

        Raises:
            StoreFullError, StoreBrokenError: it could not be kept.
        """
        texts = self._book.texts
        assert clause.when is not None
        if not clause.matches or len(clause.text) > MAX_COMMAND_CHARS:
            return self._not_understood()
        if clause.when.unclear:
            return Response(texts.say("when_command"), ResponseKind.QUESTION)
        phrase = self._read(clause.when, context)
        due = first_due(phrase, self._book)
        if due is None:
            return Response(texts.say("no_sun"), ResponseKind.FAILED)
        now = self._book.now()
        if due.timestamp() <= now:
            return Response(texts.say("past", text=clause.when.text), ResponseKind.QUESTION)
        item = await self._book.add(
            Item(
                Kind.COMMAND,
                due.timestamp(),
                now,
                command=clause.matches[0].text,
                satellite=context.satellite,
                area_id=context.area_id,
                language=context.language,
                elapsed=phrase.elapsed,
                every=phrase.every,
                minute=phrase.minute,
                sun=phrase.when.sun,
                offset_s=phrase.when.offset_s,
            )
        )
        return Response(texts.say("command_set", when=texts.when(item, now)), ResponseKind.DONE)

    def _read(self, when: When, context: Context) -> TimePhrase:
        """Return the time anew in the house's own zone, whose summer time a plain offset does not know."""
        phrase = read_time(when.text, context.language, self._book.local())
        if phrase is not None and not phrase.when.unclear:
            return phrase
        return TimePhrase(((0, 0),), when, context.language, elapsed=when.sun is None)

    async def _status(self, match: IntentMatch, context: Context) -> Response:
        texts, now = self._book.texts, self._book.now()
        commands = await self._book.items(Kind.COMMAND)
        if not commands:
            return Response(texts.say("command_none"), ResponseKind.ANSWER)
        listed = texts.listed([texts.part("command", command=c.command, when=texts.when(c, now)) for c in commands])
        return Response(texts.say("commands", list=listed), ResponseKind.ANSWER)

    async def _cancel(self, match: IntentMatch, context: Context) -> Response:
        """Cancel the last that was said here."""
        commands = await self._book.items(Kind.COMMAND)
        here = [c for c in commands if c.satellite == context.satellite is not None] or list(commands)
        if not here:
            return Response(self._book.texts.say("command_none"), ResponseKind.FAILED)
        last = max(here, key=lambda command: command.id)
        await self._book.remove(last)
        return Response(self._book.texts.say("command_cancelled", command=last.command), ResponseKind.DONE)

    async def _cancel_all(self, match: IntentMatch, context: Context) -> Response:
        commands = await self._book.items(Kind.COMMAND)
        for command in commands:
            await self._book.remove(command)
        if not commands:
            return Response(self._book.texts.say("command_none"), ResponseKind.FAILED)
        return Response(self._book.texts.say("commands_cancelled", count=len(commands)), ResponseKind.DONE)
