"""Words of names that are said as they are configured, down to the phones of both closed engines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hearth_core.audio import read_recording
from hearth_core.command import Context, Hypothesis
from hearth_core.config import Config, load
from hearth_core.g2p import guess
from hearth_core.home import Entity, Home
from hearth_core.phones import numbers
from hearth_core.settings import ServerConfig
from hearth_intents.compile import compile_grammar
from hearth_intents.grammar import Grammar
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import Sentences, load_sentences
from hearth_server.asr.micro.engine import MicroEngine
from hearth_server.asr.pocketsphinx import PocketsphinxEngine
from hearth_server.asr.registry import load_engine
from tests.fakes import silence
from tests.server.asr.micro.small import word_graph
from tests.server.asr.micro.test_phone_graph import said

PAGE = Path(__file__).parents[3] / "docs" / "micro.md"
RECORDING = Path(__file__).parents[2] / "data" / "00007_turn_on_Standing_Light.flac"
HOUSE = Home.of((), (), (Entity("light.wall", "Xiao Qing"),))

# Sentence, and all that is said for it; "mr" is the language's, and "siobhan" is in the dictionary.
SAID = {
    "turn on xiao": ["T ER N {on} SH OW", f"T ER N {{on}} {guess('shee')} OW", f"T ER N {{on}} {guess('shee')} AW"],
    "turn on xiao's": [
        "T ER N {on} SH OW Z",
        f"T ER N {{on}} {guess('shee')} OW Z",
        f"T ER N {{on}} {guess('shee')} AW Z",
    ],
    "turn on siobhan": [f"T ER N {{on}} {guess('shivawn')}"],
    "turn on mr": ["T ER N {on} M AE S T ER"],
}
GRAMMAR = Grammar("en", word_graph(SAID), spoken={"mr": "mister"})


def configured(engine: str, say_as: dict[str, list[str]]) -> ServerConfig:
    return ServerConfig.model_validate({"engine": engine, "say_as": say_as})


@pytest.fixture
def say_as() -> dict[str, list[str]]:
    return {"Xiao": ["show", "shee ow"], "siobhan": ["shivawn"], "mr": ["master"], "nobody": ["no body"]}


def test_micro_hears_what_is_configured_and_nothing_else(say_as: dict[str, list[str]]) -> None:
    engine = load_engine(configured("micro", say_as))
    assert isinstance(engine, MicroEngine)
    engine.use(GRAMMAR)
    home = engine._home
    assert home is not None
    found = set(said(home.phones))
    engine.close()
    assert found == {
        (numbers(phones.format(on=on)), tuple(sentence.split()))
        for sentence, ways in SAID.items()
        for phones in ways
        for on in ("AA N", "AO N")
    }


def test_pocketsphinx_hears_what_is_configured_and_nothing_else(say_as: dict[str, list[str]]) -> None:
    engine = load_engine(configured("pocketsphinx", say_as))
    assert isinstance(engine, PocketsphinxEngine)
    engine.use(GRAMMAR)  # the wheel takes the dictionary
    recipe = engine._recipe(GRAMMAR)
    engine.close()
    named = {sentence.split()[-1]: [way.partition("{on} ")[2] for way in ways] for sentence, ways in SAID.items()}
    assert {word: recipe.pronunciations[word] for word in named} == named


@pytest.fixture(scope="module")
def sentences() -> Sentences:
    return load_sentences("en")


@pytest.fixture(scope="module")
def grammar(sentences: Sentences) -> Grammar:
    return compile_grammar(sentences, HOUSE)


@pytest.mark.parametrize("lines", ["", "    qing: light\n"], ids=["by the rules of spelling", "one word of two"])
def test_a_name_that_is_said_otherwise_than_written_is_not_heard(lines: str, grammar: Grammar, tmp_path: Path) -> None:
    assert heard(lines, grammar, tmp_path) == ()


def test_it_is_understood_if_it_is_configured(sentences: Sentences, grammar: Grammar, tmp_path: Path) -> None:
    readings = heard("    Xiao: standing\n    qing: [bright, lite]\n", grammar, tmp_path)
    (match,) = Matcher(sentences, HOUSE).match(readings[0].text, Context())
    assert (match.intent, match.slots["name"].value) == ("HassTurnOn", "light.wall")


def heard(lines: str, grammar: Grammar, folder: Path) -> tuple[Hypothesis, ...]:
    """Return the readings of the recording, "turn on standing light", by micro with these lines configured."""
    file = folder / "hearth.yaml"
    file.write_text(f"server:\n  say_as:\n{lines}")
    engine = load_engine(load(file).server)
    engine.use(grammar)
    stream = engine.open()
    stream.feed(read_recording(RECORDING) + silence(0.5))
    readings = stream.finish()
    stream.close()
    engine.close()
    return readings


def test_the_page_shows_a_configuration_that_is_taken(tmp_path: Path) -> None:
    (lines,) = re.findall(r"```yaml\n(server:\n  say_as:\n.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "hearth.yaml").write_text(lines)
    assert load(tmp_path / "hearth.yaml").server.say_as == {"siobhan": ("shivawn",), "xiao": ("show", "shee ow")}


def test_none_are_configured_by_default() -> None:
    assert Config().server.say_as == {}
