"""`hearth home`: what the house looks like to Hearth."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

import click

from hearth_core.cli import Invocation
from hearth_core.config import Config
from hearth_core.home import Home
from hearth_intents.spoken import speech

from .asr.pocketsphinx import dictionary
from .asr.registry import engine_name
from .home_report import by_place, check_names, check_pronunciations, state_text
from .house import Change
from .server import SETTLE_S, running_house


@click.group()
def home() -> None:
    """Show, check and watch the home."""


@home.command()
@click.pass_obj
def show(invocation: Invocation) -> None:
    """Show floors, areas, entities, their states and how they are reached."""
    _run(_show(invocation.config()))


@home.command()
@click.pass_obj
def check(invocation: Invocation) -> None:
    """Tell which names cannot be said or told apart; the exit code is 1 if there are any."""
    _run(_check(invocation.config()))


@home.command()
@click.pass_obj
def watch(invocation: Invocation) -> None:
    """Print every change of a state or a name, until Ctrl-C."""
    _run(_watch(invocation.config()))


def _run(work: Coroutine[Any, Any, int]) -> None:
    code = asyncio.run(work)
    click.get_current_context().exit(code)


async def _show(config: Config) -> int:
    from rich.console import Console
    from rich.tree import Tree

    async with running_house(config, settle_s=SETTLE_S) as house:
        tree = Tree(f"[bold]Home[/] · {len(house.home.areas)} areas, {len(house.home.entities)} entities")
        for floor, areas in by_place(house.home):
            branch = tree.add(f"[bold]{floor}[/]")
            for area, entities in areas:
                room = branch.add(f"[cyan]{area}[/]")
                for entity in entities:
                    also = f" [dim]({', '.join(entity.aliases)})[/]" if entity.aliases else ""
                    buses = ", ".join(binding.bus for binding in entity.bindings)
                    state = f"[green]{state_text(entity.state)}[/]"
                    room.add(f"{entity.name}{also}  {state}  [dim]{entity.entity_id} · {buses}[/]")
        Console().print(tree, highlight=False)
    return 0


async def _check(config: Config) -> int:
    async with running_house(config, settle_s=SETTLE_S) as house:
        spoken = speech(config.language)
        remarks = check_names(house.home, spoken)
        # They know words by this dictionary.
        if engine_name(config.server, config.language) in ("micro", "pocketsphinx"):
            remarks += check_pronunciations(house.home, spoken, dictionary(), config.server.say_as)
        entities = len(house.home.entities)
    for remark in remarks:
        click.echo(f"{'error' if remark.error else 'note'}: {remark.message}. {remark.remedy}.")
    wrong = sum(remark.error for remark in remarks)
    click.echo(f"{entities} entities, {wrong} of their names to mend" if wrong else f"{entities} entities, all fine")
    return 1 if wrong else 0


async def _watch(config: Config) -> int:
    async with running_house(config, settle_s=0) as house:
        shown: list[Home] = [house.home]

        def tell(change: Change) -> None:
            before, shown[0] = shown[0], change.home
            if change.vocabulary:
                click.echo("names changed: " + _difference(before, change.home))
            for entity_id in sorted(change.entity_ids):
                entity = change.home.entities[entity_id]
                click.echo(f"{entity_id} ({entity.name}): {state_text(entity.state)}")

        house.subscribe(tell)
        click.echo(f"watching {len(house.home.entities)} entities; Ctrl-C ends it")
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
    return 0


def _difference(before: Home, after: Home) -> str:
    gone = before.entities.keys() - after.entities.keys()
    come = after.entities.keys() - before.entities.keys()
    renamed = [
        k for k in before.entities.keys() & after.entities.keys() if before.entities[k].names != after.entities[k].names
    ]
    parts = [f"+{k}" for k in sorted(come)] + [f"-{k}" for k in sorted(gone)]
    parts += [f"{k} is now {after.entities[k].name!r}" for k in sorted(renamed)]
    return ", ".join(parts) or "areas or capabilities"
