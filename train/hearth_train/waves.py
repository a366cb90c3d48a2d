"""Stage 4c on a GPU: batches without end from shards of audio, other speeds, rooms and noises in every pass.

All recordings lie in the device's memory. A batch is read out of them in a few large operations: where each of its
samples comes from is computed, with the speed in it, and interpolated there. The features are made on the device too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hearth_core.audio import RATE
from hearth_core.errors import InputError
from hearth_core.log_mel import HOP, STACK, WINDOW, mel_bands

from . import place, shard
from .data import JOIN_BELOW, JOIN_CHANCE, LONGEST, POOL, WEIGHTS, Batch, fits, targets
from .features import CODEC_CHANCE, NOISE_CHANCE, ROOM_CHANCE, SPEED, TINY
from .pronounce import Word, said

TAPS: Final = 12  # of the interpolation between samples
PARTS: Final = 5  # most utterances that are joined
PAUSE: Final = 4000  # samples, most silence around an utterance
NARROW_HZ: Final = (3600.0, 5500.0)  # where lines end


class Waves:
    """Every recording of the training on a device.

    Args:
        device: where they lie, "cuda" or "cpu".
        real: how much more often real recordings are drawn than their size says.

    Raises:
        InputError: there are none.
    """

    def __init__(self, device: str, real: float = 1.0) -> None:
        self._device = torch.device(device)
        self._pcm, self._starts, self._words, self._weights = _recordings(self._device, real)
        self._noise = _background(self._device)
        self._noise_mel = torch.cat([log_mel(piece[None])[0] for piece in torch.split(self._noise, RATE * 60)]).half()
        self._rooms = _rooms(self._device)

    def batches(self, seed: int, seconds: float) -> Iterator[Batch]:
        """Yield batches of so many padded seconds, for ever."""
        rng = np.random.default_rng(seed)
        generator = torch.Generator(self._device).manual_seed(seed)
        sizes = np.diff(self._starts)
        while True:
            drawn = rng.choice(len(sizes), POOL * 2, p=self._weights)
            rows = _joined(drawn.tolist(), sizes, rng)
            rows.sort(key=lambda row: int(sizes[row].sum()))
            groups: list[list[list[int]]] = [[]]
            for row in rows:
                longest = (sizes[row].sum() * (1 + SPEED) + (len(row) + 1) * PAUSE / 2) / RATE
                if groups[-1] and longest * (len(groups[-1]) + 1) > seconds:
                    groups.append([])
                groups[-1].append(row)
            for group in rng.permutation(len(groups)):
                yield self._batch(groups[group], rng, generator)

    def _batch(self, rows: Sequence[Sequence[int]], rng: np.random.Generator, generator: torch.Generator) -> Batch:
        speeds = 1 + rng.uniform(-SPEED, SPEED, (len(rows), PARTS))
        sources, lengths, begins, sizes = _timeline(rows, self._starts, speeds, rng)
        samples = int(sizes.max())
        wave = self._read(sources, lengths, begins, speeds, samples)
        wave = self._placed(wave, generator)
        wave = self._noisy(wave, rng, generator)
        mel = log_mel(wave.clamp(-32768, 32767))
        frames = mel.shape[1] // STACK
        mel = mel[:, : frames * STACK]
        first = torch.from_numpy(rng.integers(len(self._noise_mel), size=len(rows))).to(self._device)
        behind = (first[:, None] + torch.arange(mel.shape[1], device=self._device)) % len(self._noise_mel)
        words = tuple(tuple(word for item in row for word in self._words[item]) for row in rows)
        phones, counts = targets(words)
        return Batch(
            mel,
            self._noise_mel[behind].float(),
            torch.from_numpy(np.minimum((sizes - WINDOW) // HOP // STACK, frames)),
            phones.to(self._device),
            counts,
            words,
        )

    def _read(
        self,
        sources: NDArray[np.int64],
        lengths: NDArray[np.int64],
        begins: NDArray[np.int64],
        speeds: NDArray[np.float64],
        samples: int,
    ) -> Tensor:
        """Return the rows' audio, shape (rows, samples): each part from where it begins, at its speed."""
        device = self._device
        time = torch.arange(samples, device=device)
        base = torch.full((len(sources), samples), -1, dtype=torch.int64, device=device)
        between = torch.zeros(len(sources), samples, device=device)
        width = torch.ones(len(sources), samples, device=device)
        first = torch.zeros_like(base)
        last = torch.zeros_like(base)
        for part in range(PARTS):
            begin, length, source = (
                torch.from_numpy(each[:, part : part + 1]).to(device) for each in (begins, lengths, sources)
            )
            speed = torch.from_numpy(speeds[:, part : part + 1]).to(device)
            at = (time[None] - begin).double() * speed
            inside = (at >= 0) & (at < length)
            whole = at.floor()
            base = torch.where(inside, source + whole.long(), base)
            between = torch.where(inside, (at - whole).float(), between)
            width = torch.where(inside, speed.clamp(min=1).float(), width)
            first = torch.where(inside, source, first)
            last = torch.where(inside, source + length - 1, last)
        wave = torch.zeros(len(sources), samples, device=device)
        for tap in range(1 - TAPS // 2, TAPS // 2 + 1):
            distance = between - tap
            # A band-limited one where it plays faster, so that nothing folds back.
            weight = torch.sinc(distance / width) / width * torch.cos(torch.pi * distance / (TAPS + 2)) ** 2
            index = (base + tap).clamp(min=0)
            known = (base >= 0) & (index >= first) & (index <= last)
            wave += torch.where(known, self._pcm[index.clamp(max=len(self._pcm) - 1)].float() * weight, 0.0)
        return wave

    def _placed(self, wave: Tensor, generator: torch.Generator) -> Tensor:
        """Return the rows in rooms, and through narrow lines or codecs, those that chance takes."""
        rows, samples = wave.shape
        size = 1 << (samples + self._rooms.shape[1] - 1).bit_length()
        room = torch.randint(1, len(self._rooms), (rows,), generator=generator, device=self._device)
        room = torch.where(self._chance(rows, generator) < ROOM_CHANCE, room, 0)  # 0 is no room
        spectra = torch.fft.rfft(wave, size) * torch.fft.rfft(self._rooms[room], size)
        hertz = torch.linspace(0, RATE / 2, spectra.shape[1], device=self._device)
        low, high = NARROW_HZ
        edge = low + (high - low) * self._chance(rows, generator)
        codec = self._chance(rows, generator)  # one half of those that it takes are lines
        edge = torch.where(codec < CODEC_CHANCE / 2, edge, RATE)
        spectra = spectra * ((edge[:, None] - hertz) / 100).clamp(0, 1)
        placed: Tensor = torch.fft.irfft(spectra, size)[:, :samples]
        coded = (codec >= CODEC_CHANCE / 2) & (codec < CODEC_CHANCE)
        return torch.where(coded[:, None], companded(placed), placed)

    def _noisy(self, wave: Tensor, rng: np.random.Generator, generator: torch.Generator) -> Tensor:
        """Return the rows with a noise mixed into the waveform, where phases meet, those that chance takes."""
        rows, samples = wave.shape
        first = torch.from_numpy(rng.integers(len(self._noise), size=rows)).to(self._device)
        noise = self._noise[(first[:, None] + torch.arange(samples, device=self._device)) % len(self._noise)].float()
        loud = (wave**2).sum(1) / ((wave.abs() > 1).sum(1) + 1) * 2
        ratio = loud / (noise**2).mean(1).clamp(min=1.0)
        gain = ratio.sqrt() * 10 ** (-(2 + 28 * self._chance(rows, generator)) / 20)
        gain = torch.where(self._chance(rows, generator) < 2 * NOISE_CHANCE, gain, 0.0)
        return wave + noise * gain[:, None]

    def _chance(self, rows: int, generator: torch.Generator) -> Tensor:
        return torch.rand(rows, generator=generator, device=self._device)


def companded(wave: Tensor) -> Tensor:
    """Return what 8 bits of mu-law leave of audio, as `features.narrow` does it; any shape, full scale is 32,768."""
    scaled = (wave / 32768).clamp(-1, 1)
    law = torch.round(torch.log1p(255 * scaled.abs()) / math.log(256) * 127) / 127
    return torch.sign(scaled) * (256**law - 1) / 255 * 32768


def log_mel(wave: Tensor) -> Tensor:
    """Return features without a floor, shape (rows, samples) to (rows, frames, MELS), as `hearth_core.log_mel` does."""
    windows = wave.unfold(-1, WINDOW, HOP)
    taper = torch.hann_window(WINDOW, device=wave.device) / 32768
    power = torch.fft.rfft(windows * taper, 512).abs() ** 2
    bands = torch.from_numpy(mel_bands()).to(wave.device)
    return torch.log(power @ bands + TINY)


def _timeline(
    rows: Sequence[Sequence[int]], starts: NDArray[np.int64], speeds: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return for each part of each row where it lies, how long it is and where it begins; and the rows' lengths."""
    sources, lengths, begins = (np.zeros((len(rows), PARTS), np.int64) for _ in range(3))
    sizes = np.zeros(len(rows), np.int64)
    for number, row in enumerate(rows):
        at = int(rng.integers(PAUSE))
        for part, item in enumerate(row):
            sources[number, part] = starts[item]
            lengths[number, part] = starts[item + 1] - starts[item]
            begins[number, part] = at
            at += int(lengths[number, part] / speeds[number, part]) + int(rng.integers(PAUSE))
        sizes[number] = at + WINDOW
    return sources, lengths, begins, sizes


def _joined(drawn: list[int], sizes: NDArray[np.int64], rng: np.random.Generator) -> list[list[int]]:
    rows: list[list[int]] = []
    row: list[int] = []
    for item in drawn:
        row.append(item)
        long = sizes[row].sum() >= JOIN_BELOW * HOP or len(row) == PARTS
        if long or rng.random() >= JOIN_CHANCE:
            rows.append(row)
            row = []
    return rows


def _recordings(
    device: torch.device, real: float
) -> tuple[Tensor, NDArray[np.int64], list[tuple[Word, ...]], NDArray[np.float64]]:
    data, sizes, words, weights = [], [], [], []
    for index in sorted([*(place.PCM / "real").glob("*.json"), *(place.PCM / "synthetic").glob("*.json")]):
        of = shard.read(index)
        for number, utterance in enumerate(of.utterances):
            size = int(of.starts[number + 1] - of.starts[number])
            encoded = int(size / (1 + SPEED)) // HOP // STACK
            if utterance.phones and size <= LONGEST * HOP and fits(encoded, utterance.phones):
                data.append(of.piece(number))
                sizes.append(size)
                words.append(said(utterance))
                extra = real if index.parent.name == "real" else 1.0
                weights.append(WEIGHTS.get(utterance.corpus, 1.0) * extra)
    if not data:
        raise InputError(f"{place.PCM}: nothing to learn from", remedy="Run train/run.sh, which makes the audio")
    total = np.array(weights)
    pcm = torch.from_numpy(np.concatenate(data)).to(device)
    return pcm, np.cumsum([0, *sizes]), words, total / total.sum()


def _background(device: torch.device) -> Tensor:
    """Return hours of noises and talkers, one after the other, int16."""
    of = shard.read(shard.path_of(place.PCM, "background"))
    return torch.from_numpy(np.array(of.data)).to(device)


def _rooms(device: torch.device) -> Tensor:
    """Return impulse responses from their direct sound on, the first of no room; shape (rooms, samples)."""
    of = shard.read(shard.path_of(place.PCM, "rooms"))
    size = int(np.diff(of.starts).max())
    found = np.zeros((len(of) + 1, size), np.float32)
    found[0, 0] = 1
    for number in range(len(of)):
        response = of.piece(number).astype(np.float32)
        response = response[int(np.argmax(np.abs(response))) :]
        found[number + 1, : len(response)] = response / np.abs(response).max()
    return torch.from_numpy(found).to(device)
