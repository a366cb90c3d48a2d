"""Who speaks here and who speaks over there."""

from __future__ import annotations

import numpy as np
import pytest

from hearth_core.foreground import Foreground, loudest_db

WINDOW = 512


def window(level_db: float, seed: int = 0) -> bytes:
    samples = np.random.default_rng(seed).normal(0, 1, WINDOW)
    samples *= 10 ** (level_db / 20) / np.sqrt((samples**2).mean())
    return samples.astype("<i2").tobytes()


def hear(*levels: tuple[int, float, bool], margin_db: float = 10.0) -> Foreground:
    foreground = Foreground(margin_db)
    position = 0
    for count, level, speech in levels:
        for index in range(count):
            position += WINDOW
            foreground.hear(window(level, position + index), speech=speech, position=position)
    return foreground


def test_nobody_is_near_before_somebody_spoke() -> None:
    assert hear((20, 60, False)).last_near is None


@pytest.mark.parametrize(("softer_db", "least", "most"), [(3, 60, 60), (9, 60, 60), (12, 40, 51), (20, 40, 51)])
def test_what_is_softer_by_the_margin_is_not_the_speaker(softer_db: float, least: int, most: int) -> None:
    last = hear((40, 70, True), (20, 70 - softer_db, True)).last_near
    assert last is not None
    assert least <= last // WINDOW <= most, "the level follows within 0.35 s"


def test_a_louder_word_sets_the_level_and_a_soft_beginning_counts() -> None:
    foreground = hear((20, 50, True))
    assert foreground.last_near == 20 * WINDOW
    assert hear((20, 50, True), (20, 70, True), (20, 50, True)).last_near in range(40 * WINDOW, 50 * WINDOW)


@pytest.mark.parametrize(("floor_db", "noisy"), [(10, False), (40, False), (50, True), (60, True)])
def test_a_room_is_noisy_if_it_was_never_quiet(floor_db: float, noisy: bool) -> None:
    assert hear((20, floor_db, False), (20, 70, True), (20, floor_db, False)).noisy is noisy


def test_a_wake_word_is_as_loud_as_its_loudest_part() -> None:
    word = b"".join(window(level, index) for index, level in enumerate([30] * 10 + [70] * 12 + [50] * 10))
    assert loudest_db(word) == pytest.approx(70, abs=0.5)
    assert loudest_db(word[: 4 * 2 * WINDOW]) is None, "too short to be told"


@pytest.mark.parametrize(("level", "speech", "met"), [(63, True, True), (61, True, False), (70, False, False)])
def test_the_speaker_is_met_by_speech_of_the_level(level: float, speech: bool, met: bool) -> None:
    foreground = Foreground(10.0, 62.0)
    for index in range(15):
        foreground.hear(window(level, index), speech=speech, position=index * WINDOW)
    assert foreground.met is met


def test_silence_of_zeros_has_a_level() -> None:
    foreground = Foreground(10.0)
    foreground.hear(bytes(2 * WINDOW), speech=True, position=WINDOW)
    assert foreground.last_near == WINDOW
