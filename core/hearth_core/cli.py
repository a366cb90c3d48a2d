"""`hearth`: the command line. Nothing but click is imported until a command runs, so that help is instant."""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from . import __version__
from .errors import HearthError, InputError

if TYPE_CHECKING:
    from .config import Config

_LOGGER = logging.getLogger(__name__)

# name: (where, what it does in one line). What is read here is what `hearth --help` shows.
COMMANDS: Final = {
    "demo": ("hearth_server.demo:demo", "Hear it work: recordings of people drive a demo home."),
    "server": ("hearth_server.cli:server", "Run the server: speech to text to action."),
    "satellite": ("hearth_satellite.cli:satellite", "Run a satellite: microphone, wake word, answer."),
    "satellite-models": ("hearth_satellite.wake_cli:satellite_models", "Fetch what openWakeWord needs."),
    "say": ("hearth_server.cli:say", "Do what a text says, as if it had been spoken."),
    "transcribe": ("hearth_server.cli:transcribe", "Print what is said in recordings."),
    "home": ("hearth_server.home_cli:home", "Show, check and watch the home."),
    "schedule": ("hearth_server.schedule.cli:schedule", "Show and cancel timers, alarms and commands for later."),
    "intents": ("hearth_server.intents_cli:intents", "Check, test, try and explain your own sentences."),
    "knx": ("hearth_server.knx.cli:knx", "Take a KNX project over from ETS."),
    "config": ("hearth_core.config_cli:config", "Check, show and describe the configuration."),
}

_FAILED: Final = 2
_INTERRUPTED: Final = 130  # 128 + SIGINT, as shells have it


@dataclass(frozen=True, slots=True)
class Invocation:
    """The options before the command; every command gets it as its click object."""

    config_path: Path | None = None
    verbose: int = 0

    def config(self) -> Config:
        """Read the configuration.

        Raises:
            ConfigError: the file cannot be read or has mistakes.
        """
        from .config import load

        return load(self.config_path)


class LazyGroup(click.Group):
    """A group whose commands are imported when they run, not to list them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command.

        Raises:
            InputError: packages that it needs are not installed.
        """
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        try:
            command: click.Command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            raise _not_installed(error, module.partition(".")[0].removeprefix("hearth_")) from error
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _not_installed(error: ModuleNotFoundError, extra: str) -> InputError:
    return InputError(f"the package {error.name} is not installed", remedy=f"pip install 'hearth-voice[{extra}]'")


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", "config_path", type=click.Path(path_type=Path), metavar="FILE", help="Configuration file.")
@click.option("-v", "--verbose", count=True, help="Log what happens; -vv: everything.")
@click.version_option(__version__, "--version", prog_name="hearth", message="%(prog)s %(version)s")
@click.pass_context
def hearth(ctx: click.Context, config_path: Path | None, verbose: int) -> None:
    """Local voice control for a home. Nothing leaves the house."""
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    ctx.obj = Invocation(config_path, verbose)


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code: 0 done, 2 an error that was told in one line, 130 interrupted."""
    try:
        code = hearth.main(list(arguments), prog_name="hearth", standalone_mode=False)
        sys.stdout.flush()  # a reader that has gone is noticed here, not when the interpreter ends
    except HearthError as error:
        click.echo(f"hearth: {' '.join(str(error).split())}", err=True)
        _LOGGER.debug("where it came from:", exc_info=True)
        return _FAILED
    except ModuleNotFoundError as error:  # a command that found out late
        click.echo(f"hearth: {_not_installed(error, 'satellite,server')}", err=True)
        _LOGGER.debug("where it came from:", exc_info=True)
        return _FAILED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort as error:  # click's word for Ctrl-C, and for the end of input at a question
        return _INTERRUPTED if isinstance(error.__cause__ or error.__context__, KeyboardInterrupt) else 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # `hearth … | head`: what is left in the buffer goes nowhere, without a complaint at the interpreter's end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code if isinstance(code, int) else 0


def main() -> None:
    """Entry point of the `hearth` command."""
    sys.exit(run(sys.argv[1:]))
