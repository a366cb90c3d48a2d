"""The engines by name, found without importing them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from hearth_core.errors import EngineError
from hearth_core.settings import ServerConfig

from .engine import Engine


@dataclass(frozen=True, slots=True)
class Offer:
    """An engine that can be had.

    Attributes:
        package: what must be installed.
        extra: of hearth-voice, which brings it.
        load: makes it, as configured.
    """

    package: str
    extra: str
    load: Callable[[ServerConfig], Engine]


def _micro(config: ServerConfig) -> Engine:
    from .micro.engine import MicroEngine

    return MicroEngine(config.micro, config.say_as)


def _pocketsphinx(config: ServerConfig) -> Engine:
    from .pocketsphinx import PocketsphinxEngine

    return PocketsphinxEngine(config.say_as)


def _whisper(config: ServerConfig) -> Engine:
    from .whisper import WhisperEngine

    return WhisperEngine(config.whisper)


ENGINES: Final = {
    "micro": Offer("onnxruntime", "server", _micro),
    "pocketsphinx": Offer("pocketsphinx", "server", _pocketsphinx),
    "whisper": Offer("faster_whisper", "whisper", _whisper),
}


def engine_name(config: ServerConfig, language: str) -> str:
    """Return which engine is meant in a home of this language.

    Where none is named: micro if it knows the language, or pocketsphinx, with which at least texts are understood.
    """
    return config.engine or ("micro" if language.partition("-")[0] == "en" else "pocketsphinx")


def load_engine(config: ServerConfig, language: str = "en") -> Engine:
    """Return the engine that is configured, or the one for the language.

    Raises:
        EngineError: there is none of that name, it is not installed, or it cannot be loaded.
    """
    name = engine_name(config, language)
    offer = ENGINES.get(name)
    if offer is None:
        known = ", ".join(ENGINES)
        raise EngineError(f"there is no engine {name!r}", remedy=f"Set server: engine: to one of {known}")
    if find_spec(offer.package) is None:
        raise EngineError(f"the engine {name} is not installed", remedy=f"pip install 'hearth-voice[{offer.extra}]'")
    return offer.load(config)
