"""Test files in Home Assistant's format: sentences, and the intent, slots and answer that each is to give.

Two forms are read. In the flat one each test names its intent, and the home stands in `_fixtures.yaml` beside it:

    language: en
    tests:
      - sentences: ["turn on [the] hall lamp"]
        intent: {name: HassTurnOn, slots: {name: Hall Lamp}, context: {area: Hall}}
        response: Turned on the light

In the newer one, `<Intent>/<combination>.yaml`, the folder names the intent, and the file holds its own `areas`,
`floors` and `entities`. What a file says of its home goes before what `_fixtures.yaml` says.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from hassil.sample import sample_sentence
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hearth_core.command import IntentMatch
from hearth_core.config_home import slug
from hearth_core.errors import SentenceError
from hearth_core.home import UNKNOWN, Area, Entity, Floor, Home, State

from .source_file import Mark, PlacedError, Where, form_error, place_of, read_yaml
from .template import parse_template

FIXTURES = "_fixtures.yaml"
# Files beside the tests that hold none.
_NO_TESTS = frozenset({FIXTURES, "_test_failures.yaml", "_common.yaml"})

# Sentences that one template of a test or of a name may stand for; a test is to be read by people.
MAX_EXPANSIONS = 100
MAX_FILES = 20_000

# What each kind of thing can do, so that a test says what was understood, not what a lamp lacks.
_CAPABILITIES: Mapping[str, frozenset[str]] = {
    "light": frozenset({"brightness", "color", "color_temp"}),
    "cover": frozenset({"position"}),
    "valve": frozenset({"position"}),
    "fan": frozenset({"speed"}),
    "climate": frozenset({"temperature", "fan_mode"}),
    "media_player": frozenset({"pause", "next", "previous", "volume", "mute"}),
    "vacuum": frozenset({"clean_area"}),
}
_TEMPLATE = frozenset("[](){}<>|")

Text = Annotated[str, Field(min_length=1, max_length=2_000)]


class _Model(BaseModel):
    # Other keys are of other programs: timers, media, importance.
    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)


class _Floor(_Model):
    name: Text
    id: Text | None = None


class _Area(_Model):
    name: Text
    id: Text | None = None
    floor: Text | None = None
    context_area: bool = False


class _Spoken(_Model):
    said: Any = Field(default=None, alias="in")
    out: Any


class _Entity(_Model):
    name: Text
    id: Annotated[str, Field(pattern=r"^[a-z0-9_]+\.\S.*$", max_length=255)] | None = None
    domain: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")] | None = None
    area: Text | None = None
    state: _Spoken | str | None = None
    state_with_unit: str | None = None
    attributes: dict[str, Any] = Field(default_factory=dict)
    is_exposed: bool = True

    @property
    def entity_id(self) -> str:
        """The id; made from domain and name as upstream makes it if there is none."""
        return self.id or f"{self.domain or 'light'}.{slug(next(_expanded(self.name)))}"


class Fixtures(_Model):
    """The home that sentences are tested in."""

    floors: list[_Floor] = Field(default_factory=list)
    areas: list[_Area] = Field(default_factory=list)
    entities: list[_Entity] = Field(default_factory=list)


class _Intent(_Model):
    name: Text
    slots: dict[str, Any] | None = None
    context: dict[str, Any] | None = None


class _Test(_Model):
    sentences: list[Text]
    intent: _Intent | None = None
    slots: dict[str, Any] | None = None
    response: str | list[str] | None = None


class _File(Fixtures):
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*$")]
    tests: list[_Test]


@dataclass(frozen=True, slots=True)
class SentenceTest:
    """One sentence and what it is to give.

    Attributes:
        text: what is said.
        intent: name of the intent.
        slots: by name; a list means any of its values. `name`, `area` and `floor` by name or id.
        where: file and line.
        responses: what may be answered, any of them; nothing if that is not tested.
        area_id: where it is said, None for nowhere; a name if the file's own home lacks the area.
        optional: slots that may come though `slots` lacks them.
    """

    text: str
    intent: str
    slots: Mapping[str, Any]
    where: str
    responses: tuple[str, ...] = ()
    area_id: str | None = None
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TestFile:
    """A test file that was read: its tests, templates unfolded, and the home that they are in."""

    path: Path
    language: str
    home: Home
    tests: tuple[SentenceTest, ...] = field(repr=False)

    __test__ = False  # not a test of pytest's


def test_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the test files that are named, or lie in folders that are named.

    Raises:
        SentenceError: one is not there, or a folder holds too many.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            below = (p for p in sorted(path.rglob("*")) if p.suffix in (".yaml", ".yml") and p.name not in _NO_TESTS)
            found.update(dict.fromkeys(itertools.islice(below, MAX_FILES + 1)))
        elif path.is_file():
            found[path] = None
        else:
            raise SentenceError(f"{path} is not there", remedy="Name a test file, or a folder of them")
        if len(found) > MAX_FILES:
            raise SentenceError(f"{path} holds more than {MAX_FILES} test files", remedy="Name a smaller folder")
    return tuple(found)


test_files.__test__ = False  # type: ignore[attr-defined]  # not a test of pytest's either


def read_tests(path: Path, fixtures: Fixtures | None = None) -> TestFile:
    """Return a test file.

    Args:
        path: the file.
        fixtures: the home for tests that bring none; None takes the `_fixtures.yaml` that lies nearest above the file.

    Raises:
        SentenceError: it cannot be read, is not of the form, or a template in it cannot be unfolded; file and line
            are named.
    """
    data, places = read_yaml(path)
    try:
        file = _File.model_validate(data)
    except ValidationError as error:
        raise form_error(path, error, places) from error
    own = bool(file.entities or file.areas or file.floors)
    given = Fixtures(floors=file.floors, areas=file.areas, entities=file.entities) if own else fixtures
    if given is None:
        given = _nearest_fixtures(path)
    try:
        home = home_of(given)
    except SentenceError as error:
        raise PlacedError(path, None, error.message, error.remedy) from error
    tests: list[SentenceTest] = []
    for index, test in enumerate(file.tests):
        tests += _tests(path, places, index, test, given, home)
    return TestFile(path, file.language, home, tuple(tests))


def read_fixtures(path: Path) -> Fixtures:
    """Return the home of a `_fixtures.yaml`.

    Raises:
        SentenceError: it cannot be read or is not of the form; file and line are named.
    """
    data, places = read_yaml(path)
    try:
        return Fixtures.model_validate(data)
    except ValidationError as error:
        raise form_error(path, error, places) from error


def home_of(fixtures: Fixtures) -> Home:
    """Return the home that fixtures describe, without what is not exposed; all things can do what their kind can.

    Raises:
        SentenceError: a name is a template that cannot be unfolded.
    """
    floors = {floor.id or slug(floor.name): _named(floor.name) for floor in fixtures.floors}
    areas: dict[str, Area] = {}
    for area in fixtures.areas:
        area_id = area.id or slug(area.name)
        name, aliases = _named(area.name)
        areas[area_id] = Area(area_id, name, aliases, _id_of(area.floor, floors))
    entities: dict[str, Entity] = {}
    for entity in filter(lambda each: each.is_exposed, fixtures.entities):
        area_id_of_entity = _id_of(entity.area, {k: (a.name, a.aliases) for k, a in areas.items()})
        if entity.area and area_id_of_entity not in areas:
            areas[area_id_of_entity or ""] = Area(area_id_of_entity or "", entity.area)
        name, aliases = _named(entity.name)
        device_class = entity.attributes.get("device_class")
        domain = entity.entity_id.partition(".")[0]
        entities.setdefault(
            entity.entity_id,
            Entity(
                entity.entity_id,
                name,
                aliases,
                area_id_of_entity,
                str(device_class) if device_class else None,
                _CAPABILITIES.get(domain, frozenset()),
                _state(entity),
            ),
        )
    return Home.of((Floor(key, *names) for key, names in floors.items()), areas.values(), entities.values())


def differences(test: SentenceTest, matches: Sequence[IntentMatch], home: Home) -> tuple[str, ...]:
    """Return how what was understood differs from what the test asks for, in words; nothing if it does not."""
    if not matches:
        return ("not understood",)
    found = [_differences(test, match, home) for match in matches]
    return min(found, key=len)


def _differences(test: SentenceTest, match: IntentMatch, home: Home) -> tuple[str, ...]:
    if match.intent != test.intent:
        return (f"intent {match.intent} in place of {test.intent}",)
    wrong = []
    for name, slot in match.slots.items():
        if name not in test.slots:
            if name not in test.optional:
                wrong.append(f"{name} is {slot.value!r}, which was not expected")
        elif not _same(name, test.slots[name], slot.value, home):
            wrong.append(f"{name} is {slot.value!r} in place of {test.slots[name]!r}")
    missing = (name for name in test.slots if name not in match.slots and name not in test.optional)
    return (*wrong, *(f"{name} is missing, {test.slots[name]!r} was expected" for name in missing))


def _same(name: str, expected: Any, value: Any, home: Home) -> bool:
    if isinstance(expected, list | set | tuple):
        if isinstance(value, list | tuple):
            return all(any(_same(name, e, v, home) for v in value) for e in expected)
        return any(_same(name, each, value, home) for each in expected)
    if isinstance(value, list | tuple):
        return any(_same(name, expected, each, home) for each in value)
    try:
        return float(expected) == float(value)
    except (TypeError, ValueError):
        wanted = _plain(expected)
        return any(wanted == _plain(each) for each in _called(name, value, home))


def _called(slot: str, value: Any, home: Home) -> Iterator[Any]:
    yield value
    known: Mapping[str, Mapping[str, Any]] = {"name": home.entities, "area": home.areas, "floor": home.floors}
    thing = known.get(slot, {}).get(str(value))
    if thing is not None:
        yield from (thing.name, *thing.aliases)


def _plain(value: Any) -> str:
    return " ".join(str(value).casefold().replace("’", "'").split())


def _tests(
    path: Path, places: Mapping[Where, Mark], index: int, test: _Test, fixtures: Fixtures, home: Home
) -> Iterator[SentenceTest]:
    inside = path.parent.name
    if test.intent is None and not inside[:1].isupper():  # a folder of a language is no intent
        mark = place_of(places, ("tests", index))
        raise PlacedError(path, mark, "the test names no intent", "Add intent: {name: …}")
    intent = test.intent.name if test.intent else inside
    slots = (test.intent.slots if test.intent else test.slots) or {}
    combination = {} if test.intent else _combinations(intent).get(path.stem, {})
    optional = frozenset() if test.intent else frozenset({"domain"})
    area_id = _area_said(test.intent.context or {}, home) if test.intent else None
    if combination.get("context_area"):
        marked = [a for a in fixtures.areas if a.context_area] or fixtures.areas[:1]
        area_id = next((a.id or slug(a.name) for a in marked), None)
        optional |= {"area"} - slots.keys()
    answers = [test.response] if isinstance(test.response, str) else test.response or []
    for at, template in enumerate(test.sentences):
        mark = place_of(places, ("tests", index, "sentences", at))
        try:
            texts = list(_expanded(template))
        except SentenceError as error:
            raise PlacedError(path, mark, error.message, error.remedy) from error
        for text in texts:
            where = f"{path}:{mark.line}"
            yield SentenceTest(text, intent, slots, where, tuple(answers), area_id, optional)


def _area_said(context: Mapping[str, Any], home: Home) -> str | None:
    said = context.get("area")
    name = said.get("value") if isinstance(said, Mapping) else said
    if not isinstance(name, str):
        return None
    area = home.area_named(name)
    return area.area_id if area else name


@cache
def _combinations(intent: str) -> Mapping[str, Mapping[str, Any]]:
    """Return what Home Assistant says of the files of an intent's folder."""
    from home_assistant_intents import get_intent_info

    info: dict[str, Any] = (get_intent_info() or {}).get(intent, {})
    combinations: Mapping[str, Mapping[str, Any]] = info.get("slot_combinations") or {}
    return combinations


def _nearest_fixtures(path: Path) -> Fixtures:
    for folder in path.absolute().parents[:3]:
        if (folder / FIXTURES).is_file():
            return read_fixtures(folder / FIXTURES)
    return Fixtures()


def _named(template: str) -> tuple[str, tuple[str, ...]]:
    first, *others = dict.fromkeys(_expanded(template))
    return first, tuple(others)


def _expanded(template: str) -> Iterator[str]:
    """Yield what a template stands for.

    Raises:
        SentenceError: it cannot be parsed, stands for too much, or names a list or a rule.
    """
    if _TEMPLATE.isdisjoint(template):
        yield " ".join(template.split())
        return
    parsed = parse_template(template)
    try:
        found = list(itertools.islice(sample_sentence(parsed, {}, {}), MAX_EXPANSIONS + 1))
    except Exception as error:  # hassil's own kinds of errors for a list or a rule that it does not know
        raise SentenceError(f"{template[:80]!r} cannot be unfolded", remedy="Use [ ], ( ) and | alone") from error
    if len(found) > MAX_EXPANSIONS:
        raise SentenceError(
            f"{template[:80]!r} stands for more than {MAX_EXPANSIONS} texts", remedy="Write fewer optional parts"
        )
    yield from dict.fromkeys(" ".join(text.split()) for text in found)


def _state(entity: _Entity) -> State:
    said = entity.state if entity.state is not None else entity.state_with_unit
    value = said.out if isinstance(said, _Spoken) else said
    if value is None:
        return State(UNKNOWN.value, entity.attributes) if entity.attributes else UNKNOWN
    return State(str(value), entity.attributes)


def _id_of(name: str | None, known: Mapping[str, tuple[str, tuple[str, ...]]]) -> str | None:
    """Return the id of what is named by id or by name; made from the name if nothing is."""
    if name is None or name in known:
        return name
    for key, (first, others) in known.items():
        if _plain(name) in map(_plain, (first, *others)):
            return key
    return slug(name)
