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

    return MicroEngine(config.micro)


def _pocketsphinx(config: ServerConfig) -> Engine:
    from .pocketsphinx import PocketsphinxEngine

    return PocketsphinxEngine()


def _whisper(config: ServerConfig) -> Engine:
    from .whisper import WhisperEngine

    return WhisperEngine(config.whisper)


ENGINES: Final = {
    "micro": Offer("onnxruntime", "server", _micro),
    "pocketsphinx": Offer("pocketsphinx", "server", _pocketsphinx),
    "whisper": Offer("faster_whisper", "whisper", _whisper),
}


def load_engine(config: ServerConfig) -> Engine:
    """Return the engine that is configured.

    Raises:
        EngineError: there is none of that name, it is not installed, or it cannot be loaded.
    """
    offer = ENGINES.get(config.engine)
    if offer is None:
        known = ", ".join(ENGINES)
        raise EngineError(f"there is no engine {config.engine!r}", remedy=f"Set server: engine: to one of {known}")
    if find_spec(offer.package) is None:
        raise EngineError(
            f"the engine {config.engine} is not installed", remedy=f"pip install 'hearth-voice[{offer.extra}]'"
        )
    return offer.load(config)
