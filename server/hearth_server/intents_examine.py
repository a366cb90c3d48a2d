"""`hearth intents test`: test files against what the sentences really give."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from hearth_core.config import Config
from hearth_core.errors import SentenceError
from hearth_core.home import Home
from hearth_intents.sentences import Sentences, load_sentences
from hearth_intents.test_file import TestFile, read_tests, test_files

from .intents_cli import echo_json
from .sentence_tests import Examiner, Verdict
from .spoken_tests import Ear, ear
from .workbench import CONFIGURED, Wanted, workbench


@dataclass(frozen=True, slots=True)
class Choice:
    """What to test, and how to tell it.

    Attributes:
        paths: test files, and folders of them.
        speech: whether each sentence is spoken and recognised too.
        answers: whether the answers are compared.
        verbose: whether to show what is right, too.
        as_json: for programs.
    """

    paths: tuple[Path, ...]
    speech: bool = False
    answers: bool = True
    verbose: bool = False
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class Tested:
    """A sentence's verdict, and the one of what was heard when it was spoken."""

    verdict: Verdict
    heard: Verdict | None = None

    @property
    def right(self) -> bool:
        """Whether both are right."""
        return not self.verdict.wrong and (self.heard is None or not self.heard.wrong)


async def examine_sentences(config: Config, wanted: Wanted, choice: Choice) -> int:
    """Run the tests and print what became of them; return the exit code.

    Raises:
        SentenceError: a test file cannot be read, or there is none.
    """
    files = await asyncio.to_thread(_read, choice.paths)
    if not any(file.tests for file in files):
        raise SentenceError("there are no tests in what is named", remedy="Name test files, or folders of them")
    languages = {wanted.language} if wanted.language else {file.language for file in files}
    home = await _home(config, wanted, files)
    console = Console(highlight=False, soft_wrap=True)
    found: list[Tested] = []
    for language in sorted(languages):
        folders = wanted.folders or tuple(Path(folder) for folder in config.server.sentences)
        sentences = await asyncio.to_thread(load_sentences, language, folders)
        for problem in sentences.problems:
            click.echo(f"left out: {problem}", err=True)
        with ear(config, language) if choice.speech else contextlib.nullcontext() as listener:
            mine = [file for file in files if wanted.language or file.language == language]
            for tested in _run(mine, sentences, home, listener, answers=choice.answers):
                found.append(tested)
                if not choice.as_json and (choice.verbose or choice.speech or not tested.right):
                    show(tested, console)
    wrong = sum(not tested.right for tested in found)
    if choice.as_json:
        echo_json({"sentences": len(found), "wrong": wrong, "results": [_facts(tested) for tested in found]})
    else:
        colour = "red" if wrong else "green"
        console.print(f"[{colour}]{len(found) - wrong} of {len(found)} sentences are right[/]")
    return 1 if wrong else 0


def _read(paths: tuple[Path, ...]) -> list[TestFile]:
    return [read_tests(path) for path in test_files(paths)]


async def _home(config: Config, wanted: Wanted, files: list[TestFile]) -> Home | None:
    """Return the home for files that bring none, None if it is not needed."""
    if wanted.home == CONFIGURED and all(file.home.entities or file.home.areas for file in files):
        return None
    async with workbench(config, wanted) as bench:
        return bench.home


def _run(
    files: list[TestFile], sentences: Sentences, given: Home | None, listener: Ear | None, *, answers: bool
) -> Iterator[Tested]:
    home: Home | None = None
    examiner: Examiner | None = None
    for file in files:
        own = bool(file.home.entities or file.home.areas)
        mine = file.home if own or given is None else given
        if examiner is None or mine != home:
            home, examiner = mine, Examiner(sentences, mine, answers=answers)
            if listener is not None:
                listener.use(sentences, mine)
        for test in file.tests:
            verdict = examiner.judge(test)
            heard = examiner.judge(test, listener.hear(test.text)) if listener is not None else None
            yield Tested(verdict, heard)


def show(tested: Tested, console: Console) -> None:
    """Print a verdict for people."""
    verdict = tested.verdict
    mark = "[green]ok[/]   " if tested.right else "[red]wrong[/]"
    console.print(f"{mark} {escape(verdict.test.text)}  [dim]{escape(verdict.test.where)}[/]")
    if verdict.match is not None:
        slots = ", ".join(f"{name} = {slot.value}" for name, slot in verdict.match.slots.items())
        console.print(f"      {verdict.match.intent}  {escape(slots)}  [dim]{escape(verdict.response)}[/]")
    for wrong in verdict.wrong:
        console.print(f"      [red]{escape(wrong)}[/]")
    if tested.heard is not None:
        console.print(f"      heard [cyan]{escape(tested.heard.heard) or '(nothing)'}[/]")
        for wrong in tested.heard.wrong if not verdict.wrong else ():
            console.print(f"      [red]{escape(wrong)}[/]")


def _facts(tested: Tested) -> dict[str, Any]:
    verdict = tested.verdict
    match = verdict.match
    facts: dict[str, Any] = {
        "text": verdict.test.text,
        "where": verdict.test.where,
        "right": tested.right,
        "intent": match.intent if match else None,
        "slots": {name: slot.value for name, slot in match.slots.items()} if match else {},
        "response": verdict.response,
        "wrong": list(verdict.wrong),
    }
    if tested.heard is not None:
        facts |= {"heard": tested.heard.heard, "heard_wrong": list(tested.heard.wrong)}
    return facts
