"""The configuration: defaults without a file, and mistakes told all at once with line, key and remedy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from hearth_core.config import Config, Section, ServerConfig, find, load, problems, schema
from hearth_core.errors import ConfigError
from hearth_core.speech import EndpointSettings


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is found by accident."""
    monkeypatch.delenv("HEARTH_CONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.chdir(tmp_path)


def written(text: str, path: str = "hearth.yaml") -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_no_file_is_needed() -> None:
    config = load()
    assert config == Config()
    assert (config.server.host, config.server.port, config.satellite.port) == ("127.0.0.1", 10300, 10700)
    assert config.home.demo
    assert config.server.utterance.settings() == EndpointSettings()


@pytest.mark.parametrize(
    "text", ["", "# nothing yet\n", "server:\n", "server:\n  speak:\n  port: 10300\nhome:\n", "{}"]
)
def test_what_is_left_blank_has_its_defaults(text: str) -> None:
    assert load(written(text)) == Config()


def test_the_first_file_that_is_found_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    places = {"aa": "given.yaml", "bb": "named.yaml", "cc": "hearth.yaml", "dd": "home/.config/hearth/hearth.yaml"}
    places["ee"] = "etc/hearth.yaml"
    files = {language: written(f"language: {language}\n", place) for language, place in places.items()}
    monkeypatch.setattr("hearth_core.config.MACHINE", files["ee"])
    monkeypatch.setenv("HEARTH_CONFIG", str(files["bb"]))
    assert load(files["aa"]).language == "aa"
    assert load().language == "bb"
    monkeypatch.delenv("HEARTH_CONFIG")
    assert load().language == "cc"
    files["cc"].unlink()
    assert load().language == "dd"
    files["dd"].unlink()
    assert load().language == "ee"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(written("language: ff\n", "xdg/hearth/hearth.yaml").parents[1]))
    assert load().language == "ff"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    files["ee"].unlink()
    assert find() is None


def test_a_file_that_was_named_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml does not exist"):
        load(Path("none.yaml"))
    monkeypatch.setenv("HEARTH_CONFIG", "elsewhere.yaml")
    with pytest.raises(ConfigError, match=r"elsewhere\.yaml does not exist"):
        load()


def test_a_whole_file() -> None:
    config = load(written("""
language: de
server:
  port: 0
  sentences: [sentences, /usr/share/mine, ~/more]
  utterance: {silence_s: 1, no_speech_s: null}
  whisper: {model: small}
  speak: {tts: "tcp://127.0.0.1:10200", voice: none}
  satellites:
    - {name: kitchen, uri: "tcp://[::1]:10700", area: Kitchen}
    - {name: hall, uri: "tcp://hall.local:10700"}
satellite:
  microphone: {source: file, file: hello.wav, device: 3}
  wake: {engine: none, sensitivity: 0.5, words: [okay_nabu, alexa]}
""", "etc/hearth.yaml"))  # fmt: skip
    here = Path("etc").absolute()
    assert config.server.sentences == (str(here / "sentences"), "/usr/share/mine", str(Path("~/more").expanduser()))
    assert [satellite.area for satellite in config.server.satellites] == ["Kitchen", ""]
    assert config.server.utterance.settings() == EndpointSettings(silence_s=1.0, no_speech_s=None)
    assert config.satellite.microphone.file == str(here / "hello.wav")
    assert config.satellite.microphone.device == "3"
    assert [word.model for word in config.satellite.wake.words] == ["okay_nabu", "alexa"]


MISTAKES = [
    ("server:\n  prot: 1\n", 2, "server.prot", "not a key", "Did you mean port?"),
    ("sever: {}\n", 1, "sever", "not a key", "Did you mean server?"),
    ("zzz: 1\n", 1, "zzz", "not a key", "Known here: conversation, home, language, policy, satellite, schedule"),
    ("server:\n  port: '10300'\n", 2, "server.port", "valid integer", "Port to listen on"),
    ("server:\n  port: yes\n", 2, "server.port", "valid integer", "Port"),
    ("server:\n  port: 70000\n", 2, "server.port", "less than or equal to 65535", "Port"),
    ("server:\n  port: 1.5\n", 2, "server.port", "integer", "Port"),
    ("server: 5\n", 1, "server", "object", "The server"),
    ("server: []\n", 1, "server", "object", "The server"),
    ("language: no\n", 1, "language", "valid string", "quotes"),
    ("language: ENGLISH\n", 1, "language", "match pattern", "Language code"),
    ("server:\n  utterance:\n    silence_s: .nan\n", 3, "server.utterance.silence_s", "finite", "Seconds"),
    ("server:\n  utterance:\n    silence_s: -1\n", 3, "server.utterance.silence_s", "greater", "Seconds"),
    ("server:\n  sentences: mine\n", 2, "server.sentences", "valid array", "Folders"),
    ("server:\n  sentences: [a, 5]\n", 2, "server.sentences[1]", "valid string", "quotes"),
    ("server:\n  satellites:\n  - {name: a}\n", 3, "server.satellites[0].uri", "is missing", "tcp://"),
    ("server:\n  satellites:\n  - name: a\n    uri: kitchen\n", 4, "server.satellites[0].uri", "tcp://host:port", ""),
    ("server:\n  satellites:\n  - name: a\n    uri: ''\n", 4, "server.satellites[0].uri", "at least 1", ""),
    ("server:\n  satellites:\n  - {name: a, uri: 'tcp://a:1'}\n  - uri: 'tcp://b:1'\n    name: a\n",
     5, "server.satellites[1].name", "a is the name of another satellite", "no two"),
    ("server:\n  say_as: 5\n", 2, "server.say_as", "object", "How words of names"),
    ("server:\n  say_as:\n    siobhan's lamp: x\n", 3, "server.say_as.siobhan's lamp", "one word", "How words of"),
    ("server:\n  say_as: {lamp2: x}\n", 2, "server.say_as.lamp2", "one word of letters", "How words of names"),
    ("server:\n  say_as: {'': x}\n", 2, "server.say_as.", "one word of letters", "How words of names"),
    (f"server:\n  say_as: {{{'x' * 51}: x}}\n", 2, f"server.say_as.{'x' * 51}", "at most 50", "How words of names"),
    ("server:\n  say_as: {xiao: ''}\n", 2, "server.say_as.xiao", "letters a to z", "How words of names"),
    ("server:\n  say_as: {xiao: 小}\n", 2, "server.say_as.xiao", "letters a to z", "How words of names"),
    ("server:\n  say_as: {xiao: SH AW1}\n", 2, "server.say_as.xiao", "letters a to z", "How words of names"),
    (f"server:\n  say_as: {{xiao: {'x' * 101}}}\n", 2, "server.say_as.xiao", "at most 100", "How words of names"),
    ("server:\n  say_as: {xiao: yes}\n", 2, "server.say_as.xiao", "valid string", "quotes"),
    ("server:\n  say_as: {xiao: []}\n", 2, "server.say_as.xiao", "at least 1", "How words of names"),
    ("server:\n  say_as: {xiao: [show, '-']}\n", 2, "server.say_as.xiao[1]", "letters a to z", "How words of names"),
    (f"server:\n  say_as: {{xiao: {['show'] * 9}}}\n", 2, "server.say_as.xiao", "at most 8", "How words of names"),
    ("server:\n  say_as:\n    xiao: show\n    Xiao: show\n", 4, "server.say_as.Xiao", "twice", "How words of names"),
    ("server:\n  speak:\n    tts: http://x\n", 3, "server.speak.tts", "tcp://host:port", "text-to-speech"),
    ("satellite:\n  wake: {engine: micr}\n", 2, "satellite.wake.engine", "'micro' or 'none'", "wake word"),
    ("satellite:\n  wake: {sensitivity: 2}\n", 2, "satellite.wake.sensitivity", "less than or equal to 1", ""),
    ("satellite:\n  microphone:\n    source: file\n", 2, "satellite.microphone.file", "is needed", "recording"),
    ("satellite:\n  speaker:\n    sink: file\n", 2, "satellite.speaker.file", "is needed", "WAV"),
    ("satellite:\n  port: 1\n  port: 2\n", 3, "satellite.port", "twice, first in line 2", "Keep one"),
    ("satellite:\n  control:\n    hooks:\n      commands:\n        wak: [led]\n",
     5, "satellite.control.hooks.commands.wak", "'wake'", "Program and arguments"),
    ("home:\n  demo: 1\n", 2, "home.demo", "valid boolean", "demo home"),
    ("home:\n  demo: !!python/name:os.system\n", 2, "home.demo", "the tag", "Remove"),
    ("- 1\n", 1, "", "keys and values", "language: en"),
    ("hello", 1, "", "keys and values", "language: en"),
    ("a: [", 1, "", "is not YAML", "Check"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "key", "message", "remedy"), MISTAKES, ids=[case[0] for case in MISTAKES])
def test_a_mistake_names_line_key_and_remedy(text: str, line: int, key: str, message: str, remedy: str) -> None:
    file = written(text)
    (problem,) = problems(file)
    assert (problem.file, problem.line, problem.key) == (str(file), line, key)
    assert message in problem.message
    assert remedy in problem.remedy
    assert problem.remedy
    with pytest.raises(ConfigError) as raised:
        load(file)
    assert str(raised.value).startswith(f"hearth.yaml:{line}: {key}")
    assert "\n" not in str(raised.value)


def test_all_words_that_are_said_wrongly_are_told_at_once() -> None:
    file = written("server:\n  say_as:\n    big lamp: big\n    xiao: show\n    siobhan: '?'\n")
    assert [(problem.line, problem.key) for problem in problems(file)] == [
        (3, "server.say_as.big lamp"), (5, "server.say_as.siobhan"),
    ]  # fmt: skip


def test_no_more_words_are_said_otherwise_than_a_home_has() -> None:
    words = [f"x{chr(97 + n // 676)}{chr(97 + n // 26 % 26)}{chr(97 + n % 26)}" for n in range(1_001)]
    lines = [f"    {word}: show\n" for word in words]
    (problem,) = problems(written("".join(["server:\n  say_as:\n", *lines])))
    assert "at most 1000" in problem.message
    assert problems(written("".join(["server:\n  say_as:\n", *lines[:-1]]))) == []


def test_words_are_said_as_they_are_spelt_in_whatever_letters() -> None:
    config = load(
        written("server:\n  say_as:\n    Siobhan: Shivawn\n    xiao: [show, Shee-OW, shee ow]\n    O’Neil: o'neel\n")
    )
    assert config.server.say_as == {"siobhan": ("shivawn",), "xiao": ("show", "shee ow"), "o'neil": ("o'neel",)}
    assert load(written("server:\n  say_as:\n  # siobhan: shivawn\n")) == Config()
    assert ServerConfig.model_validate(config.server.model_dump(mode="json")) == config.server


def test_all_mistakes_are_told_at_once_in_their_order() -> None:
    file = written("language: no\nserver:\n  prot: 1\n  port: x\nsatellite:\n  port: 1\n  port: 2\n  vad: {max_s: 0}\n")
    assert [(problem.line, problem.key) for problem in problems(file)] == [
        (1, "language"), (3, "server.prot"), (4, "server.port"), (7, "satellite.port"), (8, "satellite.vad.max_s"),
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="has 5 mistakes") as raised:
        load(file)
    assert all(key in str(raised.value) for key in ("language", "prot", "satellite.vad.max_s", "hearth config check"))


def test_values_are_never_repeated_in_a_message() -> None:
    file = written("server:\n  port: hunter2\n  speak: {tts: 'tcp://me:hunter2@host:1'}\n  hunter: {a: hunter2}\n")
    with pytest.raises(ConfigError) as raised:
        load(file)
    assert "hunter2" not in str(raised.value)
    assert not any("hunter2" in str(problem) for problem in problems(file))

    class Login(Section):
        password: SecretStr

    with pytest.raises(ValidationError) as invalid:
        Login.model_validate({"password": ["hunter2"]})
    assert "hunter2" not in str(invalid.value)


YAML = st.text("ab:-[]{}&* \n1", max_size=40) | st.sampled_from([text for text, *_ in MISTAKES])


@given(st.lists(YAML, max_size=3).map("\n".join))
def test_any_text_is_a_configuration_or_has_problems(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "fuzzed.yaml"
    file.write_text(text)
    found = problems(file)
    if found:
        with pytest.raises(ConfigError):
            load(file)
    else:
        assert isinstance(load(file), Config)


def objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "properties" in node:
            yield node
        for value in node.values():
            yield from objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from objects(value)


def test_the_schema_describes_every_key() -> None:
    found = list(objects(schema()))
    assert len(found) >= 11
    for model in found:
        assert model["additionalProperties"] is False
        for name, field in model["properties"].items():
            assert field.get("description"), f"{model.get('title')}.{name}"
            required = name in model.get("required", [])
            assert ("default" in field) != required, f"{model.get('title')}.{name}"


def test_the_configuration_is_immutable_and_easily_made_in_code() -> None:
    server = ServerConfig.model_validate({"sentences": ["/a"], "satellites": [{"name": "a", "uri": "tcp://a:1"}]})
    assert server.sentences == ("/a",)
    with pytest.raises(ValidationError, match="frozen"):
        server.port = 1
