"""`hearth intents check` and `hearth intents watch`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from hearth_core.config import Config
from hearth_core.errors import InputError
from hearth_core.home import Home
from hearth_intents.review import Finding, Level, review
from hearth_intents.sentence_folders import SentenceFolders
from hearth_intents.sentences import Sentences
from hearth_intents.sound import Say, Sounds, key
from hearth_intents.spoken import Speech

from .asr.pronounce import SayAs, pronounce
from .asr.registry import engine_name
from .author_review import review_actions, review_names
from .home_report import check_pronunciations
from .intents_cli import echo_json
from .sentence_watch import LOOK_S
from .workbench import Wanted, workbench

_COLOURS = {Level.ERROR: "red", Level.WARNING: "yellow", Level.NOTE: "dim"}


# What a test puts its own changes in place of.
pause = asyncio.sleep


async def check_sentences(config: Config, wanted: Wanted, *, as_json: bool) -> int:
    """Print the findings; return the exit code."""
    async with workbench(config, wanted) as bench:
        findings = await asyncio.to_thread(_findings, bench.sentences, bench.home, config)
        files = len(bench.sentences.files) + sum(1 for each in findings if each.code == "file")
    if as_json:
        echo_json([asdict(finding) | {"where": finding.where} for finding in findings])
    else:
        show(findings)
        click.echo(_summary(findings, files))
    return 1 if any(finding.level is not Level.NOTE for finding in findings) else 0


async def watch_sentences(config: Config, wanted: Wanted, *, as_json: bool, looks: int | None = None) -> int:
    """Print the findings at every change, for ever, or until so many looks have been taken.

    Raises:
        InputError: there is no folder to watch.
    """
    paths = wanted.folders or tuple(Path(folder) for folder in config.server.sentences)
    if not paths:
        raise InputError("there is no folder to watch", remedy="Name one, or set server: sentences:")
    folders = SentenceFolders(wanted.language or config.language, paths)
    async with workbench(config, wanted) as bench:
        home = bench.home
    first = True
    while looks is None or looks > 0:
        if first or await asyncio.to_thread(folders.changed):
            sentences = await asyncio.to_thread(folders.load)
            findings = await asyncio.to_thread(_of_files, sentences, home, config)
            _tell(findings, folders, sentences, as_json=as_json)
            first = False
        looks = None if looks is None else looks - 1
        await pause(LOOK_S)
    return 0


def _tell(findings: Sequence[Finding], folders: SentenceFolders, sentences: Sentences, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False))
        return
    show(findings)
    for problem in sentences.problems:
        if folders.keeps(problem):
            click.echo(f"{getattr(problem, 'path', '')}: its last good text stays in use")
    click.echo(_summary(findings, len(sentences.files)))


def _findings(sentences: Sentences, home: Home, config: Config) -> tuple[Finding, ...]:
    return (*_of_files(sentences, home, config), *_of_names(sentences, home, config))


def _of_files(sentences: Sentences, home: Home, config: Config) -> tuple[Finding, ...]:
    found = (*review(sentences, home), *review_actions(sentences, home, config))
    return tuple(sorted(found, key=lambda each: (each.file, each.line or 0, each.column or 0)))


def _of_names(sentences: Sentences, home: Home, config: Config) -> tuple[Finding, ...]:
    engine = engine_name(config.server, sentences.language)
    if engine not in ("micro", "pocketsphinx") or not sentences.language.startswith("en"):
        return review_names(home, sentences)
    from .asr.pocketsphinx import dictionary

    say_as = config.server.say_as
    say = _phones(sentences.speech, home, dictionary(), say_as)
    remarks = check_pronunciations(home, sentences.speech, dictionary(), say_as)
    notes = tuple(Finding(Level.NOTE, "pronunciation", remark.message, remark.remedy) for remark in remarks)
    return (*review_names(home, sentences, say), *notes)


def _phones(speech: Speech, home: Home, dictionary: Path, say_as: SayAs) -> Say:
    """Return how the recogniser pronounces the names of a home."""
    from hearth_intents.slots import home_names

    names = list(home_names(home))
    words = {word for name in names for said in speech.variants(name) for word in said}
    spelled = {k: v for name in names for k, v in speech.spelled(name).items()}
    known = pronounce(words, spelled, dictionary, say_as)

    @cache
    def say(text: str) -> Sounds:
        if not all(word in known for word in text.split()):
            return key(text)
        return tuple(phone for word in text.split() for phone in known[word][0].split())

    return say


def show(findings: Iterable[Finding]) -> None:
    """Print findings for people."""
    console = Console(highlight=False, soft_wrap=True)
    for finding in findings:
        where = f"{escape(finding.where)}: " if finding.where else ""
        remedy = f". {escape(finding.remedy)}" if finding.remedy else ""
        colour = _COLOURS[finding.level]
        console.print(f"{where}[{colour}]{finding.level}[/]: {escape(finding.message)}[dim]{remedy}[/]")


def _summary(findings: Sequence[Finding], files: int) -> str:
    counts = {level: sum(finding.level is level for finding in findings) for level in Level}
    told = ", ".join(f"{count} {level}{'s' if count > 1 else ''}" for level, count in counts.items() if count)
    return f"{files} sentence file{'' if files == 1 else 's'}: {told or 'all fine'}"
