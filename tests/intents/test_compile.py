"""The home's grammar, compared with what hassil makes of the same templates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hassil.recognize import recognize
from hassil.sample import sample_expression
from hypothesis import given, settings
from hypothesis import strategies as st

from hearth_core.command import Context
from hearth_core.errors import SentenceError
from hearth_core.home import Area, Entity, Floor, Home
from hearth_intents import compile as compiling
from hearth_intents.compile import compile_grammar
from hearth_intents.graph import WordGraph
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import Sentences, load_sentences
from tests.intents.homes import large_home, speech_home

BARISTA = Path(__file__).parents[2] / "examples" / "barista" / "sentences"


@pytest.fixture(scope="module")
def english() -> Sentences:
    return load_sentences("en", [BARISTA])


def _sentences(folder: Path, *templates: str, block: dict[str, Any] | None = None, **top: Any) -> Sentences:
    data = {"language": "en", "intents": {"Do": {"data": [{"sentences": list(templates), **(block or {})}]}}, **top}
    (folder / "own.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    sentences = load_sentences("en", [folder], builtin=False)
    assert sentences.problems == ()
    return sentences


def _paths(graph: WordGraph, state: int = 0) -> Iterator[tuple[str, ...]]:
    if state in graph.finals:
        yield ()
    for _, to, word in graph.leaving(state):
        yield from ((graph.words[word], *rest) for rest in _paths(graph, int(to)))


def _all(sentences: Sentences, home: Home | None = None) -> set[str]:
    said = [" ".join(words) for words in _paths(compile_grammar(sentences, home or Home()).graph)]
    assert len(said) == len(set(said)), "the graph is not deterministic"
    return set(said)


def _by_hassil(sentences: Sentences) -> set[str]:
    intents = sentences.intents
    texts = (
        text
        for intent in intents.intents.values()
        for block in intent.data
        for sentence in block.sentences
        for text in sample_expression(
            sentence.expression,
            {**intents.slot_lists, **block.slot_lists},
            {**intents.expansion_rules, **block.expansion_rules},
            language="en",
        )
    )
    return {" ".join(text.lower().replace("-", " ").split()) for text in texts} - {""}


@pytest.mark.parametrize(
    "template",
    [
        "turn on [the] light[s]",
        "turn[ed] (on|off)",
        "[please] (a|b [c [d]]) e",
        "light(s|) [on];off",
        "(x;y;z)",
        "go (now;[the] fast;[very] far) away",
        "air-conditioner [up]",
        "<verb> [<the>] thing",
        "set {size} and {size:other}",
        "set to {level}",
        "{level}[ percent]",
        "a[b]c[d] e",
        "What's UP",
    ],
)
def test_the_graph_says_what_hassil_says(template: str, tmp_path: Path) -> None:
    rules = {"verb": "(do|make <the>)", "the": "(the|my)"}
    level = {"range": {"from": 98, "to": 101, "digits": False}}
    lists = {"size": {"values": ["small", "(very|extra) large", {"in": "big[ger]", "out": 3}]}, "level": level}
    sentences = _sentences(tmp_path, template, expansion_rules=rules, lists=lists)
    expected = {text for text in _by_hassil(sentences) if not any(c.isdigit() for c in text)}
    assert _all(sentences) == expected


texts = st.sampled_from(["a", "b", "c d", "e"])


def _wider(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        several.map(" ".join),
        several.map(lambda items: f"({'|'.join(items)})"),
        inner.map(lambda item: f"[{item}]"),
        st.lists(inner, min_size=2, max_size=3).map(lambda items: f"({';'.join(items)})"),
    )


templates = st.recursive(st.one_of(texts, st.sampled_from(["<r>", "{l}"])), _wider, max_leaves=6)


@settings(max_examples=60)
@given(template=templates, rule=st.recursive(texts, _wider, max_leaves=3))
def test_random_templates_say_what_hassil_says(
    template: str, rule: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lists = {"l": {"values": ["x", "x y", "b"]}}
    folder = tmp_path_factory.mktemp("random")
    sentences = _sentences(folder, f"go {template}", expansion_rules={"r": rule}, lists=lists)
    said = _all(sentences)
    assert said == _by_hassil(sentences)
    for text in sorted(said)[:20]:
        assert recognize(text, sentences.intents), text


def test_free_text_is_left_out_where_it_stands(tmp_path: Path) -> None:
    sentences = _sentences(tmp_path, "note [that {what}]", "write {what}", lists={"what": {"wildcard": True}})
    assert _all(sentences) == {"note"}


def test_ranges_may_stand_in_the_template(tmp_path: Path) -> None:
    expected = {"from nine", "from ten", "to two", "to four"}
    assert _all(_sentences(tmp_path, "from {9..10:start}|to {2..5,2:stop}")) == expected


def test_signs_and_digits_are_said(tmp_path: Path) -> None:
    sentences = _sentences(tmp_path, "dim to {1..2:level}%", "movie 2 & rest", "half|1/2")
    assert _all(sentences) == {"dim to one percent", "dim to two percent", "movie two and rest", "half"}
    matcher = Matcher(sentences, Home())
    for text in _all(sentences):
        assert matcher.match(text, Context()), text


def test_texts_glued_to_a_list_make_words_with_its_values(tmp_path: Path) -> None:
    sentences = _sentences(tmp_path, "{room}s|{room} on|super{room}", lists={"room": {"values": ["hall", "big den"]}})
    assert _all(sentences) == {"halls", "big dens", "hall on", "big den on", "superhall", "superbig den"}


def test_local_rules_and_lists_go_before_others(tmp_path: Path) -> None:
    block = {"expansion_rules": {"r": "near"}, "lists": {"l": {"values": ["local"]}}}
    sentences = _sentences(
        tmp_path, "<r> {l}", block=block, expansion_rules={"r": "far"}, lists={"l": {"values": ["global"]}}
    )
    assert _all(sentences) == {"near local"}


def test_skipped_words_may_stand_at_either_end_and_requests_before(tmp_path: Path) -> None:
    sentences = _sentences(tmp_path, "go", skip_words=["please", "could you"])
    said = _all(sentences)
    before = {"", "please ", "please please ", "could you ", "could you please ", "please could you "}
    assert said == {f"{polite}go{after}" for polite in before for after in ("", " please")}


def test_a_language_whose_requests_are_not_known_has_them_at_either_end(tmp_path: Path) -> None:
    intents = {"Do": {"data": [{"sentences": ["geh"]}]}}
    data = {"language": "de", "skip_words": ["bitte", "kannst du"], "intents": intents}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    said = _all(load_sentences("de", [tmp_path], builtin=False))
    assert {"geh", "bitte kannst du geh bitte", "geh kannst du"} <= said
    assert len(said) == 7 * 3  # before: none, one of two, two of two; after: none, one of two


def test_a_request_stands_before_a_verb_or_an_authors_sentence(english: Sentences) -> None:
    graph = compile_grammar(english, speech_home(), talk=True).graph
    for said in (
        "could you turn on the desk lamp",
        "please could you turn on the desk lamp for me",
        "i'd like to turn it off",
        "would you tell me the outdoor humidity",
        "can you brew a latte",  # of the author's coffee shop
        "the desk lamp on",
        "what time is it please",
    ):
        assert graph.accepts(said.split()), said
    for said in (
        "could you the desk lamp on",
        "would you what time is it",
        "i'd like to and the office",
        "can you yes",
        "turn on the desk lamp would you",
        "could you would you turn on the desk lamp",
    ):
        assert not graph.accepts(said.split()), said


def test_what_is_left_out_of_texts_alone_is_not_said(tmp_path: Path) -> None:
    said = _all(_sentences(tmp_path, "go", skip_words=["please", "for me", "I want"]))
    assert said == {"go", "please go", "please please go", "go please", "go for me"} | {
        f"{before} {after}" for before in ("please go", "please please go") for after in ("please", "for me")
    }


def test_words_of_numbers_are_known_but_for_those_of_sentences(english: Sentences) -> None:
    numbers = compile_grammar(english, speech_home(), talk=True).numbers
    assert {"zero", "seventy", "eleven", "hundred"} <= numbers
    assert numbers.isdisjoint({"one", "percent", "light"})  # "the other one"


def test_names_are_limited_by_context(tmp_path: Path) -> None:
    home = Home.of((), (), [Entity("light.a", "Lamp"), Entity("cover.b", "Blind"), Entity("lock.c", "Lock")])
    open_it = _sentences(tmp_path, "open {name}", "open all", block={"requires_context": {"domain": ["cover"]}})
    # "open all" names nothing that could bring the domain: hassil never matches it
    assert _all(open_it, home) == {"open blind"}
    other = _sentences(tmp_path, "see {name}", block={"excludes_context": {"domain": ["cover", "lock"]}})
    assert _all(other, home) == {"see lamp"}


def test_a_name_goes_with_its_own_place(tmp_path: Path) -> None:
    areas = [Area("k", "Kitchen", floor_id="g"), Area("o", "Office", floor_id="u")]
    things = [Entity("light.a", "Lamp", area_id="k"), Entity("light.b", "Spot", area_id="o"), Entity("light.c", "Sun")]
    home = Home.of([Floor("g", "Ground"), Floor("u", "Upstairs")], areas, things)
    assert _all(_sentences(tmp_path, "light {name} [in {area}]"), home) == {
        *("light lamp", "light spot", "light sun"),
        *("light lamp in kitchen", "light spot in office"),
    }
    assert _all(_sentences(tmp_path, "light {name} {floor}"), home) == {"light lamp ground", "light spot upstairs"}
    assert len(_all(_sentences(tmp_path, "{area} {floor}"), home)) == 4


def test_names_without_words_are_reported(tmp_path: Path) -> None:
    home = Home.of((), (), [Entity("light.a", "💡"), Entity("light.b", "Kitchen TV")])
    grammar = compile_grammar(_sentences(tmp_path, "see {name}"), home)
    assert grammar.unspeakable == ("💡",)
    assert grammar.names == ("Kitchen TV",)
    assert grammar.spoken == {"tv": "t v"}
    assert set(_paths(grammar.graph)) == {("see", "kitchen", "tv")}


def test_nothing_to_say_is_a_graph_of_nothing(tmp_path: Path) -> None:
    graph = compile_grammar(_sentences(tmp_path, "see {name}"), Home()).graph
    assert (graph.states, len(graph.arcs), len(graph.finals)) == (1, 0, 0)
    assert not compile_grammar(_sentences(tmp_path, "[silence]"), Home()).graph.accepts([])


def test_things_that_the_home_has_not_are_not_spoken_of(english: Sentences) -> None:
    home = Home.of((), [Area("k", "Kitchen")], [Entity("cover.b", "Blind", area_id="k")])
    graph = compile_grammar(english, home).graph
    assert graph.accepts(["open", "the", "blind"])
    assert graph.accepts(["what", "time", "is", "it"])
    for said in ("turn on the kitchen lights", "what is the weather", "pause", "start mowing", "fans on"):
        assert not graph.accepts(said.split()), said


def test_intents_can_be_left_out(english: Sentences) -> None:
    home = speech_home()
    assert compile_grammar(english, home).graph.accepts(["set", "a", "timer", "for", "five", "minutes"])
    small = compile_grammar(english, home, left_out={"HassStartTimer"}).graph
    assert not small.accepts(["set", "a", "timer", "for", "five", "minutes"])


def test_arcs_are_sorted_and_the_graph_is_whole(english: Sentences) -> None:
    graph = compile_grammar(english, speech_home()).graph
    assert graph.arcs.dtype == graph.finals.dtype == "int32"
    assert (graph.arcs[1:, 0] >= graph.arcs[:-1, 0]).all()
    assert graph.arcs[:, :2].max() == graph.states - 1
    assert set(graph.arcs[:, 2].tolist()) == set(range(len(graph.words)))
    assert all(word == word.lower() and not word.isdigit() for word in graph.words)


@pytest.mark.parametrize("home", [speech_home(), large_home(60)], ids=["speech", "large"])
def test_what_the_graph_says_the_matcher_understands(home: Home, english: Sentences) -> None:
    matcher = Matcher(english, home)
    context = Context(area_id=next(iter(home.areas)))
    samples = {" ".join(words) for words in compile_grammar(english, home).graph.sample(Random(7), 300)}
    assert [text for text in samples if not matcher.match(text, context)] == []


def test_a_template_of_astronomic_size_compiles(tmp_path: Path) -> None:
    words = " ".join(f"[w{chr(97 + n // 20)}{chr(97 + n % 20)}]" for n in range(200))
    graph = compile_grammar(_sentences(tmp_path, f"go {words}"), Home()).graph
    assert graph.sentence_count() == 2**200
    assert graph.states == 202


def test_a_graph_that_is_too_large_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "MAX_ARCS", 5)
    with pytest.raises(SentenceError, match="more than 5 arcs"):
        compile_grammar(_sentences(tmp_path, "(a|b|c) (d|e|f)"), Home())


def test_text_only_block_is_matched_and_left_out_of_the_grammar(tmp_path: Path) -> None:
    sentences = _sentences(tmp_path, "only written", block={"metadata": {"text_only": True}})
    assert _all(sentences) == set()
    assert Matcher(sentences, Home()).match("only written", Context())


def test_thing_without_a_device_class_is_none_of_the_class_that_is_asked_for(tmp_path: Path) -> None:
    home = Home.of(
        (), (), [Entity("sensor.a", "Alpha", device_class="battery"), Entity("sensor.b", "Beta"), Entity("fan.c", "C")]
    )
    block = {"requires_context": {"domain": "sensor", "device_class": "battery"}}
    assert _all(_sentences(tmp_path, "charge of {name}", block=block), home) == {"charge of alpha"}
