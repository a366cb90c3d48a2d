"""The phones of English as CMUdict writes them, without stress, and their numbers in a model's output."""

from __future__ import annotations

from typing import Final

PHONES: Final = (
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY", "JH", "K",
    "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH",
)  # fmt: skip

BLANK: Final = 0  # CTC's "nothing new" in a model's output; phone i of `PHONES` is i + 1
NUMBER: Final = {phone: number for number, phone in enumerate(PHONES, start=1)}


def numbers(pronunciation: str) -> tuple[int, ...]:
    """Return the numbers of a pronunciation, e.g. "L AY1 T"; stress is ignored.

    Raises:
        KeyError: a phone that English does not have.
    """
    return tuple(NUMBER[phone.rstrip("012")] for phone in pronunciation.split())
