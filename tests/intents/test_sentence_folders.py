"""Sentence files that change: the good are taken, the bad are told, and what was good before them stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hearth_core.command import Context
from hearth_core.errors import SentenceError
from hearth_core.home import Home
from hearth_intents.matcher import Matcher
from hearth_intents.sentence_folders import SentenceFolders


def _file(path: Path, *templates: str, extra: str = "") -> Path:
    lines = "".join(f'          - "{template}"\n' for template in templates)
    intent = path.stem.title()
    path.write_text(f"language: en\nintents:\n  {intent}:\n    data:\n      - sentences:\n{lines}{extra}")
    # a file system's clock may be coarse; an author's is not that fast
    stamp = path.stat().st_mtime_ns + len(path.read_text()) * 1_000_000
    os.utime(path, ns=(stamp, stamp))
    return path


def _understood(folders: SentenceFolders, text: str) -> str | None:
    matches = Matcher(folders.load(), Home()).match(text, Context())
    return matches[0].intent if matches else None


@pytest.fixture
def folders(tmp_path: Path) -> SentenceFolders:
    _file(tmp_path / "red.yaml", "paint it red")
    _file(tmp_path / "blue.yaml", "paint it blue")
    found = SentenceFolders("en", [tmp_path], builtin=False)
    found.load()
    return found


def test_change_is_seen_when_it_has_come_to_rest(folders: SentenceFolders, tmp_path: Path) -> None:
    assert [folders.changed() for _ in range(3)] == [False] * 3
    _file(tmp_path / "red.yaml", "paint it dark red")
    assert [folders.changed(), folders.changed()] == [False, True]
    assert _understood(folders, "paint it dark red") == "Red"
    assert _understood(folders, "paint it red") is None
    assert not folders.changed()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("language: en\nintents: [", 2),
        ("language: en\nintents:\n  Red:\n    data:\n      - sentences: ['go {nowhere}']\n", 5),
        ("language: en\nexpansion_rules: {a: '<b>', b: '<a>'}\n", 2),
        ("", 1),
    ],
    ids=["not YAML", "unknown list", "recursive rule", "empty"],
)
def test_bad_file_is_told_once_and_its_last_good_text_stays(
    text: str, line: int, folders: SentenceFolders, tmp_path: Path
) -> None:
    red = tmp_path / "red.yaml"
    red.write_text(text)
    assert _understood(folders, "paint it red") == "Red"
    (problem,) = folders.news()
    assert problem.message.startswith(f"{red}:{line}:")
    assert folders.keeps(problem)
    _file(tmp_path / "blue.yaml", "paint it light blue")  # another file changes meanwhile
    assert _understood(folders, "paint it red") == "Red"
    assert _understood(folders, "paint it light blue") == "Blue"
    assert folders.news() == (), "it was told already"
    _file(red, "paint it very red")
    assert _understood(folders, "paint it very red") == "Red"
    assert _understood(folders, "paint it red") is None
    red.write_text(text)
    folders.load()
    assert folders.news(), "it is bad again, which is news"


def test_deleted_file_is_gone_even_if_it_was_bad(folders: SentenceFolders, tmp_path: Path) -> None:
    (tmp_path / "red.yaml").write_text("bad: [")
    assert _understood(folders, "paint it red") == "Red"
    (tmp_path / "red.yaml").unlink()
    assert _understood(folders, "paint it red") is None
    assert folders.load().problems == ()


def test_file_that_was_never_good_is_left_out(folders: SentenceFolders, tmp_path: Path) -> None:
    (tmp_path / "green.yaml").write_text("bad: [")
    folders.load()
    (problem,) = folders.news()
    assert not folders.keeps(problem)
    assert _understood(folders, "paint it blue") == "Blue"


def test_last_good_text_that_lost_its_rule_is_left_out_too(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("language: en\nexpansion_rules: {hue: '(red|blue)'}\n")
    _file(tmp_path / "user.yaml", "paint it <hue>")
    folders = SentenceFolders("en", [tmp_path], builtin=False)
    assert _understood(folders, "paint it red") == "User"
    rules.unlink()
    assert _understood(folders, "paint it red") is None
    assert any("hue" in problem.message for problem in folders.news())


def test_folder_that_is_taken_away_is_an_error_once(folders: SentenceFolders, tmp_path: Path) -> None:
    for path in tmp_path.iterdir():
        path.unlink()
    tmp_path.rmdir()
    assert [folders.changed(), folders.changed()] == [False, True]
    with pytest.raises(SentenceError, match="is not a folder"):
        folders.load()
    assert not folders.changed()
    assert _understood(folders, "paint it red") == "Red"
