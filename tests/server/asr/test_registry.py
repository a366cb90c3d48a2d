"""Which engine is loaded, and what is said if it cannot be."""

from __future__ import annotations

import subprocess
import sys
from importlib.machinery import ModuleSpec

import pytest

from hearth_core.errors import EngineError
from hearth_core.settings import ServerConfig
from hearth_server.asr import registry
from hearth_server.asr.registry import ENGINES, load_engine


def test_an_engine_that_nobody_knows() -> None:
    with pytest.raises(EngineError, match="there is no engine 'parrot'") as raised:
        load_engine(ServerConfig(engine="parrot"))
    assert all(name in str(raised.value) for name in ENGINES)


@pytest.mark.parametrize(("engine", "extra"), [("whisper", "whisper"), ("pocketsphinx", "server"), ("micro", "server")])
def test_an_engine_that_is_not_installed(engine: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def nowhere(name: str) -> ModuleSpec | None:
        asked.append(name)
        return None

    monkeypatch.setattr(registry, "find_spec", nowhere)
    with pytest.raises(EngineError, match=rf"the engine {engine} is not installed") as raised:
        load_engine(ServerConfig(engine=engine))
    assert f"pip install 'hearth-voice[{extra}]'" in str(raised.value)
    assert asked == [ENGINES[engine].package]


def test_to_look_imports_nothing() -> None:
    code = """
import sys
from hearth_core.errors import EngineError
from hearth_core.settings import ServerConfig
from hearth_server.asr import registry
try:
    registry.load_engine(ServerConfig(engine="parrot"))
except EngineError:
    pass
looked = []
def find(name, found=registry.find_spec):
    looked.append(found(name) is not None)
registry.find_spec = find
for engine in registry.ENGINES:
    try:
        registry.load_engine(ServerConfig(engine=engine))
    except EngineError:
        pass
heavy = {"pocketsphinx", "faster_whisper", "ctranslate2", "onnxruntime", "espeakng_loader"}
print(looked, sorted(heavy & sys.modules.keys()))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert ran.stdout.strip() == "[True, True, True] []"


@pytest.mark.parametrize(
    ("named", "language", "name"),
    [
        (None, "en", "micro"),
        (None, "en-GB", "micro"),
        (None, "de", "pocketsphinx"),
        ("pocketsphinx", "en", "pocketsphinx"),
        ("micro", "de", "micro"),
    ],
)
def test_the_default_takes_the_language(named: str | None, language: str, name: str) -> None:
    engine = load_engine(ServerConfig(engine=named), language)
    assert engine.name == name
    engine.close()
