"""A home's grammar made from that of the home before: it accepts exactly what one made anew does."""

from __future__ import annotations

import threading
from dataclasses import replace
from random import Random

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hearth_core.errors import SentenceError
from hearth_core.home import Area, Entity, Floor, Home
from hearth_intents.compile import compile_grammar
from hearth_intents.grammar import Grammar
from hearth_intents.sentences import Sentences, load_sentences
from tests.intents.homes import large_home, speech_home

# Names apart, glued to text, of one kind only, and beside places of both kinds.
SENTENCES = {
    "language": "en",
    "intents": {
        "Do": {
            "data": [
                {"sentences": ["turn on [the] {name} [in [the] {area}] [on {floor}]", "{name}s light", "{thing}s off"]},
                {"sentences": ["(open|close) {name} [in {area}]"], "requires_context": {"domain": "cover"}},
                {"sentences": ["dim {name} in {area}"], "excludes_context": {"domain": ["cover", "lock"]}},
                {"sentences": ["is {name} in {area} {level}"], "requires_context": {"device_class": "door"}},
            ]
        }
    },
    "lists": {
        "thing": {"values": ["the (lamp|light)", {"in": "all [of it]", "out": "all"}, "bed"]},
        "level": {"range": {"from": 1, "to": 3}},
    },
    "skip_words": ["please", "could you"],
}
_NAMES = st.sampled_from(["lamp", "red lamp", "door", "bed lamp", "bed", "TV", "lamp two", "bedroom", "…"])
_ENTITIES = st.builds(
    Entity,
    entity_id=st.sampled_from([f"{domain}.{number}" for domain in ("light", "cover", "lock") for number in range(3)]),
    name=_NAMES,
    aliases=st.lists(_NAMES, max_size=1).map(tuple),
    area_id=st.sampled_from([None, "a", "b", "c"]),
    device_class=st.sampled_from([None, "door"]),
)
_FLOORS = st.lists(st.builds(Floor, st.sampled_from("fg"), _NAMES), max_size=2, unique_by=lambda floor: floor.floor_id)
_AREAS = st.lists(
    st.builds(Area, st.sampled_from("abc"), _NAMES, floor_id=st.sampled_from([None, "f", "g"])),
    max_size=3,
    unique_by=lambda area: area.area_id,
)
_HOMES = st.builds(Home.of, _FLOORS, _AREAS, st.lists(_ENTITIES, max_size=6, unique_by=lambda entity: entity.entity_id))


def told(grammar: Grammar) -> object:
    """Return all that a grammar says, the same for all that say the same: states as a walk by words meets them."""
    graph = grammar.graph
    ways = {
        state: {graph.words[word]: int(to) for _, to, word in graph.leaving(state)} for state in range(graph.states)
    }
    assert sum(map(len, ways.values())) == len(graph.arcs), "two arcs with one word leave a state"
    order, number = [0], {0: 0}
    for state in order:
        for _, to in sorted(ways[state].items()):
            if to not in number:
                number[to] = len(number)
                order.append(to)
    assert len(order) == graph.states
    finals = set(graph.finals.tolist())
    states = [
        (state in finals, state in grammar.closing, sorted((word, number[to]) for word, to in ways[state].items()))
        for state in order
    ]
    return states, sorted(graph.words), grammar.names, grammar.spoken, grammar.unspeakable


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Sentences:
    folder = tmp_path_factory.mktemp("own")
    (folder / "own.yaml").write_text(yaml.safe_dump(SENTENCES), encoding="utf-8")
    sentences = load_sentences("en", [folder], builtin=False)
    assert sentences.problems == ()
    return sentences


@pytest.fixture(scope="module")
def english() -> Sentences:
    return load_sentences("en")


@given(st.lists(_HOMES, min_size=2, max_size=5))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_one_home_after_the_other(own: Sentences, homes: list[Home]) -> None:
    grammar = None
    for home in homes:
        grammar = compile_grammar(own, home, before=grammar)
        assert told(grammar) == told(compile_grammar(own, home))


def test_a_large_home_in_which_little_changes(english: Sentences) -> None:
    home, rng = large_home(60), Random(1)
    grammar = compile_grammar(english, home, talk=True, pin_digits=4)
    compiler = grammar.compiler
    for number in range(3):
        entity = rng.choice(list(home.entities.values()))
        renamed = {**home.entities, entity.entity_id: replace(entity, name=f"Zebra Lantern {number}")}
        if number == 1:  # and one is new, and one moved
            renamed["light.new"] = Entity("light.new", "Chandelier", area_id=next(iter(home.areas)))
        home = Home.of(home.floors.values(), home.areas.values(), renamed.values())
        grammar = compile_grammar(english, home, talk=True, pin_digits=4, before=grammar)
        assert grammar.compiler is compiler
        assert told(grammar) == told(compile_grammar(english, home, talk=True, pin_digits=4))


def test_a_grammar_stays_what_it_was(own: Sentences) -> None:
    first = compile_grammar(own, speech_home())
    before = told(first)
    compile_grammar(own, large_home(30), before=first)
    assert told(first) == before
    assert told(compile_grammar(own, speech_home(), before=first)) == before


def test_work_is_taken_over_only_where_it_fits(own: Sentences, english: Sentences) -> None:
    grammar = compile_grammar(own, speech_home())
    for sentences, home in ((english, speech_home()), (own, Home())):
        other = compile_grammar(sentences, home, before=grammar)
        assert other.compiler is not grammar.compiler
        assert told(other) == told(compile_grammar(sentences, home))
    assert told(compile_grammar(own, speech_home(), talk=True, before=grammar)) == told(
        compile_grammar(own, speech_home(), talk=True)
    )


def test_names_that_are_gone_do_not_pile_up(own: Sentences) -> None:
    grammar = first = compile_grammar(own, speech_home())
    for number in range(200):
        entities = [replace(each, name=f"{each.name} {number}") for each in speech_home().entities.values()]
        home = Home.of(speech_home().floors.values(), speech_home().areas.values(), entities)
        grammar = compile_grammar(own, home, before=grammar)
        if grammar.compiler is not first.compiler:
            break
    assert grammar.compiler is not first.compiler


def test_two_threads_with_one_grammar_before(own: Sentences) -> None:
    before = compile_grammar(own, speech_home())
    homes = [large_home(20, seed) for seed in range(6)]
    found: dict[int, Grammar] = {}

    def renew(number: int) -> None:
        found[number] = compile_grammar(own, homes[number], before=before)

    threads = [threading.Thread(target=renew, args=(number,)) for number in range(len(homes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(told(found[number]) == told(compile_grammar(own, home)) for number, home in enumerate(homes))


def test_after_a_home_that_was_too_large(own: Sentences, monkeypatch: pytest.MonkeyPatch) -> None:
    grammar = compile_grammar(own, speech_home())
    assert grammar.compiler is not None
    monkeypatch.setattr(grammar.compiler.words, "_max_nodes", len(grammar.compiler.words) + 10)
    with pytest.raises(SentenceError):
        compile_grammar(own, large_home(60), before=grammar)
    monkeypatch.undo()
    renewed = compile_grammar(own, speech_home(), before=grammar)
    assert told(renewed) == told(compile_grammar(own, speech_home()))
