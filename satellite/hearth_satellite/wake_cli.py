"""`hearth satellite-models`."""

from __future__ import annotations

import click

from hearth_core.cli import Invocation


@click.command(name="satellite-models")
@click.option("--head", "heads", multiple=True, metavar="NAME", help="One of openWakeWord's own wake words as well.")
@click.option("--accept-non-commercial", is_flag=True, help="Their licence, CC BY-NC-SA 4.0, suits you.")
@click.pass_obj
def satellite_models(invocation: Invocation | None, /, *, heads: tuple[str, ...], accept_non_commercial: bool) -> None:
    """Fetch what openWakeWord's wake words need.

    Two feature models, under the Apache License, into satellite.wake.features; a wake word of your own is a file that
    you name in satellite.wake.words.
    """
    from .ears import features_folder
    from .wake_fetch import fetch, names

    folder = features_folder((invocation or Invocation()).config().satellite.wake)
    fetch(names(heads, accept_licence=accept_non_commercial), folder, told=click.echo)
