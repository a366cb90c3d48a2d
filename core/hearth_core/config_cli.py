"""`hearth config`: check, show and describe the configuration."""

from __future__ import annotations

import json
from pathlib import Path

import click
import yaml

from . import config as configuration
from .cli import Invocation


@click.group()
def config() -> None:
    """Check, show and describe the configuration."""


@config.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def check(invocation: Invocation, file: Path | None) -> None:
    """Say everything that is wrong in FILE, or in the file that would be used. Exit code 2 if something is."""
    found = configuration.find(file or invocation.config_path)
    if found is None:
        click.echo("No configuration file found: the defaults hold.")
        return
    mistakes = configuration.problems(found)
    for mistake in mistakes:
        click.echo(str(mistake), err=True)
    if mistakes:
        click.get_current_context().exit(2)
    click.echo(f"{found}: correct")


@config.command()
@click.pass_obj
def show(invocation: Invocation) -> None:
    """Print the whole configuration as it holds, defaults included. Secrets are masked."""
    found = configuration.find(invocation.config_path)
    values = invocation.config().model_dump(mode="json")
    click.echo(f"# {found or 'no file: the defaults'}")
    click.echo(yaml.safe_dump(values, sort_keys=False, allow_unicode=True), nl=False)


@config.command()
def schema() -> None:
    """Print the JSON Schema of the configuration, for editors."""
    click.echo(json.dumps(configuration.schema(), indent=2, ensure_ascii=False))
