"""Volume changes how loud it is and nothing else, in every format and however the bytes are cut."""

from __future__ import annotations

import numpy as np
import pytest

from hearth_core.audio import Converter, PcmFormat
from hearth_satellite.volume import Volume, gain
from tests.fakes import tone


def as_format(width: int) -> bytes:
    """A tone, 16 kHz mono, in samples of so many bytes."""
    samples = np.frombuffer(tone(0.1), "<i2").astype(np.int64) << 16
    wide = samples >> (8 * (4 - width))
    if width == 1:
        return (wide + 128).astype(np.uint8).tobytes()
    return b"".join(int(value).to_bytes(width, "little", signed=True) for value in wide)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("volume", [0.0, 0.3, 0.7, 1.0])
def test_a_sound_of_any_width_is_scaled(width: int, volume: float) -> None:
    form, pcm = PcmFormat(16000, width, 1), as_format(width)
    heard = np.frombuffer(Converter(form).feed(Volume(form).feed(pcm, volume)), "<i2").astype(float)
    whole = np.frombuffer(Converter(form).feed(pcm), "<i2").astype(float)
    assert np.abs(heard - whole * gain(volume)).max() <= (256 if width == 1 else 1)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_the_same_bytes_give_the_same_sound_however_they_are_cut(width: int) -> None:
    form, pcm = PcmFormat(16000, width, 1), as_format(width)[:600]
    whole = Volume(form).feed(pcm, 0.5)
    cut = Volume(form)
    assert b"".join(cut.feed(pcm[i : i + 1], 0.5) for i in range(len(pcm))) == whole


def test_full_volume_changes_no_bit() -> None:
    pcm = as_format(2)
    assert Volume(PcmFormat()).feed(pcm, 1.0) == pcm
