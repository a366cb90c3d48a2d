"""`hearth knx`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hearth_core.errors import InputError


@click.group()
def knx() -> None:
    """Take a KNX project over from ETS."""


@knx.command("import")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.knxproj")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where to write; standard output if not given.")
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@click.option(
    "--password", envvar="HEARTH_KNX_PASSWORD", help="The project's; better in HEARTH_KNX_PASSWORD, or asked for."
)
def import_(file: Path, output: Path | None, force: bool, password: str | None) -> None:
    """Write a project's rooms and functions as entities, for you to review.

    What the project does not say is left as comments, never guessed.
    """
    from hearth_core.config import load_as
    from hearth_core.config_knx import KnxFile

    from .project import imported
    from .project_file import PasswordNeededError, read_project
    from .project_yaml import to_yaml

    if output is not None and output.exists() and not force:
        raise InputError(f"{output} exists", remedy="Choose another name, or give --force")
    try:
        project = read_project(file, password)
    except PasswordNeededError as error:
        if password is not None or not sys.stdin.isatty():
            raise PasswordNeededError(
                error.message, remedy="Set HEARTH_KNX_PASSWORD to the project's password"
            ) from error
        project = read_project(file, click.prompt("Password of the project", hide_input=True, err=True))
    found = imported(project)
    if output is None:
        click.echo(to_yaml(found), nl=False)
    else:
        try:
            output.write_text(to_yaml(found, output.name), encoding="utf-8")
        except OSError as error:
            raise InputError(f"{output} cannot be written: {error.strerror}") from error
        load_as(output, KnxFile)  # what we write, we can read
    entities = sum(draft.entity is not None for draft in found.drafts)
    undecided = len(found.drafts) - entities
    click.echo(
        f"{len(found.areas)} areas, {entities} entities; left to you: {undecided} functions and"
        f" {len(found.unused)} group addresses in none",
        err=True,
    )
