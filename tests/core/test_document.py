"""YAML files: values with their places; whatever is wrong is a problem with a line, never an exception or a flood."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_core.document import MAX_BYTES, Mark, parse, read, spelled
from hearth_core.errors import ConfigError


def test_values_and_their_places() -> None:
    document = parse(b"a: 1\nb:\n  - x: on\n  - 2.5\nc: {d: null, 'e': '1'}\non: 2026-11-20\n", "f")
    assert document.problems == []
    assert document.data == {"a": 1, "b": [{"x": True}, 2.5], "c": {"d": None, "e": "1"}, "on": "2026-11-20"}
    places = {spelled(path): mark for path, mark in document.marks.items()}
    assert places["a"] == Mark(1, 1)
    assert places["b[0].x"] == Mark(3, 5)
    assert places["b[1]"] == Mark(4, 5)
    assert places["c.e"] == Mark(5, 14)


def test_aliases_are_values_like_others() -> None:
    assert parse(b"a: &x {k: 1}\nb: *x\n", "f").data == {"a": {"k": 1}, "b": {"k": 1}}


@pytest.mark.parametrize(
    ("raw", "line", "message"),
    [
        (b"a: [1\nb: 2", 2, "is not YAML"),
        (b"a: 1\n\tb: 2", 2, "Indent with spaces"),
        (b"a: 1\n b: 2", 2, "is not YAML"),
        (b"a: 1\nb: 2\na: 3\n", 3, "there twice, first in line 1"),
        (b"x:\n  a: 1\n  a: 3\n", 3, "x.a: is there twice, first in line 2"),
        (b"a: 1\nb: \xff\n", 2, "not UTF-8"),
        (b"a: 1\nb: \x07\n", 2, "a character that YAML does not allow, 0x7"),
        (b"a\n---\nb\n", 2, "another document"),
        (b"a: *b", 1, "undefined alias"),
        (b"a: !!python/name:os.system x\n", 1, "a: has the tag"),
        (b"a: !!binary aGk=\n", 1, "a: has the tag"),
        (b"a: " + b"1" * 5000, 1, "a: is not a value of the kind int"),
        (b'a: "\\ud800"', 1, "a: is not a value"),
        (b"? [a]\n: 1\n", 1, "a key that is not a word"),
        (b"&a [*a]", 1, "nested deeper"),
        (b"[" * 5000, 1, "nested too deep"),
        (b"- " * 41 + b"x", 1, "nested deeper"),
    ],
)
def test_mistakes_are_told_with_their_line(raw: bytes, line: int, message: str) -> None:
    problems = parse(raw, "f").problems
    assert len(problems) == 1
    assert problems[0].line == line
    assert message in str(problems[0])
    assert str(problems[0]).startswith(f"f:{line}: ")
    assert str(problems[0]).isprintable()
    assert problems[0].remedy


def test_a_tagged_list_is_a_list_and_no_call() -> None:
    assert parse(b"a: !!python/object/apply:os.system [ls]\n", "f").data == {"a": ["ls"]}


def test_an_alias_bomb_does_not_go_off() -> None:
    levels = ["a: &l0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    levels += [f"b{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 10)]
    (problem,) = parse("\n".join(levels).encode(), "f").problems
    assert "when its aliases are unfolded" in problem.message


@given(st.binary(max_size=60) | st.text("ab:-[]{}&*!|>'\"?,#% \n\t1", max_size=60).map(str.encode))
def test_any_bytes_give_values_or_problems(raw: bytes) -> None:
    for problem in parse(raw, "f").problems:
        assert problem.line >= 1
        assert problem.column >= 1


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "large.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    for name, message in (("none.yaml", "does not exist"), (".", "is not a file"), ("large.yaml", "is larger than")):
        with pytest.raises(ConfigError, match=message) as raised:
            read(tmp_path / name)
        assert raised.value.remedy
