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
    common = {"attribution": _ATTRIBUTION, "installed": True, "version": __version__}
    return Info(
        asr=[
            AsrProgram(
                name="hearth",
                description="Hearth speech to text",
                models=[AsrModel(name=engine, description=f"{engine} engine", languages=languages, **common)],
                requires_external_vad=False,
                prefers_auto_gain_enabled=False,
                prefers_noise_reduction_enabled=False,
                **common,
            )
        ],
        intent=[
            IntentProgram(
                name="hearth",
                description="Hearth intents",
                models=[IntentModel(name="hearth", description="sentences", languages=languages, **common)],
                **common,
            )
        ],
        handle=[
            HandleProgram(
                name="hearth",
                description="Hearth commands",
                models=[HandleModel(name="hearth", description="sentences", languages=languages, **common)],
                supports_home_control=True,
                **common,
            )
        ],
    )
