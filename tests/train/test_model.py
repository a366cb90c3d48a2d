"""The encoder hears the same whole and in pieces, and nothing from further ahead than it says."""

import numpy as np
import pytest
import torch
from scipy.fft import dct

from hearth_core.log_mel import FLOOR, MELS, STACK, log_mel
from hearth_train.model import MEAN, SPREAD, SYMBOLS, Encoder, Shape, Streaming, cepstrum, stacked
from tests import spectra

SMALL = Shape(channels=16, hidden=32, blocks=3, behind=4)
UNKNOWN_END = torch.tensor([1 << 40])


def encoder(shape: Shape = SMALL) -> Encoder:
    torch.manual_seed(1)
    made = Encoder(shape)
    for (
        parameter
    ) in made.parameters():  # the usual beginning leaves biases at zero, which would hide mistakes with them
        torch.nn.init.normal_(parameter, 0, 0.4)
    return made.eval()


def features(frames: int) -> torch.Tensor:
    return torch.randn(1, frames, STACK * MELS, generator=torch.Generator().manual_seed(2)) * 3 - 5


@torch.no_grad()
@pytest.mark.parametrize("size", [1, 4, 7, 40])
@pytest.mark.parametrize(
    "shape",
    [
        SMALL,
        Shape(channels=16, hidden=32, blocks=4, behind=3, shared=2),
        Shape(channels=16, hidden=32, blocks=2, behind=3, mfcc=13),
    ],
)
def test_a_stream_gives_what_the_whole_gives(size: int, shape: Shape) -> None:
    whole_encoder, heard = encoder(shape), features(40)
    whole, _ = whole_encoder(heard, torch.tensor([40]))
    streaming = Streaming(whole_encoder)
    cache = torch.zeros(streaming.cache_shape)
    out = []
    for start in range(0, 40, size):
        piece, cache = streaming(heard[:, start : start + size], torch.tensor([start]), UNKNOWN_END, cache)
        out.append(piece)
    flush = torch.zeros(1, shape.delay, STACK * MELS)
    out.append(streaming(flush, torch.tensor([40]), torch.tensor([40]), cache)[0])
    torch.testing.assert_close(torch.cat(out, 1)[:, shape.delay :], whole, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_frame_hears_so_far_ahead_and_no_further() -> None:
    made, heard = encoder(), features(30)
    before, _ = made(heard, torch.tensor([30]))
    changed = heard.clone()
    changed[:, 20] += 5
    after, _ = made(changed, torch.tensor([30]))
    differs = (before - after).abs().amax(-1)[0] > 1e-6
    assert int(differs.nonzero()[0]) == 20 - SMALL.delay


@torch.no_grad()
def test_padding_of_a_batch_changes_nothing() -> None:
    made, heard = encoder(), features(30)
    alone, _ = made(heard[:, :18], torch.tensor([18]))
    padded, _ = made(heard, torch.tensor([18]))
    torch.testing.assert_close(padded[:, :18], alone, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_outputs_are_log_probabilities() -> None:
    whole, middle = encoder()(features(12), torch.tensor([12]))
    assert whole.shape == (1, 12, SYMBOLS)
    for out in (whole, middle):
        np.testing.assert_allclose(out.exp().sum(-1).numpy(), 1, atol=1e-5)


def test_shared_blocks_have_one_set_of_matrices() -> None:
    plain = sum(p.numel() for p in Encoder(Shape(blocks=4)).parameters())
    shared = sum(p.numel() for p in Encoder(Shape(blocks=4, shared=2)).parameters())
    matrices = 2 * 192 * 512 + 192 + 512
    assert plain - shared == 2 * matrices


def test_a_remainder_of_mel_frames_is_dropped() -> None:
    mel = torch.arange(8 * MELS, dtype=torch.float32).reshape(8, MELS)
    assert stacked(mel).shape == (2, STACK * MELS)
    assert torch.equal(stacked(mel)[1, :MELS], mel[3])


def test_the_cepstrum_is_what_scipy_makes() -> None:
    mel = torch.randn(5, MELS, generator=torch.Generator().manual_seed(3))
    np.testing.assert_allclose(cepstrum(mel, 13), dct(mel.numpy(), norm="ortho")[:, :13], atol=1e-5)


# Of `spectra.chirp()`, frames 0, 30, 60 and 97, by librosa 0.11.0 from its log-mel (tests/core/test_log_mel.py):
#   librosa.feature.mfcc(S=(log_mel + 4.5) / 3.5, n_mfcc=13, dct_type=2, norm="ortho")
LIBROSA = [
    [-9.177, 6.751, 5.546, 3.961, 2.43, 1.194, 0.369, -0.116, -0.338, -0.455, -0.473, -0.479, -0.436],
    [-10.959, -1.064, -4.075, 2.709, 2.56, -3.471, -0.723, 3.205, -0.743, -2.254, 1.522, 1.077, -1.57],
    [-11.787, -2.887, 1.116, 0.992, -2.635, 3.192, -2.542, 1.035, 0.707, -2.009, 2.437, -1.941, 0.823],
    [-12.506, -2.531, 2.478, -2.41, 2.311, -2.202, 2.078, -1.922, 1.771, -1.61, 1.435, -1.263, 1.086],
]


@torch.no_grad()
def test_an_encoder_of_cepstra_hears_those_of_the_audio() -> None:
    """From samples to what the first matrix takes, by the definitions in `spectra` and by librosa."""
    made = encoder(Shape(channels=16, hidden=32, blocks=2, behind=3, mfcc=13))
    taken: list[torch.Tensor] = []
    made.enter.register_forward_hook(lambda _, given, __: taken.append(given[0]))
    pcm = spectra.chirp(1.01)  # 99 frames
    heard = stacked(torch.from_numpy(log_mel(pcm)))[None]
    made(heard, torch.tensor([heard.shape[1]]))
    found = taken[0].reshape(-1, 13).numpy()
    np.testing.assert_allclose(found, spectra.cepstrum((spectra.log_mel(pcm, FLOOR) - MEAN) / SPREAD, 13), atol=1e-3)
    np.testing.assert_allclose(found[[0, 30, 60, 97]], LIBROSA, atol=1e-3)
