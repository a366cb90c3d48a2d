"""What an author is told of sentences that are right by themselves."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from hearth_core.home import Entity, Home
from hearth_intents.review import Finding, Level, review
from hearth_intents.sentences import load_sentences

HOME = Home.of([], [], [Entity("switch.kettle", "Kettle")])


def _review(folder: Path, text: str, *, builtin: bool = False, budget_s: float = 20.0) -> tuple[Finding, ...]:
    (folder / "own.yaml").write_text(text)
    clock = count()
    sentences = load_sentences("en", [folder], builtin=builtin)
    passing = budget_s < 1
    return review(sentences, HOME, budget_s=budget_s, clock=lambda: float(next(clock)) if passing else 0.0)


def _two(first: str, second: str, *, first_more: str = "", second_more: str = "") -> str:
    return (
        "language: en\nintents:\n"
        f"  First:\n    data:\n      - sentences: ['{first}']\n{first_more}"
        f"  Second:\n    data:\n      - sentences: ['{second}']\n{second_more}"
    )


# Ten choices in each of twelve places: 10^12 sentences.
HUGE = " ".join(f"({'|'.join(f'w{place}x{choice}' for choice in range(10))})" for place in range(12))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (_two("go (left|right)", "go (right|up)"), [(Level.ERROR, "conflict", 8, "'go right' is said by")]),
        (_two("go (left|right)", "go left"), [(Level.ERROR, "unreachable", 8, "all that it says means First already")]),
        (_two("go left", "go right"), []),
        (_two("go {name}", "go kettle"), [(Level.ERROR, "unreachable", 8, "means First already")]),
        (_two("go kettle", "go {name}", second_more="        requires_context: {domain: light}\n"),
         [(Level.WARNING, "unsayable", 8, "cannot be said in this home")]),
        (_two("go left", "go left", second_more="        requires_context: {area: {slot: true}}\n"), []),
        (_two("go left", "stop", second_more="        response: gone\n"),
         [(Level.WARNING, "response", 9, "there is no response gone")]),
        (_two("go left", "stop", second_more="        response: Gone for good\n"), []),
        (_two("go left", "stop") + "lists: {hue: {values: [red]}}\n", [(Level.WARNING, "unused", 9, "uses {hue}")]),
        (_two("go left", "stop") + "expansion_rules: {far: away}\n", [(Level.WARNING, "unused", 9, "uses <far>")]),
        (_two("go <far>", "stop") + "expansion_rules: {far: 'to {hue}'}\nlists: {hue: {values: [red]}}\n", []),
        (_two("go {hue:colour}", "stop") + "lists: {hue: {values: [red]}}\n", []),
        (_two("go {nowhere}", "stop"), [(Level.ERROR, "file", 5, "there is no list {nowhere}")]),
        (_two(HUGE, "stop"), [(Level.WARNING, "huge", 5, "stands for 1 million million sentences")]),
        (_two("say {any}", "stop") + "lists: {any: {wildcard: true}}\n", []),
    ],
)  # fmt: skip
def test_findings_name_kind_and_line(text: str, expected: list[tuple[Level, str, int, str]], tmp_path: Path) -> None:
    found = _review(tmp_path, text)
    assert [(each.level, each.code, each.line) for each in found] == [each[:3] for each in expected], found
    for finding, (*_, message) in zip(found, expected, strict=True):
        assert message in finding.message
        assert finding.remedy
        assert finding.where.startswith(f"{tmp_path / 'own.yaml'}:{finding.line}:")


def test_same_text_with_the_same_effect_is_no_conflict(tmp_path: Path) -> None:
    text = "language: en\nintents:\n  A:\n    data:\n      - sentences: [go]\n      - sentences: ['go [now]']\n"
    assert _review(tmp_path, text) == ()


def test_same_intent_with_other_slots_or_actions_is_one(tmp_path: Path) -> None:
    blocks = "      - sentences: [go]\n        slots: {n: 1}\n      - sentences: ['go [now]']\n        slots: {n: 2}\n"
    found = _review(tmp_path, f"language: en\nintents:\n  A:\n    data:\n{blocks}")
    assert [each.code for each in found] == ["unreachable"] or [each.code for each in found] == ["conflict"]


def test_sentence_taken_from_home_assistant_is_a_note(tmp_path: Path) -> None:
    text = "language: en\nintents:\n  Own:\n    data:\n      - sentences: ['turn on the kettle']\n"
    (note,) = _review(tmp_path, text, builtin=True)
    assert (note.level, note.code, note.line) == (Level.NOTE, "taken", 5)
    assert "HassTurnOn" in note.message


def test_comparison_ends_when_its_time_is_over_and_says_so(tmp_path: Path) -> None:
    found = _review(tmp_path, _two("go (left|right)", "go (right|up)"), budget_s=0.5)
    assert [(each.level, each.code) for each in found] == [(Level.NOTE, "budget")]


def test_example_of_the_barista_is_fine() -> None:
    folder = Path(__file__).parents[2] / "examples" / "barista" / "sentences"
    assert review(load_sentences("en", [folder], builtin=False), Home()) == ()
