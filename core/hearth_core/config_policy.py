"""The sections `policy` (what is guarded, and how) and `conversation` (how long Hearth remembers what was said)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from .config_home import EntityId, Name
from .section import PathText, Section

MIN_PIN_DIGITS = 4
MAX_PIN_DIGITS = 8

Word = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$", max_length=64)]
Service = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$", max_length=128)]
Intent = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]


def _hours(text: str | None) -> str | None:
    if text is None:
        return None
    found = re.fullmatch(r"\s*([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)\s*", text)
    if found is None:
        raise PydanticCustomError("hours", 'should be like "22:00-06:30"')
    start, end = (f"{int(found[i]):02}:{found[i + 1]}" for i in (1, 3))
    if start == end:
        raise PydanticCustomError("hours", "should begin and end at different times; leave hours out for always")
    return f"{start}-{end}"


Hours = Annotated[str, Field(max_length=40), AfterValidator(_hours)]


class PolicyRuleConfig(Section):
    """A rule. Of what it names (entities, domains…) all that is given must fit; so must where and when it is said."""

    name: str = Field(default="", max_length=100, description="What it is called in the log; by default its number.")
    entities: tuple[EntityId, ...] = Field(default=(), description="These entities; any if left out.")
    domains: tuple[Word, ...] = Field(default=(), description="These kinds of entities, e.g. lock; any if left out.")
    device_classes: tuple[Word, ...] = Field(default=(), description="These device classes, e.g. garage.")
    services: tuple[Service, ...] = Field(default=(), description="These services, e.g. lock.unlock.")
    intents: tuple[Intent, ...] = Field(default=(), description="These intents, e.g. HassTurnOff, or one of your own.")
    areas: tuple[Name, ...] = Field(default=(), description="Entities in these areas, by id or name.")
    decision: Literal["allow", "confirm", "pin", "deny"] = Field(
        description="allow: do it; confirm: ask yes or no; pin: ask for the PIN; deny: never by voice."
    )
    rooms: tuple[Name, ...] = Field(
        default=(), description="Only what is said in these rooms, by id or name of the area; anywhere if left out."
    )
    satellites: tuple[Name, ...] = Field(default=(), description="Only what is said to these satellites, by name.")
    hours: Hours | None = Field(
        default=None, description='Only between these times of day, e.g. "22:00-06:00"; over midnight if need be.'
    )


def _pin(pin: SecretStr | None) -> SecretStr | None:
    # The PIN itself is never repeated, not even a wrong one.
    if pin is not None and not re.fullmatch(rf"[0-9]{{{MIN_PIN_DIGITS},{MAX_PIN_DIGITS}}}", pin.get_secret_value()):
        raise PydanticCustomError(
            "pin",
            "should be {least} to {most} digits in quotes",
            {"least": MIN_PIN_DIGITS, "most": MAX_PIN_DIGITS},
        )
    return pin


class PolicyConfig(Section):
    """What is done at once, asked about before, or never done by voice. The first rule that fits wins."""

    rules: tuple[PolicyRuleConfig, ...] = Field(
        default=(), max_length=200, description="Your rules, in order; they go before the built-in ones."
    )
    builtin: bool = Field(
        default=True,
        description="Ask before unlocking, opening garage doors, gates and valves, and disarming alarms.",
    )
    pin: Annotated[SecretStr, AfterValidator(_pin)] | None = Field(
        default=None, description="The PIN, 4 to 8 digits in quotes; better kept in pin_file."
    )
    pin_file: PathText | None = Field(default=None, description="A file that holds the PIN and nothing else.")
    pin_attempts: int = Field(default=3, ge=1, le=10, description="Wrong PINs after which none is taken for a while.")
    pin_locked_s: float = Field(
        default=300.0, ge=10, le=86_400, description="Seconds for which no PIN is taken after that."
    )

    @field_validator("rules")
    @classmethod
    def _named(cls, rules: tuple[PolicyRuleConfig, ...]) -> tuple[PolicyRuleConfig, ...]:
        for index, rule in enumerate(rules):
            given = (rule.entities, rule.domains, rule.device_classes, rule.services, rule.intents, rule.areas)
            if rule.decision == "allow" and not any(given):
                raise PydanticCustomError(
                    "rule", "should say what it allows: entities, domains, services…", {"at": (index,)}
                )
        return rules

    @model_validator(mode="after")
    def _has_pin(self) -> PolicyConfig:
        if self.pin is not None and self.pin_file is not None:
            raise PydanticCustomError("pin", "should have pin or pin_file, not both")
        if self.pin is None and self.pin_file is None:
            for index, rule in enumerate(self.rules):
                if rule.decision == "pin":
                    raise PydanticCustomError(
                        "pin", "needs a pin or pin_file under policy", {"at": ("rules", index, "decision")}
                    )
        return self


class ConversationConfig(Section):
    """How long Hearth remembers what was said before, for each satellite by itself."""

    reply_s: float = Field(
        default=30.0, ge=5, le=300, description="Seconds for which a question of Hearth's can be answered."
    )
    followup_s: float = Field(
        default=60.0, ge=0, le=600, description='Seconds for which "it", "and the bedroom too" and "undo that" work.'
    )
