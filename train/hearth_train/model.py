"""Stage 4a: the encoder, a stack of convolutions over 30 ms frames with a short look-ahead, trained with CTC on phones.

Each block is x + W2 relu(W1 norm(depthwise(x))) (ConvNeXt's, Liu et al. 2022, over time): nearly all weights are in the
two matrix products, which int8 takes well and processors do fast. A block sees `BEHIND` frames back and one ahead.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from hearth_core.log_mel import FLOOR, MELS, STACK
from hearth_core.phones import PHONES

SYMBOLS: Final = 1 + len(PHONES)

# Of the training's features, with the floor: what the encoder subtracts and divides by.
MEAN: Final = -4.5
SPREAD: Final = 3.5


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of an encoder.

    Attributes:
        channels: of the frames between the blocks.
        hidden: of each block's middle.
        blocks: how many; each adds one frame of look-ahead.
        behind: frames back that a block sees.
        shared: this many blocks in a row have the same matrices (cross-layer sharing); 1 is none.
        mfcc: cepstral coefficients of a mel frame that the encoder hears instead of its bands; 0: the bands.
    """

    channels: int = 192
    hidden: int = 512
    blocks: int = 10
    behind: int = 8
    shared: int = 1
    mfcc: int = 0

    @property
    def delay(self) -> int:
        """Frames of look-ahead, all blocks together."""
        return self.blocks

    def facts(self) -> dict[str, Any]:
        """Return the shape as plain data."""
        return asdict(self)


class Block(nn.Module):
    """One block; `matrices` may be another block's."""

    def __init__(self, shape: Shape, matrices: tuple[nn.Linear, nn.Linear] | None = None) -> None:
        super().__init__()
        self.behind = shape.behind
        width = shape.behind + 2
        self.depthwise = nn.Conv2d(shape.channels, shape.channels, (width, 1), groups=shape.channels)
        self.norm = nn.LayerNorm(shape.channels)
        self.wide, self.narrow = matrices or (
            nn.Linear(shape.channels, shape.hidden),
            nn.Linear(shape.hidden, shape.channels),
        )
        self.scale = nn.Parameter(torch.full((shape.channels,), 0.3))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return the block's output, both shape (batch, frames, channels); `mask` is 1 where there is audio."""
        around = F.pad(x, (0, 0, self.behind, 1))
        return (x + self.change(around)) * mask

    def change(self, around: Tensor) -> Tensor:
        """Return what is added to each frame, of which `behind` more before and one after are given."""
        mixed = self.depthwise(around.transpose(1, 2).unsqueeze(-1)).squeeze(-1).transpose(1, 2)
        changed: Tensor = self.narrow(F.relu(self.wide(self.norm(mixed)))) * self.scale
        return changed


class Encoder(nn.Module):
    """Features to log posteriors of the symbols (blank, phones)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.enter = nn.Linear(STACK * (shape.mfcc or MELS), shape.channels)
        self.enter_norm = nn.LayerNorm(shape.channels)
        blocks: list[Block] = []
        for index in range(shape.blocks):
            first = blocks[index - index % shape.shared] if index % shape.shared else None
            blocks.append(Block(shape, (first.wide, first.narrow) if first else None))
        self.blocks = nn.ModuleList(blocks)
        self.leave_norm = nn.LayerNorm(shape.channels)
        self.leave = nn.Linear(shape.channels, SYMBOLS)
        self.middle = nn.Linear(shape.channels, SYMBOLS)  # for the auxiliary loss only

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return log posteriors at the end and in the middle, each shape (batch, frames, SYMBOLS).

        Args:
            features: shape (batch, frames, STACK * MELS), log-mel with floor.
            lengths: shape (batch,), frames of each.
        """
        number = torch.arange(features.shape[1], device=features.device)
        mask = (number[None, :] < lengths[:, None].to(features.device)).unsqueeze(-1).to(features.dtype)
        x = self.begin(features) * mask
        middle = x
        for index, block in enumerate(self.blocks):
            x = block(x, mask)
            if index == len(self.blocks) // 2:
                middle = x
        return self.finish(x), F.log_softmax(self.middle(middle), -1)

    def begin(self, features: Tensor) -> Tensor:
        """Return the frames that the first block takes."""
        heard = (features - MEAN) / SPREAD
        if self.shape.mfcc:
            heard = cepstrum(heard.reshape(*heard.shape[:-1], STACK, MELS), self.shape.mfcc).flatten(-2)
        return F.relu(self.enter_norm(self.enter(heard)))

    def finish(self, x: Tensor) -> Tensor:
        """Return the log posteriors of the last block's frames."""
        return F.log_softmax(self.leave(self.leave_norm(x)), -1)


class Streaming(nn.Module):
    """The same encoder as the audio arrives: frames in, frames out `delay` later, and what has to be remembered.

    The cache holds for each block the frames that it will see again. Frames before the beginning and after the end are
    zero for every block, as they are to the whole.
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    @property
    def cache_shape(self) -> tuple[int, int, int, int]:
        """Shape of the cache at the beginning, all zero."""
        shape = self.encoder.shape
        return (1, shape.blocks, shape.channels, shape.behind + 1)

    def forward(self, features: Tensor, start: Tensor, end: Tensor, cache: Tensor) -> tuple[Tensor, Tensor]:
        """Return log posteriors of the frames from `start - delay` on, and the new cache.

        Args:
            features: shape (1, frames, STACK * MELS).
            start: shape (1,), number of the first frame.
            end: shape (1,), how many frames there are, a huge number while that is not known.
            cache: as `cache_shape` says.
        """
        x = self.encoder.begin(features)
        number = torch.arange(features.shape[1]) + start
        x = x * ((number >= 0) & (number < end)).to(x.dtype)[None, :, None]
        kept = []
        for index, block in enumerate(self.encoder.blocks):
            assert isinstance(block, Block)
            around = torch.cat((cache[:, index].transpose(1, 2), x), 1)
            kept.append(around[:, -(block.behind + 1) :].transpose(1, 2))
            number = number - 1
            mask = ((number >= 0) & (number < end)).to(x.dtype)[None, :, None]
            x = (around[:, block.behind : -1] + block.change(around)) * mask
        return self.encoder.finish(x), torch.stack(kept, 1)


def cepstrum(mel: Tensor, count: int) -> Tensor:
    """Return the first mel-frequency cepstral coefficients (DCT-II, orthonormal), shape (..., MELS) to (..., count)."""
    band = torch.arange(MELS, dtype=torch.float32, device=mel.device) + 0.5
    waves = torch.cos(torch.pi / MELS * band[:, None] * torch.arange(count, device=mel.device))
    scale = torch.full((count,), (2 / MELS) ** 0.5, device=mel.device)
    scale[0] = (1 / MELS) ** 0.5
    return mel @ (waves * scale)


def stacked(mel: Tensor) -> Tensor:
    """Return encoder frames of mel frames, shape (..., frames, MELS) to (..., frames // STACK, STACK * MELS)."""
    count = mel.shape[-2] // STACK
    return mel[..., : count * STACK, :].reshape(*mel.shape[:-2], count, STACK * MELS)


__all__ = ["FLOOR", "SYMBOLS", "Block", "Encoder", "Shape", "Streaming", "cepstrum", "stacked"]
