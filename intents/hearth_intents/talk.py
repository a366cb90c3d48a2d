"""What is said after a question or a command, as sentences for the recogniser: it hears only what is in its grammar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hassil.intents import IntentData, Intents

from .followup import forms
from .replies import language_data
from .spoken import speech

_DIGITS = (
    "{digit} {digit} {digit} {digit} [{digit} [{digit} [{digit} [{digit}]]]]",
    "{pair} {pair} [{pair} [{pair}]]",
)


def talk_blocks(language: str) -> tuple[IntentData, ...]:
    """Return the sentences of answers and follow-ups; of a language without files, digits alone."""
    data = language_data("replies", language)
    phrases = [phrase for key in ("yes", "no", "both", "now") for phrase in data.get(key, ())]
    ordinals = [word for words in (*data.get("ordinals", ()), data.get("last", ())) for word in words]
    which = list(language_data("followups", language).get("lists", {}).get("which", ()))
    choices = [frame for frame in data.get("choice", ()) if frame != "{x}"]
    sentences = [
        *map(_plain, phrases),
        *_DIGITS,
        *(_plain(frame).replace("{x}", "{name}") for frame in ("{x}", *choices)),
        *(_plain(frame).replace("{x}", "{area}") for frame in ("{x}", *choices)),
        *(_plain(frame).replace("{x}", "{ordinal}") for frame in choices if ordinals),
        *(_plain(frame).replace("{x}", "{which}") for frame in choices if which),
    ]
    spoken = speech(language)
    digits = [" ".join(words) for number in range(10) for words in spoken.number(number)]
    pairs = [" ".join(words) for number in range(10, 100) for words in spoken.number(number)]
    lists = {
        "digit": _values([*digits, *map(str, data.get("digits", {}))]),
        "pair": _values(pairs),
        "ordinal": _values(ordinals),
        "which": {"values": which},
    }
    answers = Intents.from_dict(
        {"language": language, "intents": {"reply": {"data": [{"sentences": sentences, "lists": lists}]}}}
    )
    return tuple(
        block
        for intents in (answers, forms(language, spoken=True))
        for intent in intents.intents.values()
        for block in intent.data
    )


def _values(texts: Iterable[str]) -> Mapping[str, Any]:
    return {"values": [{"in": _plain(text), "out": text} for text in dict.fromkeys(texts)]}


def _plain(text: str) -> str:
    return text.replace("-", " ")
