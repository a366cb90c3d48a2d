"""`hearth intents explain`: what came near to a text, and why the winner won."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.markup import escape

from hearth_core.command import Clause, Context, IntentMatch
from hearth_core.config import Config
from hearth_intents.near import Near, near
from hearth_intents.sound import Pair, nearest_names

from .intents_cli import echo_json
from .workbench import Wanted, Workbench, workbench


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a text means what it means.

    Attributes:
        text: what was said.
        winner: what it means, None for nothing.
        where: the author's file and line of the winner's template, or where else it comes from; empty if not known.
        reason: why the winner won, in words.
        nearest: templates, the nearest first.
        names: names that sound like words of the text, the nearest first.
    """

    text: str
    winner: IntentMatch | None
    where: str
    reason: str
    nearest: tuple[Near, ...]
    names: tuple[Pair, ...]


async def explain_text(config: Config, wanted: Wanted, text: str, area: str, limit: int, *, as_json: bool) -> int:
    """Print the explanation; return the exit code."""
    async with workbench(config, wanted) as bench:
        found = await asyncio.to_thread(explanation, bench, text, bench.context(area), limit)
    if as_json:
        winner = found.winner.intent if found.winner else None
        echo_json(
            {
                "text": found.text,
                "winner": winner,
                "where": found.where,
                "reason": found.reason,
                "nearest": [asdict(each) for each in found.nearest],
                "names": [asdict(each) for each in found.names],
            }
        )
    else:
        show(found)
    return 0 if found.winner else 1


def explanation(bench: Workbench, text: str, context: Context, limit: int) -> Explanation:
    """Return the explanation of a text."""
    matches = bench.matcher.match(text, context)
    nearest = near(bench.templates, text, limit)
    names = nearest_names(bench.home, bench.sentences.speech, text, limit)
    if not matches:
        heard = bench.matcher.nearest(text, context)
        if heard.matches:
            return Explanation(text, heard.matches[0], "", _why_near(heard), nearest, names)
        return Explanation(text, None, "", _why_not(nearest), nearest, names)
    where = next((each.where for each in nearest if each.intent == matches[0].intent and each.score == 1), "")
    return Explanation(text, matches[0], where, _why(matches, where, nearest), nearest, names)


def _why(matches: tuple[IntentMatch, ...], where: str, nearest: tuple[Near, ...]) -> str:
    match = matches[0]
    whole = {each.intent for each in nearest if each.score == 1}
    reasons = []
    if len(matches) > 1:
        reasons.append(f"{len(matches)} things fit it as well: it is asked which, or done to all")
    if len(whole - {match.intent}):
        others = ", ".join(sorted(whole - {match.intent}))
        if match.action is not None:
            reasons.append(f"an author's sentence goes before {others}")
        elif "name" in match.slots:
            reasons.append(f"a sentence that names a thing, the longest name first, goes before {others}")
        else:
            reasons.append(f"more of it is literal text than with {others}")
    if match.score < 1:
        reasons.append(f"with a score of {match.score:.2f}: a part is free text, or was not said to the letter")
    if not reasons:
        reasons.append("it is the only sentence that fits to the letter" if where else "it is what fits best")
    return "; ".join(reasons)


def _why_near(clause: Clause) -> str:
    reason = (
        f"it sounds like it, with a likelihood of {clause.matches[0].score:.2f}, though it is not said to the letter"
    )
    rivals = dict.fromkeys(
        f"{rival.intent} {', '.join(f'{name} = {slot.value}' for name, slot in rival.slots.items())}"
        for rival in clause.rivals
    )
    return f"{reason}; as near, so that it is asked which: {'; '.join(rivals)}" if rivals else reason


def _why_not(nearest: tuple[Near, ...]) -> str:
    if not nearest or nearest[0].score < 0.5:
        return "nothing comes near it"
    first = nearest[0]
    parts = []
    if first.missing:
        parts.append(f"lacks {' '.join(map(repr, first.missing))}")
    if first.extra:
        parts.append(f"has {' '.join(map(repr, first.extra))} too much")
    if not parts:
        return "a sentence fits to the letter, but not in this place: it needs a room, or names a thing elsewhere"
    return f"beside the nearest sentence it {' and '.join(parts)}"


def show(found: Explanation) -> None:
    """Print an explanation for people."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]{escape(found.text)}[/]")
    if found.winner is None:
        console.print(f"  [red]not understood[/]: {escape(found.reason)}")
    else:
        slots = ", ".join(f"{name} = {slot.value}" for name, slot in found.winner.slots.items())
        where = f"  [dim]{escape(found.where)}[/]" if found.where else ""
        console.print(f"  wins    [cyan]{found.winner.intent}[/]  {escape(slots)}{where}")
        console.print(f"  because {escape(found.reason)}")
    console.print("  templates that come near")
    for each in found.nearest:
        console.print(f"    {each.score:4.0%}  {escape(each.said)}  [dim]{each.intent} · {escape(each.where)}[/]")
        if each.missing:
            console.print(f"          missing  [yellow]{escape(' '.join(each.missing))}[/]")
        if each.extra:
            console.print(f"          too much [yellow]{escape(' '.join(each.extra))}[/]")
    if found.names:
        console.print("  names that come near")
    for pair in found.names:
        console.print(
            f"    {pair.likeness:4.0%}  {escape(pair.first)} ~ {escape(pair.second)}  [dim]{pair.second_id}[/]"
        )
