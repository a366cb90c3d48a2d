"""Text as a recogniser gets it wrong: sounds are exchanged, dropped or put in, and spelled as they then sound.

Words become phones by espeak-ng in their language. A phone is exchanged for one that listeners confuse it with
(consonants: Miller and Nicely 1955; vowels: neighbours on the vowel chart), and the phones are written down again by
the table in `misheard.yaml`. None of it is what the matcher measures by.
"""

from __future__ import annotations

import ctypes
import re
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

VOICES = {"en": "en-us", "de": "de", "fr": "fr", "nl": "nl", "es": "es"}

# Of the errors of small recognisers most are substitutions.
_KINDS = ("exchange",) * 7 + ("drop",) * 2 + ("insert",)

_SYNCHRONOUS, _DONT_EXIT, _UTF8, _IPA, _SEPARATED = 2, 0x8000, 1, 0x02, ord("_") << 8


class Mishearing:
    """Errors of one language.

    Args:
        language: one of `VOICES`.

    Raises:
        LookupError: espeak-ng is not installed or does not speak the language.
    """

    def __init__(self, language: str) -> None:
        if language not in VOICES:
            raise LookupError(f"there is no table of sounds for {language!r}")
        data = yaml.safe_load(Path(__file__).with_name("misheard.yaml").read_text(encoding="utf-8"))
        self._spelling: dict[str, str] = {**data["spelling"]["all"], **data["spelling"].get(language, {})}
        self._phone = re.compile("|".join(sorted(map(re.escape, self._spelling), key=len, reverse=True)))
        self._confused: list[str] = data["confused"]
        self._voice = VOICES[language]

    def sentence(
        self, words: tuple[str, ...], errors: int, rng: Random, spared: frozenset[str] = frozenset()
    ) -> tuple[str, ...]:
        """Return a sentence with so many sounds wrong; the words that have none stay as they are written.

        Args:
            words: the sentence.
            errors: how many.
            rng: where they are.
            spared: words without errors.
        """
        heard = list(words)
        phones = [self.phones(word) for word in words]
        for _ in range(errors):
            before = list(heard)
            while heard == before:  # another sound that is written the same is no error
                at = rng.choices(
                    range(len(words)), [len(p) * (w not in spared) for w, p in zip(words, phones, strict=True)]
                )[0]
                phones[at] = self._wrong(phones[at], rng)
                heard[at] = "".join(self._spelling[phone] for phone in phones[at])
        return tuple(word for word in heard if word)

    def phones(self, word: str) -> list[str]:
        """Return how a word is said."""
        return self._phone.findall(_ipa(self._voice, word))

    def _wrong(self, phones: list[str], rng: Random) -> list[str]:
        at = rng.randrange(len(phones))
        kind = rng.choice(_KINDS)
        if kind == "drop" and len(phones) > 1:
            return phones[:at] + phones[at + 1 :]
        groups = [group.split() for group in self._confused]
        like = [p for group in groups if phones[at] in group for p in group if p != phones[at] and p in self._spelling]
        other = rng.choice(like or [p for p in self._spelling if p != phones[at]])
        return phones[:at] + ([other, phones[at]] if kind == "insert" else [other]) + phones[at + 1 :]


@lru_cache(maxsize=1)
def _library() -> Any:
    try:
        import espeakng_loader
    except ImportError as error:
        raise LookupError("espeakng-loader is not installed") from error
    library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
    library.espeak_Initialize(_SYNCHRONOUS, 0, str(espeakng_loader.get_data_path()).encode(), _DONT_EXIT)
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    return library


@lru_cache(maxsize=16_384)
def _ipa(voice: str, text: str) -> str:
    library = _library()
    if library.espeak_SetVoiceByName(voice.encode()):
        raise LookupError(f"espeak-ng has no voice {voice}")
    pointer = ctypes.c_char_p(text.encode())
    parts: list[bytes] = []
    while pointer.value:
        parts.append(library.espeak_TextToPhonemes(ctypes.byref(pointer), _UTF8, _IPA | _SEPARATED) or b"")
    return re.sub(r"\([a-z-]+\)|[_ˈˌ]", "", b" ".join(parts).decode())
