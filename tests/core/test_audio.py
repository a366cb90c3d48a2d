"""Audio: the same sound comes out whatever form it came in and however it was cut."""

from __future__ import annotations

import struct
import sys
import wave
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hearth_core.audio import SPEECH, Chunker, Converter, PcmFormat, read_recording, write_wav
from hearth_core.errors import AudioError

RATES = [8000, 11025, 16000, 22050, 44100, 48000, 192000]


def sine(hertz: float, rate: int, seconds: float = 1.0, scale: float = 0.5) -> NDArray[np.float64]:
    wave: NDArray[np.float64] = scale * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)
    return wave


def pcm_of(samples: NDArray[np.float64], form: PcmFormat) -> bytes:
    """Samples of full scale +-1 as PCM, the same on every channel; written with struct, sample by sample."""
    top = (1 << (8 * form.width - 1)) - 1
    out = bytearray()
    for sample in samples:
        value = round(float(sample) * top)
        one = struct.pack("<B", value + 128) if form.width == 1 else value.to_bytes(form.width, "little", signed=True)
        out += one * form.channels
    return bytes(out)


def samples_of(pcm: bytes) -> NDArray[np.float64]:
    return np.frombuffer(pcm, "<i2") / 32768.0


def converted(pcm: bytes, form: PcmFormat) -> bytes:
    converter = Converter(form)
    return converter.feed(pcm) + converter.flush()


def amplitude(samples: NDArray[np.float64], hertz: float, rate: int = 16000) -> float:
    """Amplitude of one frequency: a single bin of the Fourier sum, away from the edges."""
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    turns = np.exp(-2j * np.pi * hertz * np.arange(len(middle)) / rate) * np.hanning(len(middle))
    return float(2 * abs(np.dot(middle, turns)) / np.hanning(len(middle)).sum())


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_every_width_and_channel_count_is_the_same_sound(width: int, channels: int) -> None:
    original = sine(440, 16000, 0.1)
    got = samples_of(converted(pcm_of(original, PcmFormat(16000, width, channels)), PcmFormat(16000, width, channels)))
    assert len(got) == len(original)
    assert np.abs(got - original).max() < (0.01 if width == 1 else 1e-4)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("hertz", [300, 1000, 3000])
def test_a_tone_keeps_its_pitch_and_strength_at_every_rate(rate: int, hertz: int) -> None:
    form = PcmFormat(rate, 2, 1)
    got = samples_of(converted(pcm_of(sine(hertz, rate), form), form))
    assert abs(len(got) - 16000) <= 1
    assert amplitude(got, hertz) == pytest.approx(0.5, rel=0.01)
    assert amplitude(got, hertz * 1.1) < 0.005
    ideal = sine(hertz, 16000)  # the tone sampled at 16 kHz in the first place: the same phase too
    inner = slice(2000, 14000)
    assert np.abs(got[inner] - ideal[inner]).max() < 0.005


def test_what_16_khz_cannot_carry_is_removed_not_folded_back() -> None:
    form = PcmFormat(48000, 2, 1)
    got = samples_of(converted(pcm_of(sine(11_000, 48000), form), form))
    assert amplitude(got, 5000) < 1e-3, "11 kHz would fold to 5 kHz"
    assert np.abs(got[2000:-2000]).max() < 1e-3


def test_channels_are_averaged() -> None:
    frames = np.array([[1000, 3000], [-2000, 2000], [32767, 32767], [-32768, -32768]], "<i2")
    assert np.frombuffer(converted(frames.tobytes(), PcmFormat(16000, 2, 2)), "<i2").tolist() == [
        2000,
        0,
        32767,
        -32768,
    ]


def test_eight_bits_are_unsigned() -> None:
    got = np.frombuffer(converted(bytes([0, 128, 255, 64]), PcmFormat(16000, 1, 1)), "<i2")
    assert got.tolist() == [-32768, 0, 32512, -16384]


def test_24_bits_keep_their_sign() -> None:
    pcm = b"".join(value.to_bytes(3, "little", signed=True) for value in (-(1 << 23), -256, 256, (1 << 23) - 1))
    assert np.frombuffer(converted(pcm, PcmFormat(16000, 3, 1)), "<i2").tolist() == [-32768, -1, 1, 32767]


@given(st.binary(max_size=400))
def test_speech_passes_unchanged(pcm: bytes) -> None:
    assert converted(pcm, SPEECH) == pcm[: len(pcm) // 2 * 2]


FORMS = st.builds(PcmFormat, st.sampled_from(RATES), st.integers(1, 4), st.integers(1, 8))


@given(FORMS, st.binary(max_size=6000), st.lists(st.integers(1, 900), min_size=1, max_size=8))
def test_cuts_change_nothing(form: PcmFormat, pcm: bytes, sizes: list[int]) -> None:
    converter, out, start, n = Converter(form), b"", 0, 0
    while start < len(pcm):
        size = sizes[n % len(sizes)]
        out += converter.feed(pcm[start : start + size])
        start, n = start + size, n + 1
    assert out + converter.flush() == converted(pcm, form)


def test_a_converter_begins_anew_after_flush() -> None:
    form = PcmFormat(44100, 2, 2)
    pcm = pcm_of(sine(500, 44100, 0.1), form)
    converter = Converter(form)
    first = converter.feed(pcm) + converter.feed(b"\x01") + converter.flush()
    assert converter.feed(pcm) + converter.flush() == first == converted(pcm, form)


@pytest.mark.parametrize(
    "values",
    [(7999, 2, 1), (192001, 2, 1), (16000, 0, 1), (16000, 5, 1), (16000, 2, 0), (16000, 2, 9), (True, 2, 1),
     (16000.0, 2, 1), ("16000", 2, 1), (16000, None, 1), (float("nan"), 2, 1), (10**400, 2, 1)],
)  # fmt: skip
def test_formats_out_of_range_are_refused(values: tuple[Any, Any, Any]) -> None:
    with pytest.raises(AudioError, match="cannot be used") as raised:
        PcmFormat(*values)
    assert len(str(raised.value)) < 150


@given(st.lists(st.binary(max_size=50)), st.integers(1, 64))
def test_windows_are_the_stream_and_the_last_is_padded(chunks: list[bytes], size: int) -> None:
    chunker = Chunker(size)
    windows = [window for chunk in chunks for window in chunker.feed(chunk)]
    assert all(len(window) == size for window in windows)
    last = chunker.flush()
    stream = b"".join(chunks)
    assert (last is None) == (len(stream) % size == 0)
    padded = b"".join(windows) + (last or b"")
    assert padded == stream + bytes(len(padded) - len(stream))
    assert len(padded) % size == 0
    assert chunker.flush() is None


def test_windows_that_nobody_takes_do_not_shift_the_next() -> None:
    chunker = Chunker(4)
    chunker.feed(b"abcdef")
    assert list(chunker.feed(b"gh")) == [b"efgh"]


FILES = [
    ("WAV", "PCM_U8"), ("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "PCM_32"), ("WAV", "FLOAT"), ("WAV", "ULAW"),
    ("FLAC", "PCM_16"), ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "subtype"), FILES)
@pytest.mark.parametrize("channels", [1, 2])
def test_recordings_of_every_kind(tmp_path: Path, kind: str, subtype: str, channels: int) -> None:
    rate = 48000 if subtype == "OPUS" else 44100
    path = tmp_path / f"tone.{kind.lower()}"
    soundfile.write(path, np.column_stack([sine(440, rate)] * channels), rate, subtype=subtype, format=kind)
    got = samples_of(read_recording(path))
    assert abs(len(got) - 16000) <= 2
    assert amplitude(got, 440) == pytest.approx(0.5, rel=0.03)


def test_a_recording_in_blocks_is_the_recording_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "noise.wav"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, (20_000, 2)), 22050)
    at_once = read_recording(path)
    monkeypatch.setattr("hearth_core.audio._BLOCK_FRAMES", 77)
    assert read_recording(path) == at_once


def test_written_and_read_again(tmp_path: Path) -> None:
    pcm = pcm_of(sine(440, 16000), SPEECH)
    write_wav(tmp_path / "tone.wav", pcm)
    assert read_recording(tmp_path / "tone.wav") == pcm
    with wave.open(str(tmp_path / "tone.wav")) as written:
        assert (written.getframerate(), written.getnchannels(), written.getsampwidth()) == (16000, 1, 2)
    with pytest.raises(AudioError, match="cannot be written: No such file"):
        write_wav(tmp_path / "missing" / "tone.wav", pcm)


def test_a_float_file_with_nonsense_in_it(tmp_path: Path) -> None:
    path = tmp_path / "nan.wav"
    soundfile.write(path, np.array([np.nan, np.inf, -np.inf, 5.0, 0.5]), 16000, subtype="FLOAT")
    assert np.frombuffer(read_recording(path), "<i2").tolist() == [0, 32767, -32768, 32767, 16384]


def test_recordings_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("this is not audio\n" * 100)
    (tmp_path / "junk.raw").write_bytes(bytes(100))
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 16000)
    soundfile.write(tmp_path / "slow.wav", np.zeros(100), 4000)
    soundfile.write(tmp_path / "many.wav", np.zeros((100, 9)), 16000)
    soundfile.write(tmp_path / "long.wav", np.zeros(16001), 16000)
    soundfile.write(tmp_path / "whole.flac", np.random.default_rng(0).uniform(-1, 1, 16000), 16000)
    cut = (tmp_path / "whole.flac").read_bytes()[:60]
    (tmp_path / "cut.flac").write_bytes(cut)
    expected = {
        "missing.wav": "does not exist",
        ".": "is not a file",
        "empty.wav": "not a recording",
        "text.wav": "not a recording",
        "junk.raw": "not a recording",
        "none.wav": "holds no sound",
        "slow.wav": "rate 4000",
        "many.wav": "channels 9",
        "long.wav": "longer than 1 s",
        "cut.flac": "no sound|not a recording",
    }
    for name, message in expected.items():
        with pytest.raises(AudioError, match=message) as raised:
            read_recording(tmp_path / name, max_seconds=1)
        assert raised.value.remedy, name
        assert str(tmp_path) in raised.value.message, name


def test_the_first_second_of_a_cut_wav_is_kept(tmp_path: Path) -> None:
    whole = tmp_path / "whole.wav"
    write_wav(whole, pcm_of(sine(440, 16000), SPEECH))
    whole.write_bytes(whole.read_bytes()[: 44 + 1000])
    assert len(read_recording(whole)) == 1000


@given(st.binary(max_size=300))
def test_junk_files_are_audio_or_an_audio_error(tmp_path_factory: pytest.TempPathFactory, junk: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "junk.wav"
    header = b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\0\0\0\1\0\1\0\x80>\0\0\0}\0\0\2\0\x10\0data"
    for content in (junk, header + junk):
        path.write_bytes(content)
        with suppress(AudioError):
            assert len(read_recording(path)) % 2 == 0


@pytest.mark.parametrize(("module", "use"), [("soxr", Converter), ("soundfile", read_recording)])
def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch, module: str, use: Any) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(AudioError, match=rf"{module} .*pip install 'hearth-voice\[server\]'"):
        use(PcmFormat(8000) if use is Converter else Path(__file__))
