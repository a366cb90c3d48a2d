"""One sentence file, whole and broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_core.errors import SentenceError
from hearth_intents.sentence_file import read_sentence_file
from hearth_intents.source_file import MAX_FILE_BYTES

GOOD = """\
# "brew me a tea"
language: en
intents:
  Brew:
    data:
      - sentences:
          - "brew [me] a {tea}"
        slots: {pot: 1}
        action:
          service: script.turn_on
          target: {entity_id: script.kettle}
          data: {variables: {tea: "{{ slots.tea }}"}}
lists:
  tea:
    values:
      - green
      - {in: "(black|dark)", out: black}
  cups:
    range: {from: 1, to: 4}
expansion_rules:
  me: "(me|us)"
responses:
  intents:
    Brew: {default: "One {{ slots.tea }} tea"}
"""


def _write(folder: Path, text: str | bytes) -> Path:
    path = folder / "own.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    model = read_sentence_file(_write(tmp_path, GOOD)).model
    (block,) = model.intents["Brew"].data
    assert block.sentences == ["brew [me] a {tea}"]
    assert block.action is not None
    assert block.action.as_data() == {
        "service": "script.turn_on",
        "entity_id": ["script.kettle"],
        "data": {"variables": {"tea": "{{ slots.tea }}"}},
    }
    assert model.responses.intents["Brew"]["default"].startswith("One")


def _changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "empty"),
        ("- a\n- b\n", 1, "valid dictionary"),
        ("just text", 1, "valid dictionary"),
        (_changed("language: en", "language: [en"), 3, "not YAML"),
        (_changed("language: en\n", ""), 2, "lacks language"),
        (_changed("language: en", "language: english please"), 2, "language: String should match"),
        (_changed("  Brew:\n    data:", "  Brew:\n    data:\n   x:"), 6, "not YAML"),
        (_changed("- sentences:", "- sentence:"), 6, "has no key sentence"),
        (_changed('- "brew [me] a {tea}"', "- 5"), 7, "valid string"),
        (_changed("- green", "- on"), 16, "valid string"),
        (_changed("service: script.turn_on", "service: turn on"), 10, "service: String should match"),
        (_changed("target: {entity_id: script.kettle}", "target: {area: kitchen}"), 11, "has no key area"),
        (_changed("          target:", "          entity_id: a.b\n          target:"), 9, "either target or entity_id"),
        (_changed("from: 1, to: 4", "from: 4, to: 1"), 19, "to is less than from"),
        (_changed("from: 1, to: 4", "from: 1, to: 4000000"), 19, "more than 10000 numbers"),
        (_changed("range: {from: 1, to: 4}", "wildcard: false"), 19, "wildcard"),
        (_changed("range: {from: 1, to: 4}", "{}"), 18, "one of values, range and wildcard"),
        (_changed("  cups:", "  tea:"), 18, "tea stands here twice"),
        (_changed("(me|us)", "m" * 3000), 21, "at most 2000 characters"),
        (_changed("green", "\x07"), 1, "not YAML"),
        (GOOD + "x: &x [*x]\n", 1, "nested too deeply"),
        ("[" * 3000, 1, "nested too deeply"),
        ("a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{c}: &{c} [{','.join([f'*{b}'] * 9)}]\n" for b, c in zip(
            "abcdefgh", "bcdefghi", strict=True)), 0, "more than 50000 values"),
        (b"language: en\n# caf\xe9\n", 2, "not UTF-8"),
        ("#" * (MAX_FILE_BYTES + 1), 0, "larger than 512 KiB"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(text: str | bytes, line: int, message: str, tmp_path: Path) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(SentenceError) as caught:
        read_sentence_file(path)
    assert message in caught.value.message
    assert caught.value.message.startswith(f"{path}:{line}:" if line else f"{path}:")
    assert "\n" not in str(caught.value)


def test_a_value_without_quotes_gets_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(SentenceError, match="Put it in quotes"):
        read_sentence_file(_write(tmp_path, _changed("- green", "- on")))


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SentenceError, match="cannot be read"):
        read_sentence_file(tmp_path / "none.yaml")


@given(at=st.integers(0, len(GOOD)), junk=st.text(max_size=5))
def test_a_damaged_file_is_read_or_an_error(at: int, junk: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("damaged") / "own.yaml"
    path.write_bytes((GOOD[:at] + junk + GOOD[at + len(junk) :]).encode("utf-8", "surrogatepass"))
    try:
        read_sentence_file(path)
    except SentenceError as error:
        assert str(path) in error.message  # noqa: PT017  (either way is right; another exception is not)
