"""`hearth intents`: the tools of those who write sentences.

Exit codes, of every command: 0 all is well, 1 something is wrong with the sentences, 2 the command was used wrongly or
cannot run.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hearth_core.cli import Invocation
from hearth_core.config import Config, load

if TYPE_CHECKING:
    from .workbench import Wanted

F = TypeVar("F", bound=Callable[..., None])

# Sentences of a sample; more is a list that nobody reads.
MAX_SAMPLE = 10_000


@click.group()
def intents() -> None:
    """Write sentences of your own: check, test, try and explain them.

    Exit code: 0 all is well, 1 something is wrong with the sentences, 2 the command was used wrongly.
    """


def _options(command: F) -> F:
    """Add the options that every command has, `--json` among them."""
    for add in reversed(
        (
            click.option(
                "--config", "config_path", type=click.Path(path_type=Path), metavar="FILE", help="Configuration file."
            ),
            click.option(
                "--folder",
                "folders",
                multiple=True,
                type=click.Path(path_type=Path),
                metavar="FOLDER",
                help="Folder of sentences, more than once if need be; default: the configured ones.",
            ),
            click.option("--language", metavar="CODE", help="Language; default: the configured one."),
            click.option(
                "--home",
                default="configured",
                show_default=True,
                metavar="HOME",
                help="configured, demo, or a file in the form of _fixtures.yaml.",
            ),
            click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs."),
        )
    ):
        command = add(command)
    return command


def _config(invocation: Invocation, path: Path | None) -> Config:
    return load(path) if path is not None else invocation.config()


def _wanted(folders: tuple[Path, ...], language: str | None, home: str) -> Wanted:
    from .workbench import Wanted

    return Wanted(folders, language, home)


def _finish(work: Coroutine[Any, Any, int]) -> None:
    click.get_current_context().exit(asyncio.run(work))


def echo_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


@intents.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@_options
@click.pass_obj
def check(
    invocation: Invocation,
    paths: tuple[Path, ...],
    config_path: Path | None,
    folders: tuple[Path, ...],
    language: str | None,
    home: str,
    as_json: bool,
) -> None:
    """Say everything that is wrong in the sentence folders PATHS, and with the home's names.

    Errors and warnings make the exit code 1, notes do not.
    """
    from .intents_check import check_sentences

    config = _config(invocation, config_path)
    _finish(check_sentences(config, _wanted(paths or folders, language, home), as_json=as_json))


@intents.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@_options
@click.option("--speech", is_flag=True, help="Speak each sentence (espeak-ng or flite) and recognise it, too.")
@click.option("--no-answers", is_flag=True, help="Do not compare the answers.")
@click.option("--verbose", "-v", is_flag=True, help="Show the sentences that are right, too.")
@click.pass_obj
def test(
    invocation: Invocation,
    paths: tuple[Path, ...],
    config_path: Path | None,
    folders: tuple[Path, ...],
    language: str | None,
    home: str,
    as_json: bool,
    speech: bool,
    no_answers: bool,
    verbose: bool,
) -> None:
    """Run test files, or folders of them: each sentence against intent, slots and answer.

    The files are in Home Assistant's format. A test file brings its home, or `_fixtures.yaml` beside it does; --home
    is for those that have neither.
    """
    from .intents_examine import Choice, examine_sentences

    config = _config(invocation, config_path)
    choice = Choice(paths, speech=speech, answers=not no_answers, verbose=verbose, as_json=as_json)
    _finish(examine_sentences(config, _wanted(folders, language, home), choice))


@intents.command(name="try")
@click.argument("text", nargs=-1)
@_options
@click.option("--area", default="", help="The room in which it is said.")
@click.option("--do", "really", is_flag=True, help="Do it, too.")
@click.pass_obj
def try_(
    invocation: Invocation,
    text: tuple[str, ...],
    config_path: Path | None,
    folders: tuple[Path, ...],
    language: str | None,
    home: str,
    as_json: bool,
    area: str,
    really: bool,
) -> None:
    """Show what TEXT means and what would be done; without a TEXT, ask for one again and again (Ctrl-D ends it).

    Nothing is done unless --do says so. The exit code is 1 if the text is not understood or cannot be done.
    """
    from .intents_try import try_text

    config = _config(invocation, config_path)
    _finish(try_text(config, _wanted(folders, language, home), " ".join(text), area, really=really, as_json=as_json))


@intents.command()
@click.argument("text", nargs=-1, required=True)
@_options
@click.option("-n", "limit", default=5, type=click.IntRange(1, 50), show_default=True, help="Templates to show.")
@click.option("--area", default="", help="The room in which it is said.")
@click.pass_obj
def explain(
    invocation: Invocation,
    text: tuple[str, ...],
    config_path: Path | None,
    folders: tuple[Path, ...],
    language: str | None,
    home: str,
    as_json: bool,
    limit: int,
    area: str,
) -> None:
    """Show which templates and names come near to TEXT, what is missing, and why the winner won.

    The exit code is 1 if the text is not understood.
    """
    from .intents_explain import explain_text

    config = _config(invocation, config_path)
    _finish(explain_text(config, _wanted(folders, language, home), " ".join(text), area, limit, as_json=as_json))


@intents.command()
@click.argument("intent", required=False)
@_options
@click.option("-n", "count", default=10, type=click.IntRange(1, MAX_SAMPLE), show_default=True, help="How many.")
@click.option("--seed", default=0, show_default=True, help="Another number gives other sentences.")
@click.option("--own", is_flag=True, help="Of the folders' sentences alone.")
@click.pass_obj
def sample(
    invocation: Invocation,
    intent: str | None,
    config_path: Path | None,
    folders: tuple[Path, ...],
    language: str | None,
    home: str,
    as_json: bool,
    count: int,
    seed: int,
    own: bool,
) -> None:
    """Print sentences that can be said, of one INTENT or of all, with the names of the home."""
    from .intents_list import sample_sentences

    config = _config(invocation, config_path)
    wanted = _wanted(folders, language, home)
    _finish(sample_sentences(config, wanted, intent, count, seed, own=own, as_json=as_json))


@intents.command()
@_options
@click.option("--languages", is_flag=True, help="Show how many intents each language has sentences for.")
@click.pass_obj
def coverage(
    invocation: Invocation,
    config_path: Path | None,
    folders: tuple[Path, ...],
    language: str | None,
    home: str,
    as_json: bool,
    languages: bool,
) -> None:
    """Show which things, rooms and intents the sentences reach, and which they do not.

    The exit code is 1 if a thing of the home cannot be named in any sentence.
    """
    from .intents_list import show_coverage, show_languages

    if languages:
        click.get_current_context().exit(show_languages(as_json=as_json))
    config = _config(invocation, config_path)
    _finish(show_coverage(config, _wanted(folders, language, home), as_json=as_json))


@intents.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@_options
@click.pass_obj
def watch(
    invocation: Invocation,
    paths: tuple[Path, ...],
    config_path: Path | None,
    folders: tuple[Path, ...],
    language: str | None,
    home: str,
    as_json: bool,
) -> None:
    """Check the sentence folders PATHS again whenever a file changes, until Ctrl-C.

    A bad file is reported, and its last good text stays in use, as in the server.
    """
    from .intents_check import watch_sentences

    config = _config(invocation, config_path)
    _finish(watch_sentences(config, _wanted(paths or folders, language, home), as_json=as_json))
