"""What is said after a question or a command, as sentences for the recogniser: it hears only what is in its grammar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from hassil.intents import IntentData, Intents

from .followup import forms
from .replies import language_data, replies
from .spoken import speech


@lru_cache(maxsize=16)  # a home that is compiled again gets the same ones, and knows what was made of them
def talk_blocks(language: str, pin_digits: int = 0) -> tuple[IntentData, ...]:
    """Return the sentences of answers and follow-ups, none for a language without files.

    Args:
        language: code.
        pin_digits: how many digits a PIN has, 0 if there is none. A recogniser that may hear any number of digits adds
            some: of 40 recordings of four digits (AN4) 29 were right so, with exactly four 36.
    """
    data = language_data("replies", language)
    phrases = [phrase for key in ("yes", "no", "both", "now") for phrase in data.get(key, ())]
    ordinals = [word for words in (*data.get("ordinals", ()), data.get("last", ())) for word in words]
    which = list(language_data("followups", language).get("lists", {}).get("which", ()))
    choices = [frame for frame in data.get("choice", ()) if frame != "{x}"]
    sentences = [
        *map(_plain, phrases),
        *_digits(pin_digits),
        *(_plain(frame).replace("{x}", "{name}") for frame in ("{x}", *choices)),
        *(_plain(frame).replace("{x}", "{area}") for frame in ("{x}", *choices)),
        *(_plain(frame).replace("{x}", "{ordinal}") for frame in choices if ordinals),
        *(_plain(frame).replace("{x}", "{which}") for frame in choices if which),
    ]
    spoken = speech(language)
    digits = [" ".join(words) for number in range(10) for words in spoken.number(number)]
    digits += data.get("digits", {})
    zeros = [digit for digit in digits if replies(language).digits(digit) == "0"]
    pairs = [" ".join(words) for number in range(10, 100) for words in spoken.number(number)]
    pairs += [f"{zero} {digit}" for zero in zeros for digit in digits]
    lists = {
        "digit": _values(digits),
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


def _digits(count: int) -> list[str]:
    """Return the ways to say so many digits: each by itself, or two at a time."""
    pairs = [*["{pair}"] * (count // 2), *["{digit}"] * (count % 2)]
    return [" ".join(["{digit}"] * count), " ".join(pairs)] if count else []


def _values(texts: Iterable[str]) -> Mapping[str, Any]:
    return {"values": [{"in": _plain(text), "out": text} for text in dict.fromkeys(texts)]}


def _plain(text: str) -> str:
    return text.replace("-", " ")
