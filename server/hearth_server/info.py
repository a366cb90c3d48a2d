"""What the server says of itself when a client asks `describe`."""

from __future__ import annotations

from wyoming.info import (
    AsrModel,
    AsrProgram,
    Attribution,
    HandleModel,
    HandleProgram,
    Info,
    IntentModel,
    IntentProgram,
)

from hearth_core import __version__

# Until the project has a public home of its own, the client shows this name and no more.
_ATTRIBUTION = Attribution(name="Hearth", url="")


def describe(engine: str, language: str) -> Info:
    """Return the services: speech-to-text that ends utterances itself, intents, and handling of commands."""
    languages = [language]
    return Info(
        asr=[
            AsrProgram(
                "hearth",
                _ATTRIBUTION,
                installed=True,
                description="Hearth speech to text",
                version=__version__,
                models=[AsrModel(engine, _ATTRIBUTION, True, f"{engine} engine", __version__, languages)],
                requires_external_vad=False,
                prefers_auto_gain_enabled=False,
                prefers_noise_reduction_enabled=False,
            )
        ],
        intent=[
            IntentProgram(
                "hearth",
                _ATTRIBUTION,
                installed=True,
                description="Hearth intents",
                version=__version__,
                models=[IntentModel("hearth", _ATTRIBUTION, True, "sentences", __version__, languages)],
            )
        ],
        handle=[
            HandleProgram(
                "hearth",
                _ATTRIBUTION,
                installed=True,
                description="Hearth commands",
                version=__version__,
                models=[HandleModel("hearth", _ATTRIBUTION, True, "sentences", __version__, languages)],
                supports_home_control=True,
            )
        ],
    )
