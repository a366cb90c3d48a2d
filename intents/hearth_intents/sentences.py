"""All sentences of a language: Home Assistant's own, Hearth's additions, and the author's folders."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hassil.expression import Alternative, Expression, Group, Sentence, TextChunk
from hassil.intents import IntentData, Intents, TextSlotList

from hearth_core.errors import SentenceError

from .author_template import ALWAYS, IN_ANSWERS, check_template, slots_of, strings
from .sentence_file import SentenceBlock, SentenceFile, SentenceModel, SlotListBlock, read_sentence_file
from .source_file import Where
from .spoken import FRACTION, Speech, speech
from .template import Measure, TemplateCheck, parse_template

# Lists that the home fills (`slots.home_lists`).
HOME_LISTS = frozenset({"name", "area", "floor"})

MAX_FILES = 500

# Where sentences come from that are in none of our files.
UPSTREAM = "home-assistant-intents"

# A block's `response` is a key of `responses`, as in Home Assistant, if it stands there or looks like one; else a text.
_KEY = re.compile(r"[a-z0-9_]+")

# Metadata key under which a block of sentences carries what hassil does not know of.
_OURS = "hearth"

Data = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Sentences:
    """The sentences of one language, checked.

    Attributes:
        language: code, e.g. "en".
        intents: the sentences, parsed; its lists lack `name`, `area` and `floor`, which the home fills.
        responses: Jinja templates of the answers, by intent and key.
        errors: Jinja templates of what is said when something cannot be done, by key.
        problems: one error for each of the author's files that was left out, or whose last good text is used.
        files: the author's files that are used.
        domains: the domain of the things that an intent of Home Assistant's is about, where it is about one.
        speech: how the language is spoken.
    """

    language: str
    intents: Intents
    responses: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[SentenceError, ...] = ()
    files: tuple[SentenceFile, ...] = ()
    domains: Mapping[str, str] = field(default_factory=dict)
    speech: Speech = field(default_factory=lambda: speech("en"))


def is_authors(block: IntentData) -> bool:
    """Return whether a block of sentences comes from an author's file."""
    return bool(_ours(block).get("author"))


def is_text_only(block: IntentData) -> bool:
    """Return whether a block's sentences are matched but left out of the recogniser's grammar.

    For what is rarely said and would cost the grammar more than it gives: a closed grammar errs more, the more it has.
    """
    return bool((block.metadata or {}).get("text_only"))


def action_of(block: IntentData) -> Mapping[str, Any] | None:
    """Return what a block of sentences says to do: {service, entity_id: list, data}; None if it says nothing."""
    action: Mapping[str, Any] | None = _ours(block).get("action")
    return action


def source_of(block: IntentData, template: str) -> str:
    """Return where a template of a block stands: `file:line`, or `home-assistant-intents`."""
    ours = _ours(block)
    if "file" not in ours:
        return UPSTREAM
    line = ours["lines"].get(template)
    return f"{ours['file']}:{line}" if line else str(ours["file"])


def _ours(block: IntentData) -> Mapping[str, Any]:
    ours: Mapping[str, Any] = (block.metadata or {}).get(_OURS, {})
    return ours


def languages() -> tuple[str, ...]:
    """Return the languages that Home Assistant's sentences are there for."""
    from home_assistant_intents import get_languages

    return tuple(sorted(get_languages()))


def load_sentences(
    language: str,
    folders: Iterable[Path] = (),
    *,
    builtin: bool = True,
    kept: Mapping[Path, SentenceFile] = MappingProxyType({}),
) -> Sentences:
    """Return the sentences of a language.

    Args:
        language: code, e.g. "en" or "en-GB"; the nearest that there is will be taken.
        folders: the author's; each holds `<language>/**/*.yaml`, or `*.yaml` that name their language.
        builtin: whether Home Assistant's and Hearth's own sentences are in.
        kept: what to take in place of an author's file that is bad now, by its path.

    Raises:
        SentenceError: nobody has sentences in the language, or a folder is not there. A bad file in a folder
            is left out, or taken from `kept`, and stands in `problems`.
    """
    code = _nearest(language) if builtin else language
    data: Data = _builtin(code) if builtin else {"language": code, "intents": {}}
    problems: list[SentenceError] = []
    if builtin:
        own = resources.files(__package__).joinpath("sentences", code)
        with resources.as_file(own) as folder:
            _add(data, [read_sentence_file(path) for path in _yaml_files(folder)], author=False)
    files = []
    for path in dict.fromkeys(authors_files(language, folders)):
        file: SentenceFile | None
        try:
            file = read_sentence_file(path)
        except SentenceError as error:
            problems.append(error)
            file = kept.get(path)
        if file is not None and _family(file.model.language) == _family(language):
            files.append(file)
    good = _usable(data, files, kept, problems)
    _add(data, good, author=True)
    responses = data.get("responses", {})
    spoken = speech(code)
    intents = Intents.from_dict(data)
    _say_as_spoken(intents, spoken)
    return Sentences(
        language=code,
        intents=intents,
        responses=responses.get("intents", {}),
        errors=responses.get("errors", {}),
        problems=tuple(problems),
        files=tuple(good),
        domains=_domains() if builtin else {},
        speech=spoken,
    )


def _family(language: str) -> str:
    return language.replace("_", "-").partition("-")[0].lower()


def _nearest(language: str) -> str:
    there = {code.lower(): code for code in languages()}
    for code in (language.replace("_", "-").lower(), _family(language)):
        if code in there:
            return there[code]
    known = ", ".join(sorted(there.values()))
    raise SentenceError(f"there are no sentences in {language!r}", remedy=f"Choose one of {known}")


def _builtin(code: str) -> Data:
    from home_assistant_intents import get_intents

    data: Data | None = get_intents(code)
    if data is None:
        raise SentenceError(f"home-assistant-intents has no {code}", remedy="Install it again")
    return data


def _domains() -> dict[str, str]:
    from home_assistant_intents import get_intent_info

    info: Data = get_intent_info() or {}
    about = {name: intent.get("domain", "") for name, intent in info.items()}
    return {name: domain for name, domain in about.items() if domain not in ("", "homeassistant")}


def _yaml_files(folder: Path) -> list[Path]:
    found = [path for path in sorted(folder.rglob("*")) if path.suffix in (".yaml", ".yml") and path.is_file()]
    if len(found) > MAX_FILES:
        raise SentenceError(f"{folder} holds more than {MAX_FILES} sentence files", remedy="Name a smaller folder")
    return found


def authors_files(language: str, folders: Iterable[Path]) -> Iterator[Path]:
    """Yield the files of an author's folders that may hold sentences of a language.

    Raises:
        SentenceError: a folder is not there, or holds too many files.
    """
    for folder in folders:
        if not folder.is_dir():
            raise SentenceError(f"{folder} is not a folder", remedy="Name the folder that holds en/*.yaml")
        yield from (path for path in sorted(folder.glob("*.y*ml")) if path.suffix in (".yaml", ".yml"))
        for code in dict.fromkeys((_family(language), language)):
            if (folder / code).is_dir():
                yield from _yaml_files(folder / code)


def _usable(
    data: Data, files: list[SentenceFile], kept: Mapping[Path, SentenceFile], problems: list[SentenceError]
) -> list[SentenceFile]:
    """Return the files whose templates hold, together with the others that do; the kept one for one that does not.

    A file may use another's rules and lists, so one that is left out can take others with it.
    """
    # what every file is checked against: Home Assistant's rules and lists, and those of the files that are left
    while True:
        good: list[SentenceFile] = []
        changed = False
        for file in files:
            try:
                _check_file(data, file, files)
            except SentenceError as error:
                changed = True
                problems.append(error)
                before = kept.get(file.path)
                if before is not None and before is not file:
                    good.append(before)
            else:
                good.append(file)
        if not changed:
            return good
        files = good


def _check_file(data: Data, file: SentenceFile, files: list[SentenceFile]) -> None:
    model = file.model
    rules: dict[str, str] = dict(data.get("expansion_rules", {}))
    lists = set(HOME_LISTS) | set(data.get("lists", {}))
    for other in files:
        rules |= other.model.expansion_rules
        lists |= set(other.model.lists)
    parsed = _Rules(rules)
    everywhere = TemplateCheck(parsed, frozenset(lists))
    for name in model.expansion_rules:
        _check_template(file, ("expansion_rules", name), partial(everywhere.check_rule, name))
    _check_lists(file, ("lists",), model.lists, everywhere)
    for name, intent in model.intents.items():
        for index, block in enumerate(intent.data):
            where: Where = ("intents", name, "data", index)
            known = frozenset(lists | set(block.lists))
            check = TemplateCheck(
                _Rules({**rules, **block.expansion_rules}) if block.expansion_rules else parsed, known
            )
            for rule in block.expansion_rules:
                _check_template(file, (*where, "expansion_rules", rule), partial(check.check_rule, rule))
            _check_lists(file, (*where, "lists"), block.lists, check)
            for at, text in enumerate(block.sentences):
                _check_template(file, (*where, "sentences", at), partial(_check_text, check, text))
            slots = _slots(block, check.rules)
            _check_action(file, where, block, slots)
            if block.response is not None:
                _check_jinja(file, (*where, "response"), block.response, slots, IN_ANSWERS)
    for name, answers in model.responses.intents.items():
        for key, text in answers.items():
            _check_jinja(file, ("responses", "intents", name, key), text)
    for key, text in model.responses.errors.items():
        _check_jinja(file, ("responses", "errors", key), text)


def _slots(block: SentenceBlock, rules: Mapping[str, Sentence]) -> set[str]:
    """Return the slots that a block's sentences can fill, each by what is said, by the block, or by the context."""
    said = {slot for text in block.sentences for slot in slots_of(parse_template(text).expression, rules)}
    context = {k for k, v in block.requires_context.items() if isinstance(v, Mapping) and v.get("slot")}
    return said | set(block.slots) | context


def _check_action(file: SentenceFile, where: Where, block: SentenceBlock, slots: set[str]) -> None:
    several = file.has((*where, "action", 0))
    for index, step in enumerate(block.action.root if block.action else ()):
        there = (*where, "action", index) if several else (*where, "action")
        for inside, text in strings(step.as_data()):
            _check_jinja(file, (*there, *inside), text, slots)


class _Rules(dict[str, Sentence]):
    """Rules by name, each parsed when it is first named."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        super().__init__()
        self._texts = texts

    def get(self, name: str, default: Any = None) -> Any:
        if name not in self and name in self._texts:
            self[name] = parse_template(self._texts[name])
        return super().get(name, default)


def _check_template(file: SentenceFile, where: Where, check: Callable[[], Measure]) -> Measure:
    try:
        return check()
    except SentenceError as error:
        raise file.error(where, error.message, error.remedy) from error


def _check_lists(file: SentenceFile, where: Where, lists: Mapping[str, SlotListBlock], check: TemplateCheck) -> None:
    for name, block in lists.items():
        for at, value in enumerate(block.values or ()):
            text = value if isinstance(value, str) else value.said
            there = (*where, name, "values", at)
            if _check_template(file, there, partial(_check_text, check, text)).lists:
                raise file.error(there, "a list cannot hold another list", "Use a rule")


def _check_text(check: TemplateCheck, text: str) -> Measure:
    return check.check(parse_template(text))


def _check_jinja(
    file: SentenceFile, where: Where, text: str, slots: set[str] | None = None, known: frozenset[str] = ALWAYS
) -> None:
    try:
        check_template(text, slots, known)
    except SentenceError as error:
        raise file.error(where, error.message, error.remedy) from error


def _add(data: Data, files: Iterable[SentenceFile], *, author: bool) -> None:
    """Add files' sentences to the data that hassil reads."""
    for file in files:
        model = file.model
        for name, intent in model.intents.items():
            blocks = data["intents"].setdefault(name, {"data": []})["data"]
            for index, block in enumerate(intent.data):
                where: Where = ("intents", name, "data", index)
                made = _block(file, where, block, author)
                if block.response is not None and not is_key(model, name, block.response):
                    made["response"] = f"{file.path}:{file.place((*where, 'response')).line}"
                    answers = data.setdefault("responses", {}).setdefault("intents", {})
                    answers.setdefault(name, {})[made["response"]] = block.response
                blocks.append(made)
        data.setdefault("expansion_rules", {}).update(model.expansion_rules)
        words = data.setdefault("skip_words", [])
        words.extend(word for word in model.skip_words if word not in words)
        for name, values in model.lists.items():
            _add_list(data.setdefault("lists", {}), name, values)
        answers = data.setdefault("responses", {})
        answers.setdefault("errors", {}).update(model.responses.errors)
        for name, texts in model.responses.intents.items():
            answers.setdefault("intents", {}).setdefault(name, {}).update(texts)


def is_key(model: SentenceModel, intent: str, response: str) -> bool:
    """Return whether a block's response is a key of the intent's `responses`, not a text."""
    return response in model.responses.intents.get(intent, {}) or bool(_KEY.fullmatch(response))


def _add_list(lists: Data, name: str, block: SlotListBlock) -> None:
    data = _list(block)
    if "values" in data and "values" in lists.get(name, {}):
        lists[name]["values"].extend(data["values"])  # as Home Assistant does: more values for a list of its own
    else:
        lists[name] = data


def _list(block: SlotListBlock) -> Data:
    return block.model_dump(by_alias=True, exclude_none=True)


def _block(file: SentenceFile, where: Where, block: SentenceBlock, author: bool) -> Data:
    data = block.model_dump(exclude={"lists", "action", "metadata"}, exclude_none=True)
    data["lists"] = {name: _list(each) for name, each in block.lists.items()}
    ours = {
        "author": author,
        "action": block.action.as_data() if block.action else None,
        "file": str(file.path),
        "lines": {text: file.place((*where, "sentences", at)).line for at, text in enumerate(block.sentences)},
    }
    data["metadata"] = {**block.metadata, _OURS: ours}
    return data


def _say_as_spoken(intents: Intents, spoken: Speech) -> None:
    """Let texts with digits and signs in them be matched as they are said too, as a recogniser will write them."""
    for rule in intents.expansion_rules.values():
        _spell_out(rule.expression, spoken)
    for values in intents.slot_lists.values():
        _spell_out_list(values, spoken)
    for intent in intents.intents.values():
        for block in intent.data:
            if _OURS in (block.metadata or {}):  # Home Assistant's own sentences say "percent" beside "%"
                for sentence in (*block.sentences, *block.expansion_rules.values()):
                    _spell_out(sentence.expression, spoken)
                for values in block.slot_lists.values():
                    _spell_out_list(values, spoken)


def _spell_out_list(values: Any, spoken: Speech) -> None:
    if isinstance(values, TextSlotList):
        for value in values.values:
            value.text_in = _spelled_out(value.text_in, spoken)


def _spell_out(item: Expression, spoken: Speech) -> None:
    if isinstance(item, Group):
        item.items = [_spelled_out(each, spoken) for each in item.items]


def _spelled_out(item: Expression, spoken: Speech) -> Expression:
    if not isinstance(item, TextChunk):
        _spell_out(item, spoken)
        return item
    if FRACTION.search(item.text) or not any(c.isdigit() or c in spoken.symbols for c in item.text):
        return item
    before = " " * (len(item.text) - len(item.text.lstrip()))
    after = " " * (len(item.text) - len(item.text.rstrip()))
    said = [TextChunk(f"{before}{' '.join(words)}{after}") for words in spoken.variants(item.text)]
    if item.text.strip() in spoken.symbols:  # "{brightness}%" is said with a gap
        said += [TextChunk(f" {chunk.text.lstrip()}") for chunk in said]
    return Alternative([item, *said])
