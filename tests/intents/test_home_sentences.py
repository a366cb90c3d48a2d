"""Templates as automata: counted, sampled, compared."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from hearth_core.home import Home
from hearth_intents.home_sentences import HomeSentences, HomeTemplate
from hearth_intents.sentences import load_sentences

# Ten choices in each of twelve places: 10^12 sentences.
HUGE = " ".join(f"({'|'.join(f'w{place}x{choice}' for choice in range(10))})" for place in range(12))


def _sentences(folder: Path, *templates: str) -> HomeSentences:
    lines = "".join(f"          - '{template}'\n" for template in templates)
    (folder / "own.yaml").write_text(
        f"language: en\nintents:\n  A:\n    data:\n      - sentences:\n{lines}"
        "lists:\n  hue: {values: [red, dark blue]}\n  any: {wildcard: true}\n"
        "expansion_rules: {free: 'the {any}'}\n"
    )
    return HomeSentences(load_sentences("en", [folder], builtin=False), Home())


def _nodes(sentences: HomeSentences) -> list[HomeTemplate]:
    assert sentences.templates
    return list(sentences.templates)


@pytest.mark.parametrize(
    ("template", "count"),
    [("go", 1), ("go [now]", 2), ("(a|b|c) (d|e)", 6), ("paint {hue}", 2), (HUGE, None)],
)
def test_sentences_are_counted_without_unfolding_them(template: str, count: int | None, tmp_path: Path) -> None:
    sentences = _sentences(tmp_path, template)
    (found,) = _nodes(sentences)
    counted = sentences.count(found.node)
    assert counted == count if count is not None else counted == 10**12


def test_every_sample_is_a_sentence_and_every_sentence_comes(tmp_path: Path) -> None:
    sentences = _sentences(tmp_path, "(paint|colour) [it] {hue} [now]")
    (template,) = _nodes(sentences)
    rng = Random(7)
    found = {sentences.sample(template.node, rng) for _ in range(500)}
    assert len(found) == 16
    assert all(sentences.accepts(template.node, words) for words in found)
    assert not sentences.accepts(template.node, ("paint", "it"))
    assert not sentences.accepts(template.node, ("paint", "it", "green"))


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("go (left|right)", "[please] go (right|up)", "go right"),
        ("go left", "go right", None),
        ("paint {hue}", "paint dark (blue|green)", "paint dark blue"),
        ("a [b] [c]", "a c", "a c"),
    ],
)
def test_what_two_templates_share_is_found(one: str, other: str, shared: str | None, tmp_path: Path) -> None:
    sentences = _sentences(tmp_path, one, other)
    first, second = _nodes(sentences)
    words = sentences.common(first.node, second.node)
    assert (words and " ".join(words)) == shared


@pytest.mark.parametrize(
    ("templates", "inside"),
    [
        (("go left", "go (left|right)"), True),
        (("go (left|right)", "go left"), False),
        (("go (left|right)", "go left", "go right"), True),
        (("a [b]", "a", "[x] a b"), True),
        (("paint {hue}", "paint red"), False),
    ],
)
def test_what_others_say_wholly_is_found(templates: tuple[str, ...], inside: bool, tmp_path: Path) -> None:
    sentences = _sentences(tmp_path, *templates)
    first, *others = _nodes(sentences)
    assert sentences.within(first.node, [other.node for other in others]) == inside


def test_free_text_has_no_automaton(tmp_path: Path) -> None:
    sentences = _sentences(tmp_path, "say {any}", "say <free>", "say it")
    assert [bool(t.node) for t in _nodes(sentences)] == [False, False, True]
    assert [sentences.has_free_text(t) for t in _nodes(sentences)] == [True, True, False]


def test_templates_know_where_they_stand(tmp_path: Path) -> None:
    sentences = _sentences(tmp_path, "one", "two")
    assert [t.where for t in _nodes(sentences)] == [f"{tmp_path / 'own.yaml'}:{line}" for line in (6, 7)]
    builtin = HomeSentences(load_sentences("en"), Home())
    assert {t.where.partition(":")[0] for t in builtin.templates if t.intent == "HassNevermind"} == {
        "home-assistant-intents"
    }
