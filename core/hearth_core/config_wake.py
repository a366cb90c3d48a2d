"""The keys of the satellite's wake words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from .errors import InputError
from .section import PathText, Section

MODEL_ENDINGS = (".onnx", ".tflite")
"""What a wake word's model is called if it is a file of the user's own, for openWakeWord."""

Sensitivity = Annotated[float, Field(ge=0, le=1)]


class WakeWordConfig(Section):
    """One wake word; what it says of language, area and user goes with every command that it begins."""

    model: str = Field(
        min_length=1,
        max_length=4096,
        description="Name of a word of pymicro-wakeword, or a file for openWakeWord (.onnx or .tflite).",
    )
    sensitivity: Sensitivity | None = Field(
        default=None, description="0 wakes seldom, 1 often; null takes the one for all words."
    )
    threshold: float | None = Field(
        default=None, gt=0, lt=1, description="The score itself that must be passed, in place of the sensitivity."
    )
    language: str = Field(
        default="", pattern=r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$", description="Language of what follows it."
    )
    area: str = Field(default="", max_length=100, description="The room that what follows it is about.")
    user: str = Field(default="", max_length=100, description="Whoever uses this word.")

    @field_validator("model")
    @classmethod
    def _resolved(cls, model: str, info: ValidationInfo) -> str:
        if not model.lower().endswith(MODEL_ENDINGS):
            return model
        folder = (info.context or {}).get("folder")
        path = Path(model).expanduser()
        return str(path if folder is None else Path(folder) / path)


def _from_name(value: Any) -> Any:
    return {"model": value} if isinstance(value, str) else value


# A plain name is a word without anything of its own, as all words were before they could have something.
WordEntry = Annotated[WakeWordConfig, BeforeValidator(_from_name)]


class WakeConfig(Section):
    """What wakes the satellite."""

    engine: Literal["micro", "none"] = Field(
        default="micro",
        description="micro: wake words, of either engine, or a button alone if there are none; "
        "none: all speech is for Hearth.",
    )
    words: tuple[WordEntry, ...] = Field(
        default=(WakeWordConfig(model="okay_nabu"),),
        max_length=16,
        description="Wake words to listen for: names, or model with sensitivity, language, area and user; "
        "[]: listen only when a button, MQTT or the driver starts it.",
    )
    sensitivity: float | None = Field(
        default=None, ge=0, le=1, description="0 wakes seldom, 1 often; null keeps the wake word's own value."
    )
    debounce_s: float = Field(
        default=1.0, ge=0, le=10, description="Seconds after a wake word in which none is heard again."
    )
    before_s: float = Field(
        default=0.3, ge=0, le=3, description="Seconds before the wake word's end from which on the sound is sent."
    )
    chime: bool = Field(
        default=False,
        description="Chime at the wake word, of several satellites the first alone. What is said meanwhile is lost.",
    )
    near_misses: int = Field(
        default=100, ge=0, le=10_000, description="How many near misses are kept, the latest; 0 keeps none."
    )
    verify: bool = Field(
        default=True,
        description="Ask a Hearth server that can tell (engine: micro) whether the wake word was said; "
        "then less certain ones count too.",
    )
    features: PathText = Field(
        default="", description="Folder with openWakeWord's melspectrogram.onnx and embedding_model.onnx."
    )


def wake_named(models: tuple[str, ...]) -> dict[str, Any]:
    """Return the keys of the section for what a command line names: words, or `none` or `button` in place of them.

    Raises:
        InputError: one of the two, and something else; or an empty name.
    """
    if "" in models:
        raise InputError("--wake is empty", remedy="Give a word, or leave the option out")
    for alone in ("none", "button"):
        if alone in models and len(models) > 1:
            raise InputError(f"--wake {alone} and another --wake exclude each other", remedy="Give one of them")
    if models == ("none",):
        return {"engine": "none"}
    words = () if models == ("button",) else models
    return {"engine": "micro", "words": tuple(WakeWordConfig(model=word) for word in words)}
