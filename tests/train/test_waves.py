"""Batches made of audio hear what the server hears: the same features, other speeds, whole words in their places."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hearth_core.audio import RATE
from hearth_core.log_mel import HOP, STACK, WINDOW
from hearth_core.log_mel import log_mel as server_log_mel
from hearth_train import place, shard, waves
from hearth_train.data import fits
from hearth_train.features import CODEC_CHANCE, SPEED, TINY, narrow
from hearth_train.shard import Utterance
from hearth_train.waves import Waves
from tests.train.test_features import CODEC, Drawn

HERTZ = 1000.0


def tone(seconds: float) -> NDArray[np.int16]:
    return (8000 * np.sin(2 * np.pi * HERTZ * np.arange(int(RATE * seconds)) / RATE)).astype(np.int16)


@pytest.fixture
def audio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twenty tones as recordings, noise behind them and one room."""
    monkeypatch.setattr(place, "PCM", tmp_path)
    said = Utterance("tone", "made", "one", "go", (15, 25))
    shard.write(tmp_path / "real", "made", [(said, tone(0.5 + n / 20)) for n in range(20)])
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 300, RATE * 20).astype(np.int16)
    shard.write(tmp_path, "background", [(Utterance("noise", "made", "", "", ()), noise)])
    room = np.array([0.1, 1.0, 0.0, 0.5], np.float32)
    shard.write(tmp_path, "rooms", [(Utterance("room", "rooms", "", "", ()), room)])
    return tmp_path


def test_the_features_are_the_servers() -> None:
    pcm = np.random.default_rng(2).normal(0, 900, RATE).astype(np.int16)
    np.testing.assert_allclose(waves.log_mel(torch.from_numpy(pcm)[None])[0], server_log_mel(pcm, TINY), atol=2e-3)


def test_a_batch_holds_whole_utterances(audio: Path) -> None:
    source = Waves("cpu").batches(3, 40)
    for _ in range(5):
        batch = next(source)
        rows = len(batch.mel)
        assert batch.background.shape == batch.mel.shape
        assert batch.mel.isfinite().all()
        assert int(batch.frames.max()) * STACK <= batch.mel.shape[1]
        assert rows * batch.mel.shape[1] / 100 < 45
        assert batch.phones.tolist() == [15, 25] * (len(batch.phones) // 2)
        for frames, count in zip(batch.frames.tolist(), batch.phone_counts.tolist(), strict=True):
            assert fits(frames, (15, 25) * (count // 2))


def test_at_its_own_speed_a_recording_stays_as_it_is(audio: Path) -> None:
    made = Waves("cpu")
    whole = tone(0.5)
    wave = read(made, 1.0, len(whole) + 500, begin=300)
    np.testing.assert_allclose(wave[300 : 300 + len(whole)], whole, atol=1)
    assert not wave[:290].any()
    assert not wave[-150:].any()


@pytest.mark.parametrize("speed", [1 - SPEED, 1.05, 1 + SPEED])
def test_at_another_speed_a_tone_is_higher(audio: Path, speed: float) -> None:
    wave = read(Waves("cpu"), speed, 7000)[:6000]
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
    assert np.argmax(spectrum) * RATE / len(wave) == pytest.approx(HERTZ * speed, abs=3)
    near = slice(max(0, int(np.argmax(spectrum)) - 8), int(np.argmax(spectrum)) + 9)
    assert (spectrum[near] ** 2).sum() > 0.9999 * (spectrum**2).sum()  # and nothing beside it


def read(made: Waves, speed: float, samples: int, begin: int = 0) -> NDArray[np.float32]:
    """Read the first recording alone."""
    sources, lengths, begins = (np.zeros((1, waves.PARTS), np.int64) for _ in range(3))
    lengths[0, 0], begins[0, 0] = RATE // 2, begin
    speeds = np.full((1, waves.PARTS), speed)
    found: NDArray[np.float32] = made._read(sources, lengths, begins, speeds, samples)[0].numpy()
    return found


def test_a_room_leaves_the_direct_sound_in_its_place(audio: Path) -> None:
    made = Waves("cpu")
    click = torch.zeros(300, 2000)
    click[:, 1000] = 1000.0
    placed = made._placed(click, torch.Generator().manual_seed(1)).numpy()
    assert set(np.abs(placed).argmax(1)) <= set(range(998, 1003))
    wet = np.abs(placed[:, 1002] - 500) < 1  # the tap half as loud, two samples later
    assert 90 < wet.sum() < 180


def test_a_narrow_line_cuts_what_is_above_its_edge_and_a_codec_leaves_steps(
    audio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waves, "ROOM_CHANCE", 0.0)
    made = Waves("cpu")
    noise = torch.from_numpy(np.random.default_rng(4).normal(0, 3000, (400, 4000)).astype(np.float32))
    heard = made._placed(noise, torch.Generator().manual_seed(2))
    assert heard.shape == noise.shape

    def decibels(low: float, high: float) -> NDArray[np.float64]:
        """Return how much of each row is left between two frequencies."""
        bins = slice(int(low * noise.shape[1] / RATE), int(high * noise.shape[1] / RATE))
        before, after = (
            (np.abs(np.fft.rfft(rows.numpy() * np.hanning(rows.shape[1]))) ** 2)[:, bins].sum(1)
            for rows in (noise, heard)
        )
        found: NDArray[np.float64] = 10 * np.log10(after / before)
        return found

    low, high = waves.NARROW_HZ
    coded = np.array([len(np.unique(row)) <= 255 for row in heard.numpy()])
    cut = (decibels(high + 50, 8000) < -40) & ~coded
    for some in (cut, coded):
        assert 0.6 * CODEC_CHANCE / 2 < some.mean() < 1.5 * CODEC_CHANCE / 2
    np.testing.assert_allclose(decibels(0, low - 150), 0, atol=0.3)  # speech keeps its lower part
    assert (decibels(high + 50, 8000)[~cut] > -0.3).all(), "and most rows all of it"
    halfway = decibels(low + 700, low + 1100)[cut]
    assert (halfway < -40).any(), "edges differ"
    assert (halfway > -3).any()
    np.testing.assert_allclose(heard[~cut & ~coded], noise[~cut & ~coded], atol=0.5)
    np.testing.assert_allclose(heard[coded], waves.companded(noise[coded]), atol=300)  # a step beside, at most


def test_mu_law_is_that_of_the_shards() -> None:
    for down_db in (0, 20, 40):
        tone = (33000 * 10 ** (-down_db / 20) * np.sin(np.arange(RATE) / 5.7)).astype(np.float32)
        found = waves.companded(torch.from_numpy(tone)).numpy()
        assert (np.abs(found - narrow(tone, Drawn(CODEC))) < 0.01).mean() > 0.999, "rounding may fall to either side"


def test_noise_is_mixed_into_some(audio: Path) -> None:
    quiet = torch.full((200, WINDOW + HOP), 100.0)
    noisy = Waves("cpu")._noisy(quiet, np.random.default_rng(1), torch.Generator().manual_seed(1))
    changed = (noisy != quiet).any(1).float().mean()
    assert 0.15 < float(changed) < 0.45
