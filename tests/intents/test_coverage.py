"""What the sentences reach in a home."""

from __future__ import annotations

from pathlib import Path

from hearth_core.home import Area, Entity, Floor, Home
from hearth_intents.coverage import coverage, intents_of_languages
from hearth_intents.sentences import load_sentences

HOME = Home.of(
    [Floor("up", "Upstairs")],
    [Area("den", "Den")],
    [Entity("light.desk", "Desk"), Entity("switch.kettle", "Kettle"), Entity("light.tree", "🎄")],
)


def test_things_and_places_have_the_intents_that_can_name_them(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "language: en\nintents:\n"
        "  Shine:\n    data:\n      - sentences: ['shine <it>']\n        requires_context: {domain: light}\n"
        "      - sentences: ['shine in {area}']\n"
        "  Boil:\n    data:\n      - sentences: ['boil [the] {name}']\n        excludes_context: {domain: light}\n"
        "  Lock:\n    data:\n      - sentences: ['lock {name}']\n        requires_context: {domain: lock}\n"
        "  Say:\n    data:\n      - sentences: ['say {what}']\n"
        "expansion_rules: {it: 'the {name}'}\nlists: {what: {wildcard: true}}\n"
    )
    found = coverage(load_sentences("en", [tmp_path], builtin=False), HOME)
    assert found.things == {"light.desk": ("Shine",), "switch.kettle": ("Boil",), "light.tree": ()}
    assert found.unnamed == ("light.tree",)
    assert found.places == {"den": ("Shine",), "up": ()}
    assert found.intents == {"Boil": 1, "Say": 1, "Shine": 2}
    assert found.silent == ("Lock",)


def test_languages_have_counts() -> None:
    rows = {language: (intents, templates) for language, intents, templates in intents_of_languages()}
    assert len(rows) > 50
    assert rows["en"][0] > 40
    assert rows["en"][1] > 500
