"""The log-probabilities of a stream are those of the whole, however it was cut and whenever it was asked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hearth_core.log_mel import log_mel
from hearth_server.asr.micro.model import ENDLESS, OUTPUTS, MicroModel
from hearth_server.asr.micro.posteriors import Posteriors, at_all_phases

from .tiny import Tiny

TINY = Tiny()
Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> MicroModel:
    path = tmp_path_factory.mktemp("model") / "tiny.onnx"
    path.write_bytes(TINY.onnx())
    return MicroModel(path)


def noise(samples: int, seed: int = 0) -> NDArray[np.int16]:
    return np.random.default_rng(seed).normal(0, 1000, samples).astype(np.int16)


def offline(pcm: NDArray[np.int16]) -> Floats:
    mel = log_mel(pcm)
    whole = len(mel) // 3
    return TINY.offline(mel[: whole * 3].reshape(whole, 120))


def streamed(model: MicroModel, pcm: bytes, sizes: list[int], *, asking: bool = False, chunk: int = 2) -> Floats:
    """Return what comes of the audio in chunks of so many samples, again and again."""
    posteriors, parts, start, number = Posteriors(model, chunk), [np.zeros((0, OUTPUTS), np.float32)], 0, 0
    while start < len(pcm):
        size = 2 * sizes[number % len(sizes)]
        parts.append(posteriors.feed(pcm[start : start + size]))
        if asking:
            posteriors.peek()
        start, number = start + size, number + 1
    parts.append(posteriors.flush())
    assert posteriors.frames == sum(map(len, parts))
    return np.concatenate(parts)


@pytest.mark.parametrize("samples", [0, 1, 399, 400, 719, 720, 1200, 1680, 2160, 3333, 16_000, 31_999])
@pytest.mark.parametrize("sizes", [[1024], [512], [160], [100_000], [7, 4001, 480]])
def test_a_stream_gives_what_the_whole_gives(model: MicroModel, samples: int, sizes: list[int]) -> None:
    pcm = noise(samples)
    np.testing.assert_allclose(streamed(model, pcm.tobytes(), sizes), offline(pcm), atol=1e-4)


@settings(max_examples=30)
@given(
    samples=st.integers(0, 20_000),
    sizes=st.lists(st.integers(1, 5000), min_size=1, max_size=6),
    chunk=st.integers(1, 9),
    asking=st.booleans(),
)
def test_cuts_and_questions_change_nothing(
    model: MicroModel, samples: int, sizes: list[int], chunk: int, asking: bool
) -> None:
    pcm = noise(samples, seed=samples)
    heard = streamed(model, pcm.tobytes(), sizes, asking=asking, chunk=chunk)
    np.testing.assert_allclose(heard, offline(pcm), atol=1e-4)


def test_one_call_gives_what_the_whole_gives(model: MicroModel) -> None:
    mel = log_mel(noise(16_000))
    count = len(mel) // 3
    features = np.concatenate((mel[: count * 3].reshape(count, 120), np.zeros((TINY.delay, 120), np.float32)))
    log_probs, _ = model.run(features, 0, count, model.cache())
    np.testing.assert_allclose(log_probs[TINY.delay :], offline(noise(16_000)), atol=1e-4)


@pytest.mark.parametrize("samples", [0, 500, 1999, 4800, 9000])
def test_a_look_ahead_is_what_would_come_if_the_audio_ended_there(model: MicroModel, samples: int) -> None:
    pcm = noise(9600)
    posteriors = Posteriors(model)
    first = posteriors.feed(pcm[:samples].tobytes())
    seen = np.concatenate((first, posteriors.peek()))
    np.testing.assert_allclose(seen, offline(pcm[:samples]), atol=1e-4)
    rest = posteriors.feed(pcm[samples:].tobytes())
    np.testing.assert_allclose(np.concatenate((first, rest, posteriors.flush())), offline(pcm), atol=1e-4)


def test_what_is_known_lags_by_the_look_ahead_and_a_chunk(model: MicroModel) -> None:
    posteriors = Posteriors(model, chunk=2)
    pcm = noise(16_000).tobytes()
    for end in range(1024, len(pcm) + 1, 1024):
        posteriors.feed(pcm[end - 1024 : end])
        complete = max(0, (end // 2 - 400) // 160 + 1) // 3
        assert posteriors.frames == max(0, complete // 2 * 2 - TINY.delay)


def test_digital_silence_and_full_scale_are_numbers(model: MicroModel) -> None:
    loud = np.where(np.arange(16_000) // 40 % 2, 32767, -32768).astype(np.int16)
    for pcm in (np.zeros(16_000, np.int16), loud):
        assert np.isfinite(streamed(model, pcm.tobytes(), [1024])).all()


def test_the_end_matters(model: MicroModel) -> None:
    """Or the tests above would say nothing of it."""
    features = log_mel(noise(8000))[:45].reshape(15, 120)
    padded = np.concatenate((features, np.zeros((TINY.delay, 120), np.float32)))
    ended, _ = model.run(padded, 0, 15, model.cache())
    endless, _ = model.run(padded, 0, ENDLESS, model.cache())
    assert np.abs(ended - endless)[-1].max() > 1e-3


def test_streams_at_once_do_not_meet(model: MicroModel) -> None:
    sounds = [noise(8000, seed) for seed in range(3)]
    streams = [Posteriors(model) for _ in sounds]
    parts: list[list[Floats]] = [[] for _ in sounds]
    for start in range(0, 8000, 500):
        for stream, sound, found in zip(streams, sounds, parts, strict=True):
            found.append(stream.feed(sound[start : start + 500].tobytes()))
    for stream, sound, found in zip(streams, sounds, parts, strict=True):
        np.testing.assert_allclose(np.concatenate((*found, stream.flush())), offline(sound), atol=1e-4)


@pytest.mark.parametrize("frames", [0, 1, 2, 3, 4, 5, 6, 30, 31, 32])
def test_the_mean_of_all_phases(frames: int, model: MicroModel) -> None:
    mel = log_mel(noise(16_000))[:frames]
    heard = [TINY.offline(mel[phase : phase + (frames - phase) // 3 * 3].reshape(-1, 120)) for phase in (0, 1, 2)]
    count = min(map(len, heard))
    expected = np.mean([np.exp(each[:count]) for each in heard], axis=0) if count else np.zeros((0, OUTPUTS))
    np.testing.assert_allclose(np.exp(at_all_phases(model, mel)), expected, atol=1e-5)
