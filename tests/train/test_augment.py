"""What augmentation does to features, and that it does nothing at strength 0 but put the floor in."""

import numpy as np
import torch

from hearth_core.log_mel import FLOOR, MELS, log_mel
from hearth_train.augment import DB, Strengths, augment, level, warped
from hearth_train.features import TINY

SILENCE = torch.full((2, 61, MELS), -23.0)


def speech() -> torch.Tensor:
    rng = np.random.default_rng(3)
    return torch.from_numpy(np.stack([log_mel(rng.normal(0, 500, 10_000).astype(np.int16), TINY) for _ in range(2)]))


def test_no_strength_leaves_the_features_of_the_server() -> None:
    pcm = np.random.default_rng(4).normal(0, 300, 10_000).astype(np.int16)
    kept = torch.from_numpy(log_mel(pcm, TINY))[None]
    heard = augment(kept, SILENCE[:1], torch.Generator().manual_seed(0), 0.0)
    np.testing.assert_allclose(heard[0].numpy(), log_mel(pcm), atol=1e-4)


def test_noise_is_as_loud_as_asked() -> None:
    full = Strengths(
        warp=0,
        tilt_db=0,
        bumps_db=0,
        level_db=(-3, -3),
        noise_chance=1.0,
        snr_db=(10, 10),
        time_masks=0,
        band_masks=0,
    )
    quiet = SILENCE.clone()
    quiet[:, 20:40] = -2.0  # speech in the middle
    noise = torch.full_like(quiet, -9.0)
    heard = augment(quiet, noise, torch.Generator().manual_seed(0), 1.0, full)
    difference_db = (level(heard) - torch.logsumexp(heard[:, 0], -1)) / DB
    torch.testing.assert_close(difference_db, torch.full((2,), 10.0), atol=0.6, rtol=0)


def test_silence_gets_the_floor() -> None:
    heard = augment(SILENCE, SILENCE, torch.Generator().manual_seed(0), 0.0)
    torch.testing.assert_close(heard, torch.full_like(heard, float(np.log(FLOOR))), atol=1e-3, rtol=0)


def test_a_warp_moves_a_peak() -> None:
    mel = torch.full((1, 1, MELS), -10.0)
    mel[0, 0, 20] = 0.0
    assert int(warped(mel, torch.tensor([1.0])).argmax()) == 20
    assert int(warped(mel, torch.tensor([1.1])).argmax()) == 18
    assert torch.equal(warped(mel, torch.tensor([1.0])), mel)


def test_chance_is_the_generators() -> None:
    heard = [augment(speech(), SILENCE, torch.Generator().manual_seed(7), 1.0) for _ in range(2)]
    assert torch.equal(*heard)
    assert heard[0].isfinite().all()


def test_speech_is_never_lost_in_the_floor() -> None:
    quietest = Strengths().level_db[0]
    floor = float(np.log(FLOOR * MELS)) / DB
    assert quietest - floor > 25  # dB: the soft sounds of soft speech
    loud = level(
        augment(speech(), SILENCE, torch.Generator().manual_seed(5), 1.0, Strengths(time_masks=0, band_masks=0))
    )
    assert float(loud.min()) / DB > quietest - 1
