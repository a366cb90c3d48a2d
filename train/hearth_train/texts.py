"""What the synthetic voices say: many words in few contexts, so that the model learns sounds and no language.

A third are strings of dictionary words, a third are things said to a house, made from words of these kinds at random,
the rest are the sentences of the transcribed recordings, in other voices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

from .pronounce import dictionary, words

VOCABULARY: Final = 24_000  # the most frequent words of English that CMUdict pronounces

_VERBS: Final = (
    "turn on", "turn off", "switch on", "switch off", "open", "close", "lock", "unlock", "dim", "brighten", "start",
    "stop", "pause", "resume", "set", "raise", "lower", "increase", "decrease", "toggle", "activate", "run", "play",
    "mute", "show me", "what is", "is", "are", "how many", "which", "add", "remove", "cancel", "can you", "could you",
    "please", "i want", "i need", "i would like", "give me", "bring me", "make", "put", "tell me", "where is", "leave",
    "change", "enable", "disable", "shut", "do i have", "let me have", "may we get", "remind me about", "order", "buy",
)  # fmt: skip
_THINGS: Final = (
    "light", "lights", "lamp", "lamps", "fan", "blind", "blinds", "curtain", "curtains", "shutter", "door", "window",
    "windows", "garage", "gate", "thermostat", "heating", "temperature", "humidity", "volume", "music", "radio",
    "television", "speaker", "timer", "alarm", "vacuum", "heater", "plug", "switch", "socket", "scene", "mode",
    "sensor", "battery", "brightness", "color", "song", "playlist", "channel", "oven", "washing machine", "dishwasher",
    "kettle",
)  # fmt: skip
_ROOMS: Final = (
    "kitchen", "bedroom", "living room", "bathroom", "office", "hallway", "hall", "garden", "basement", "attic",
    "dining room", "nursery", "garage", "upstairs", "downstairs", "ground floor", "first floor", "terrace", "balcony",
    "study", "guest room", "laundry", "entrance", "pantry", "workshop", "corridor", "porch", "den", "cellar", "closet",
)  # fmt: skip
_QUALITIES: Final = (
    "red", "green", "blue", "white", "yellow", "orange", "purple", "pink", "warm white", "brown", "black", "on", "off",
    "open", "closed", "locked", "up", "down", "bright", "dark", "warmer", "colder", "louder", "quieter", "maximum",
    "minimum", "half", "all", "every", "both", "small", "medium", "large", "single", "double", "triple", "left",
    "right",
)  # fmt: skip
_ENDS: Final = (
    "now", "please", "tonight", "tomorrow", "in the morning", "at noon", "again", "for me", "a little", "a bit more",
    "to the maximum", "later", "today", "as well", "and", "or", "with", "without", "a lot of", "some", "a few",
)  # fmt: skip
_UNITS: Final = ("percent", "degrees", "minutes", "seconds", "hours", "minute", "hour", "o'clock", "times", "days")
_ONES: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "a hundred")


def vocabulary() -> list[str]:
    """Return frequent words, the most frequent first."""
    import wordfreq

    frequent = wordfreq.top_n_list("en", VOCABULARY * 2)
    return [word for word in frequent if word in dictionary() and (len(word) > 1 or word in "ai")][:VOCABULARY]


def texts(rng: Random, read: Sequence[str]) -> Iterator[str]:
    """Yield texts without end; `read` are the transcripts that may be said too."""
    known = vocabulary()
    sentences = [text for text in read if words(text) is not None and 2 <= len(text.split()) <= 18]
    deck: list[str] = []
    while True:
        kind = rng.random()
        if kind < 0.4:
            count = rng.choice((1, 2, 2, 3, 4, 5, 6))
            chosen = []
            for _ in range(count):
                # Every word of the vocabulary comes once before any comes again; frequent ones come besides.
                if rng.random() < 0.35:
                    chosen.append(known[int(len(known) ** rng.random()) - 1])
                else:
                    if not deck:
                        deck = rng.sample(known, len(known))
                    chosen.append(deck.pop())
            yield " ".join(chosen)
        elif kind < 0.8 or not sentences:
            yield _command(rng, known)
        else:
            yield " ".join(words(rng.choice(sentences)) or ())


def _command(rng: Random, known: Sequence[str]) -> str:
    name = [rng.choice(known[:8000]) for _ in range(rng.choice((0, 0, 1, 1, 2)))]
    parts = [rng.choice(_VERBS), rng.choice(("the", "the", "my", "a", "an", "all", "")), *name, rng.choice(_THINGS)]
    if rng.random() < 0.5:
        parts += [rng.choice(("in the", "in the", "of the", "on the", "to the")), rng.choice(_ROOMS)]
    if rng.random() < 0.4:
        parts += [rng.choice(("to", "is", "at", "")), rng.choice(_QUALITIES)]
    if rng.random() < 0.3:
        parts += [rng.choice(("to", "for", "in", "at", "by")), _number(rng), rng.choice(_UNITS)]
    if rng.random() < 0.3:
        parts.append(rng.choice(_ENDS))
    if rng.random() < 0.2:  # fragments: what is left out must not be guessed from its neighbours
        first = rng.randrange(len(parts))
        parts = parts[first : first + rng.randint(1, 4)]
    return " ".join(part for part in parts if part) or _number(rng)


def _number(rng: Random) -> str:
    number = rng.choice(_ONES) if rng.random() < 0.5 else rng.choice(_TENS)
    if number != "a hundred" and number in _TENS and rng.random() < 0.4:
        number += " " + rng.choice(_ONES[1:10])
    return number
