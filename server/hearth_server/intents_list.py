"""`hearth intents sample` and `hearth intents coverage`."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from random import Random

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hearth_core.config import Config
from hearth_core.errors import InputError
from hearth_intents.coverage import Coverage, coverage, intents_of_languages
from hearth_intents.home_sentences import HomeTemplate

from .intents_cli import echo_json
from .workbench import Wanted, Workbench, workbench


async def sample_sentences(
    config: Config, wanted: Wanted, intent: str | None, count: int, seed: int, *, own: bool, as_json: bool
) -> int:
    """Print sentences that can be said; return the exit code.

    Raises:
        InputError: there is no such intent, or nothing of it can be said.
    """
    async with workbench(config, wanted) as bench:
        found = await asyncio.to_thread(_samples, bench, intent, count, seed, own=own)
    if as_json:
        echo_json([{"text": text, "intent": template.intent, "where": template.where} for text, template in found])
    else:
        console = Console(highlight=False, soft_wrap=True)
        for text, template in found:
            console.print(f"{escape(text)}  [dim]{template.intent}[/]")
    return 0


def _samples(
    bench: Workbench, intent: str | None, count: int, seed: int, *, own: bool
) -> list[tuple[str, HomeTemplate]]:
    templates = [t for t in bench.templates.templates if t.intent == intent or intent is None]
    if intent is not None and not templates:
        known = ", ".join(sorted({each.intent for each in bench.templates.templates}))
        raise InputError(f"there is no intent {intent}", remedy=f"There are {known}")
    sayable = [t for t in templates if t.node and (t.authors or not own)]
    if not sayable:
        raise InputError("none of these sentences can be said in this home", remedy="Check --folder and --home")
    rng = Random(seed)  # noqa: S311 - the same seed gives the same sentences
    picked = [rng.choice(sayable) for _ in range(count)]
    return [(" ".join(bench.templates.sample(template.node, rng)), template) for template in picked]


async def show_coverage(config: Config, wanted: Wanted, *, as_json: bool) -> int:
    """Print what the sentences reach; return the exit code."""
    async with workbench(config, wanted) as bench:
        found = await asyncio.to_thread(coverage, bench.sentences, bench.home)
        home = bench.home
    if as_json:
        echo_json(asdict(found) | {"unnamed": found.unnamed})
        return 1 if found.unnamed else 0
    console = Console(highlight=False, soft_wrap=True)
    for entity_id, intents in found.things.items():
        reached = f"[dim]{', '.join(intents)}[/]" if intents else "[red]no sentence can name it[/]"
        console.print(f"{escape(home.entities[entity_id].name)}  [dim]{entity_id}[/]  {reached}")
    for place, intents in found.places.items():
        area = home.areas.get(place) or home.floors[place]
        reached = f"[dim]{', '.join(intents)}[/]" if intents else "[yellow]no sentence can name it[/]"
        console.print(f"{escape(area.name)}  [dim]{place}[/]  {reached}")
    _show_intents(console, found)
    return 1 if found.unnamed else 0


def _show_intents(console: Console, found: Coverage) -> None:
    told = ", ".join(f"{name} {count}" for name, count in found.intents.items())
    console.print(f"[bold]intents[/] and their templates that can be said here: {told}")
    if found.silent:
        console.print(f"[bold]nothing[/] can be said here of {', '.join(found.silent)}")
    reached = len(found.things) - len(found.unnamed)
    console.print(f"{reached} of {len(found.things)} things can be named, {len(found.intents)} intents can be said")


def show_languages(*, as_json: bool) -> int:
    """Print how many intents each language has sentences for; return the exit code."""
    rows = list(intents_of_languages())
    if as_json:
        echo_json([{"language": code, "intents": count, "templates": size} for code, count, size in rows])
        return 0
    table = Table("language", "intents", "templates")
    for code, count, size in sorted(rows, key=lambda row: (-row[1], row[0])):
        table.add_row(code, str(count), str(size))
    Console().print(table)
    click.echo(f"{len(rows)} languages")
    return 0
