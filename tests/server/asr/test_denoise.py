"""The noise filter: what it takes away, what it leaves alone, and that chunks do not matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hearth_server.asr.denoise import RATE, Denoiser

Samples = NDArray[np.int16]


def bursts(seconds: float, amplitude: float, noise: float, seed: int = 0) -> tuple[Samples, Samples, Samples]:
    """Return syllable-like bursts of a tone, white noise, and their sum."""
    random = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    speech = amplitude * np.sin(2 * np.pi * 500 * time) * (np.sin(2 * np.pi * 3 * time) > 0.3)
    under = random.normal(0, noise, len(time)) if noise else np.zeros(len(time))
    return (
        np.rint(speech).astype(np.int16),
        np.rint(under).astype(np.int16),
        np.rint(np.clip(speech + under, -32768, 32767)).astype(np.int16),
    )


def filtered(samples: Samples, chunk: int = 512) -> Samples:
    denoiser = Denoiser()
    parts = [denoiser.feed(samples[place : place + chunk]) for place in range(0, len(samples), chunk)]
    return np.concatenate([*parts, denoiser.flush()])


def power(samples: Samples) -> float:
    return float(np.mean(samples.astype(np.float64) ** 2))


def test_steady_noise_loses_more_than_speech() -> None:
    speech, _, both = bursts(3, 2000, 1000)
    out = filtered(both)
    speaking = np.abs(speech) > 0
    pauses = np.convolve(speaking, np.ones(2048), "same") == 0
    assert power(out[pauses]) < power(both[pauses]) / 10
    assert power(out[speaking]) > power(speech[speaking]) / 2
    error_before = power((both - speech).astype(np.int16))
    assert power((out.astype(np.int32) - speech).clip(-32768, 32767).astype(np.int16)) < error_before / 2


def test_clean_speech_passes_untouched() -> None:
    _, _, clean = bursts(2, 8000, 20)
    assert np.array_equal(filtered(clean), clean)


@pytest.mark.parametrize("count", [0, 1, 511, 512, 3000, RATE - 1, RATE, RATE + 1, 2 * RATE + 77])
def test_as_many_samples_come_out_as_went_in(count: int) -> None:
    _, _, both = bursts(3, 1000, 800)
    assert len(filtered(both[:count])) == count


@settings(max_examples=20)
@given(sizes=st.lists(st.integers(0, 5000), max_size=12))
def test_the_size_of_chunks_changes_nothing(sizes: list[int]) -> None:
    _, _, both = bursts(2, 1000, 800)
    denoiser = Denoiser()
    parts, place = [], 0
    for size in [*sizes, len(both)]:
        parts.append(denoiser.feed(both[place : place + size]))
        place += size
    assert np.array_equal(np.concatenate([*parts, denoiser.flush()]), filtered(both))


@pytest.mark.parametrize("value", [0, 32767, -32768])
def test_constant_and_loudest_samples_do_no_harm(value: int) -> None:
    with np.errstate(all="raise"):
        out = filtered(np.full(2 * RATE, value, np.int16))
    assert len(out) == 2 * RATE


def test_the_first_second_is_all_that_is_waited_for() -> None:
    _, _, both = bursts(2, 1000, 800)
    denoiser = Denoiser()
    assert len(denoiser.feed(both[: RATE - 1])) == 0
    assert RATE - 512 <= len(denoiser.feed(both[RATE - 1 : RATE + 1])) <= RATE + 1
