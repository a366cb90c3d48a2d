"""`hearth schedule`: show and cancel what is kept for later. Works beside a running server, which notices."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import click

from hearth_core.cli import Invocation
from hearth_core.config import Config
from hearth_core.errors import InputError

from .clock import zone_of
from .item import Item, State
from .store import Store, default_file
from .texts import Texts


@click.group()
def schedule() -> None:
    """Show and cancel timers, alarms and commands for later."""


@schedule.command("list")
@click.pass_obj
def list_items(invocation: Invocation) -> None:
    """Print what is kept: number, kind, when, what, and where it was said."""
    config = invocation.config()
    file = _file(config)
    items = _read(file, config) if file.exists() else ()
    if not items:
        click.echo(f"Nothing is kept in {file}.")
        return
    texts = Texts(config.language, zone_of(config.schedule.zone))
    now = time.time()
    rows = [("ID", "KIND", "DUE", "WHAT", "WHERE")]
    rows += [(str(i.id), str(i.kind), _due(i, now, texts, config), _what(i, texts), _where(i)) for i in items]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@schedule.command()
@click.argument("number", metavar="ID", type=int)
@click.pass_obj
def cancel(invocation: Invocation, number: int) -> None:
    """Cancel one, by its number in the list."""
    config = invocation.config()
    file = _file(config)
    store = Store(file, config.schedule.max_items) if file.exists() else None
    try:
        item = store.get(number) if store else None
        if store is None or item is None or not store.remove(number):
            raise InputError(f"there is no {number} in {file}", remedy="`hearth schedule list` shows the numbers")
    finally:
        if store is not None:
            store.close()
    texts = Texts(config.language, zone_of(config.schedule.zone))
    click.echo(f"cancelled: {item.kind} {_what(item, texts)}")


def _file(config: Config) -> Path:
    return Path(config.schedule.file) if config.schedule.file else default_file()


def _read(file: Path, config: Config) -> tuple[Item, ...]:
    store = Store(file, config.schedule.max_items)
    try:
        return store.items()
    finally:
        store.close()


def _due(item: Item, now: float, texts: Texts, config: Config) -> str:
    if item.state is State.PAUSED or item.due_at is None:
        return f"paused, {texts.duration(item.remaining_s)} left"
    if item.state is not State.WAITING:
        return str(item.state)
    due = datetime.fromtimestamp(item.due_at, zone_of(config.schedule.zone)).strftime("%Y-%m-%d %H:%M:%S")
    every = f", {texts.part('every', every=list(item.every))}" if item.every else ""
    sun = f", {item.sun}" if item.sun else ""
    return f"{due}{every}{sun}"


def _what(item: Item, texts: Texts) -> str:
    parts = [item.name, item.command, texts.duration(item.duration_s) if item.duration_s else ""]
    return " ".join(part for part in parts if part)


def _where(item: Item) -> str:
    return " ".join(part for part in (item.satellite or "", item.area_id or "") if part)
