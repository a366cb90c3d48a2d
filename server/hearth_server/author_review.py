"""What is wrong with an author's actions and answers in this house, and with the names that sentences are about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hearth_core.config import Config
from hearth_core.errors import SentenceError
from hearth_core.home import Home
from hearth_intents.action_block import is_template
from hearth_intents.author_template import strings
from hearth_intents.review import Finding, Level
from hearth_intents.sentence_file import SentenceFile
from hearth_intents.sentences import Sentences, is_key
from hearth_intents.sound import Say, alike, key
from hearth_intents.source_file import Where

from .author_action import needs_home_assistant
from .home_report import check_names
from .templates import compiles

# The section of `home:` that each kind of step needs.
_BUSES = {"knx": "knx", "mqtt": "mqtt", "service": "home_assistant"}


def review_actions(
    sentences: Sentences, home: Home, config: Config, known_dpt: Callable[[str], bool] | None = None
) -> tuple[Finding, ...]:
    """Return what an author's actions and answers cannot do in this house.

    Args:
        sentences: with the author's files.
        home: whose entities there are.
        config: says which buses there are.
        known_dpt: whether a KNX datapoint type can be written; None asks xknx.
    """
    found: list[Finding] = []
    for file in sentences.files:
        for where, step in _steps(file):
            found += _missing_bus(file, where, step, config)
            found += _missing_entities(file, where, step, home)
            found += _unknown_dpt(file, where, step, known_dpt or _xknx)
            for inside, text in strings(step):
                found += _rendered(file, (*where, *inside), text)
        for where, text in _answers(file):
            found += _rendered(file, where, text)
    return tuple(found)


def review_names(home: Home, sentences: Sentences, say: Say = key) -> tuple[Finding, ...]:
    """Return the names of the home that cannot be said or told apart, and those that sound alike."""
    spoken = sentences.speech
    found = [
        Finding(Level.ERROR if remark.error else Level.NOTE, "name", remark.message, remark.remedy)
        for remark in check_names(home, spoken)
    ]
    for pair in alike(home, spoken, say):
        sounds = "sound the same" if pair.likeness == 1 else f"sound alike ({pair.likeness:.0%})"
        message = f"{pair.first!r} ({pair.first_id}) and {pair.second!r} ({pair.second_id}) {sounds}"
        found.append(Finding(Level.WARNING, "sound-alike", message, "Rename one, or give it an alias that differs"))
    return tuple(found)


def _steps(file: SentenceFile) -> Iterator[tuple[Where, Mapping[str, Any]]]:
    for name, intent in file.model.intents.items():
        for index, block in enumerate(intent.data):
            where: Where = ("intents", name, "data", index, "action")
            several = file.has((*where, 0))
            for number, step in enumerate(block.action.root if block.action else ()):
                yield ((*where, number) if several else where), step.as_data()


def _answers(file: SentenceFile) -> Iterator[tuple[Where, str]]:
    for name, intent in file.model.intents.items():
        for index, block in enumerate(intent.data):
            if block.response is not None and not is_key(file.model, name, block.response):
                yield ("intents", name, "data", index, "response"), block.response
    for inside, text in strings(file.model.responses.intents):
        yield ("responses", "intents", *inside), text
    for inside, text in strings(file.model.responses.errors):
        yield ("responses", "errors", *inside), text


def _missing_bus(file: SentenceFile, where: Where, step: Mapping[str, Any], config: Config) -> Iterator[Finding]:
    kind = next((kind for kind in _BUSES if kind in step), "service")
    if kind == "service" and not needs_home_assistant(step):
        return
    section = _BUSES[kind]
    if getattr(config.home, section) is None:
        message = f"the step needs {section}, which is not configured: it will be refused"
        yield _at(file, where, Level.WARNING, "no-bus", message, f"Add home: {section}: to the configuration")


def _missing_entities(file: SentenceFile, where: Where, step: Mapping[str, Any], home: Home) -> Iterator[Finding]:
    for text in step.get("entity_id") or ():
        for entity_id in () if is_template(text) else text.split(","):
            if entity_id.strip() not in home.entities:
                message = f"this home has no {entity_id.strip()}"
                yield _at(file, where, Level.WARNING, "no-entity", message, "`hearth home show` lists what it has")


def _unknown_dpt(
    file: SentenceFile, where: Where, step: Mapping[str, Any], known: Callable[[str], bool]
) -> Iterator[Finding]:
    dpt = step.get("knx", {}).get("dpt")
    if dpt is not None and not is_template(dpt) and not known(dpt):
        message = f"DPT {dpt} is not known"
        yield _at(file, (*where, "knx", "dpt"), Level.ERROR, "dpt", message, "Write e.g. 9.001 or temperature")


def _xknx(dpt: str) -> bool:
    from .knx.group_write import known_dpt

    return known_dpt(dpt)


def _rendered(file: SentenceFile, where: Where, text: str) -> Iterator[Finding]:
    """Yield what the sandbox does not know, a filter for one; syntax and slots were checked before."""
    if "{" not in text:
        return
    try:
        compiles(text)
    except SentenceError as error:
        remedy = "Home Assistant's own filters and functions are not all there"
        yield _at(file, where, Level.ERROR, "template", error.message, remedy)


def _at(file: SentenceFile, where: Where, level: Level, code: str, message: str, remedy: str) -> Finding:
    mark = file.place(where)
    return Finding(level, code, message, remedy, str(file.path), mark.line, mark.column)
