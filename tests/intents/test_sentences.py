"""The sentences of a language, with an author's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from hearth_core.command import Context
from hearth_core.errors import SentenceError
from hearth_core.home import Home
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import Sentences, action_of, is_authors, languages, load_sentences


def _file(path: Path, *templates: str, block: dict[str, Any] | None = None, **top: Any) -> Path:
    data = {"language": "en", "intents": {"Own": {"data": [{"sentences": list(templates), **(block or {})}]}}, **top}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return path


def _understood(sentences: Sentences, text: str) -> str | None:
    matches = Matcher(sentences, Home()).match(text, Context())
    return matches[0].intent if matches else None


def test_english_is_there_with_responses() -> None:
    sentences = load_sentences("en")
    assert sentences.problems == ()
    assert sentences.responses["HassTurnOn"]["lights_area"]
    assert sentences.errors["no_intent"]
    assert sentences.domains["HassLightSet"] == "light"
    assert "HassTurnOn" not in sentences.domains


@pytest.mark.parametrize(("language", "found"), [("en-GB", "en"), ("EN_us", "en"), ("de-CH", "de-CH"), ("de-AT", "de")])
def test_the_nearest_language_is_taken(language: str, found: str) -> None:
    assert load_sentences(language).language == found


@pytest.mark.parametrize("language", ["tlh", "", "../en", "english"])
def test_an_unknown_language_is_an_error(language: str) -> None:
    with pytest.raises(SentenceError, match=r"no sentences in .* Choose one of .*en"):
        load_sentences(language)


def test_every_language_loads() -> None:
    for language in languages():
        assert load_sentences(language).intents.intents


def test_author_files_stand_in_the_folder_or_in_the_folder_of_the_language(tmp_path: Path) -> None:
    _file(tmp_path / "a.yaml", "alpha")
    _file(tmp_path / "en" / "deep" / "b.yml", "beta")
    _file(tmp_path / "de" / "c.yaml", "gamma", language="de")
    _file(tmp_path / "d.yaml", "delta", language="de")
    sentences = load_sentences("en-GB", [tmp_path])
    assert sentences.problems == ()
    said = {text: _understood(sentences, text) for text in ("alpha", "beta", "gamma", "delta", "what time is it")}
    assert said == {
        "alpha": "Own",
        "beta": "Own",
        "gamma": None,
        "delta": None,
        "what time is it": "HassGetCurrentTime",
    }


def test_without_builtin_there_is_only_the_authors(tmp_path: Path) -> None:
    _file(tmp_path / "a.yaml", "alpha", block={"action": {"service": "a.b", "entity_id": "c.d"}})
    sentences = load_sentences("en", [tmp_path], builtin=False)
    (intent,) = sentences.intents.intents.values()
    (block,) = intent.data
    assert is_authors(block)
    assert action_of(block) == {"service": "a.b", "entity_id": ["c.d"], "data": {}}
    assert _understood(sentences, "what time is it") is None


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SentenceError, match="is not a folder"):
        load_sentences("en", [tmp_path / "none"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"templates": ["go (now"]}, "cannot parse"),
        ({"templates": ["fine", "go {nowhere}"]}, "no list {nowhere}"),
        ({"templates": ["go <nowhere>"]}, "no rule <nowhere>"),
        ({"templates": ["go"], "expansion_rules": {"a": "b <a>"}}, "contains itself"),
        ({"templates": ["go"], "expansion_rules": {"light": "x <home>", "home": "<light>"}}, "contains itself"),
        ({"templates": ["[a] " * 40]}, "too many ways"),
        ({"templates": ["go"], "lists": {"a": {"values": ["b {c}"]}}}, "no list {c}"),
        ({"templates": ["go"], "lists": {"a": {"values": ["b {name}"]}}}, "cannot hold another list"),
        ({"templates": ["go"], "block": {"expansion_rules": {"a": "(b"}}}, "cannot parse"),
        ({"templates": ["go"], "responses": {"intents": {"Own": {"default": "{{ x"}}}}, "not a Jinja template"),
        (
            {"templates": ["go"], "block": {"action": {"service": "a.b", "data": {"c": ["{% if %}"]}}}},
            "not a Jinja template",
        ),
    ],
)
def test_a_bad_file_is_left_out_and_the_others_work(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    bad = _file(tmp_path / "bad.yaml", *change.pop("templates"), **change)
    _file(tmp_path / "good.yaml", "alpha")
    sentences = load_sentences("en", [tmp_path])
    (problem,) = sentences.problems
    assert message in problem.message
    path, line, _ = problem.message.split(":", 2)
    assert path == str(bad)
    assert int(line) > 1
    assert problem.remedy
    assert _understood(sentences, "alpha") == "Own"
    assert _understood(sentences, "go") is None


def test_the_line_is_that_of_the_template(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        "language: en\nintents:\n  A:\n    data:\n      - sentences:\n          - fine\n          - go {x}\n"
    )
    (problem,) = load_sentences("en", [tmp_path]).problems
    assert problem.message.startswith(f"{path}:7:13: ")


def test_files_share_rules_and_lists_and_fall_together(tmp_path: Path) -> None:
    _file(tmp_path / "a.yaml", "go <far>")
    other = _file(tmp_path / "b.yaml", "stay", expansion_rules={"far": "(away|off)"})
    assert load_sentences("en", [tmp_path]).problems == ()
    _file(other, "stay {x}", expansion_rules={"far": "(away|off)"})
    messages = " ".join(problem.message for problem in load_sentences("en", [tmp_path]).problems)
    assert "no list {x}" in messages
    assert "no rule <far>" in messages


def test_more_values_for_a_list_of_home_assistants(tmp_path: Path) -> None:
    _file(tmp_path / "a.yaml", "paint it {color}", lists={"color": {"values": ["teal"]}})
    sentences = load_sentences("en", [tmp_path])
    assert _understood(sentences, "paint it teal") == "Own"
    assert _understood(sentences, "paint it red") == "Own"


def test_an_astronomic_template_stays_quick(tmp_path: Path) -> None:
    words = " ".join(f"[word{n}]" for n in range(150))
    rules = {"r0": "a b", **{f"r{n}": f"<r{n - 1}> <r{n - 1}>" for n in range(1, 60)}}
    _file(tmp_path / "a.yaml", f"go {words}")
    _file(tmp_path / "b.yaml", "<r59>", expansion_rules=rules)
    sentences = load_sentences("en", [tmp_path])
    assert len(sentences.problems) == 1
    assert "too large" in sentences.problems[0].message
    assert _understood(sentences, "go word3 word7 word149") == "Own"
    assert _understood(sentences, "go word7 word3") is None
