"""One sentence file: YAML in Home Assistant's `custom_sentences` format, checked before anything is made of it.

Beside that format it may hold `responses` and, in a block of sentences, an `action`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError, model_validator

from .action_block import ActionBlock
from .source_file import Mark, PlacedError, Where, form_error, place_of, read_yaml

_MAX_TEMPLATE_CHARS = 2_000
_MAX_NUMBERS = 10_000

Template = Annotated[str, Field(min_length=1, max_length=_MAX_TEMPLATE_CHARS)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ListValue(_Model):
    """A value of a list: what is said, and what it means."""

    said: Template = Field(alias="in")
    out: Any = None
    context: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None


class NumberRange(_Model):
    """Numbers from one to another, both included."""

    start: int = Field(alias="from")
    to: int
    step: Annotated[int, Field(gt=0)] = 1
    type: Literal["number", "percentage", "temperature"] = "number"
    fractions: Literal["halves", "tenths"] | None = None
    multiplier: float | None = None
    digits: StrictBool = True
    words: StrictBool = True
    words_language: str | None = None

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.to < self.start:
            raise ValueError("to is less than from")
        if (self.to - self.start) // self.step > _MAX_NUMBERS:
            raise ValueError(f"more than {_MAX_NUMBERS} numbers")
        if not (self.digits or self.words):
            raise ValueError("digits and words cannot both be off")
        return self


class SlotListBlock(_Model):
    """A list of values, a range of numbers, or a wildcard."""

    values: Annotated[list[str | ListValue], Field(max_length=10_000)] | None = None
    range: NumberRange | None = None
    wildcard: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(kind is not None for kind in (self.values, self.range, self.wildcard)) != 1:
            raise ValueError("give one of values, range and wildcard")
        return self


class SentenceBlock(_Model):
    """Sentences that mean the same."""

    sentences: Annotated[list[Template], Field(min_length=1)]
    slots: dict[str, Any] = Field(default_factory=dict)
    response: str | None = None
    requires_context: dict[str, Any] = Field(default_factory=dict)
    excludes_context: dict[str, Any] = Field(default_factory=dict)
    expansion_rules: dict[Name, Template] = Field(default_factory=dict)
    lists: dict[Name, SlotListBlock] = Field(default_factory=dict)
    required_keywords: list[str] | None = None
    inferred_domain: str | None = None
    name_domains: list[str] | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    settings: dict[str, Any] = Field(default_factory=dict)
    action: ActionBlock | None = None


class IntentBlock(_Model):
    """The sentences of an intent."""

    data: list[SentenceBlock]


class Responses(_Model):
    """Jinja templates of the answers, by intent and key."""

    intents: dict[Name, dict[str, str]] = Field(default_factory=dict)
    errors: dict[str, str] = Field(default_factory=dict)


class SentenceModel(_Model):
    """A whole sentence file."""

    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*$")]
    intents: dict[Name, IntentBlock] = Field(default_factory=dict)
    lists: dict[Name, SlotListBlock] = Field(default_factory=dict)
    expansion_rules: dict[Name, Template] = Field(default_factory=dict)
    skip_words: list[str] = Field(default_factory=list)
    responses: Responses = Field(default_factory=Responses)
    settings: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SentenceFile:
    """A sentence file that was read and has the right form."""

    path: Path
    model: SentenceModel
    places: Mapping[Where, Mark] = field(repr=False)

    def error(self, where: Where, message: str, remedy: str = "") -> PlacedError:
        """Return an error that names the file and the place."""
        return PlacedError(self.path, self.place(where), message, remedy)

    def has(self, where: Where) -> bool:
        """Return whether there is such a part."""
        return where in self.places

    def place(self, where: Where) -> Mark:
        """Return where a part of the file stands."""
        return place_of(self.places, where)


def read_sentence_file(path: Path) -> SentenceFile:
    """Return a sentence file.

    Raises:
        SentenceError: it cannot be read, is too large, is not YAML, or not of the form; file and line are named.
    """
    data, places = read_yaml(path)
    try:
        return SentenceFile(path, SentenceModel.model_validate(data), places)
    except ValidationError as error:
        raise form_error(path, error, places) from error
