"""Audio: any PCM or recording to what everything inside hears, 16 kHz s16le mono; and re-chunking."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from . import extras
from .errors import AudioError

RATE: Final = 16_000  # Hz
BYTES_PER_SECOND: Final = RATE * 2

_BLOCK_FRAMES: Final = (
    64 * 1024
)  # of a recording at a time, so that an hour at 192 kHz does not lie in memory as floats


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """The form of little-endian linear PCM; one byte wide is unsigned, wider is signed.

    Args:
        rate: Hz, 8000 to 192000.
        width: bytes of a sample, 1 to 4.
        channels: 1 to 8, interleaved.

    Raises:
        AudioError: a value is out of these ranges.
    """

    rate: int = RATE
    width: int = 2
    channels: int = 1

    def __post_init__(self) -> None:
        for name, value, least, most in (
            ("rate", self.rate, 8_000, 192_000),
            ("width", self.width, 1, 4),
            ("channels", self.channels, 1, 8),
        ):
            if type(value) is not int or not least <= value <= most:  # values come from the wire
                raise AudioError(
                    f"audio of {name} {ascii(value)[:40]} cannot be used", remedy=f"Send {name} {least} to {most}"
                )

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return self.width * self.channels


SPEECH: Final = PcmFormat()  # what everything inside hears


class _SpeechResampler:
    """Floats of any rate to 16 kHz s16le, in pieces."""

    def __init__(self, rate: int) -> None:
        self._stream: Any = None
        if rate != RATE:
            soxr = extras.load("soxr", extra="server", error=AudioError)
            self._stream = soxr.ResampleStream(rate, RATE, 1, dtype="float32")

    def feed(self, samples: NDArray[np.float32], *, last: bool = False) -> bytes:
        """Take samples, shape (n,), full scale +-1; return the PCM that is ready."""
        if self._stream is not None:
            samples = self._stream.resample_chunk(samples, last=last)
        # 32768, not 32767, so that 16 bits in are the same 16 bits out.
        pcm: bytes = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype("<i2").tobytes()
        return pcm


class Converter:
    """Streaming PCM of one format to 16 kHz s16le mono.

    Chunks may be cut anywhere, even within a sample: the same bytes give the same output however they are cut.

    Args:
        form: what comes.
        channel: the channel to take, 1 is the first; 0 takes the mean of all.

    Raises:
        AudioError: there is no such channel, or the format needs resampling and soxr is not installed.
    """

    def __init__(self, form: PcmFormat, *, channel: int = 0) -> None:
        if not 0 <= channel <= form.channels:
            raise AudioError(f"there is no channel {channel}", remedy=f"Choose 1 to {form.channels}, or 0 for all")
        self._format = form
        self._channel = channel
        self._rest = b""
        self._resampler = None if form == SPEECH else _SpeechResampler(form.rate)

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes; return the PCM that is ready, which may be none and lags by the resampler's delay."""
        chunk = self._rest + chunk if self._rest else bytes(chunk)
        whole = len(chunk) - len(chunk) % self._format.frame_bytes
        self._rest = chunk[whole:]
        if self._resampler is None:
            return chunk[:whole]
        return self._resampler.feed(_mono(chunk[:whole], self._format, self._channel))

    def flush(self) -> bytes:
        """End the stream: return what was held back, less a last sample that is cut. The next feed begins anew."""
        self._rest = b""
        if self._resampler is None:
            return b""
        tail = self._resampler.feed(np.zeros(0, np.float32), last=True)
        self._resampler = _SpeechResampler(self._format.rate)
        return tail


def _mono(pcm: bytes, form: PcmFormat, channel: int) -> NDArray[np.float32]:
    """Return one channel of whole frames, or with 0 the channels' mean, shape (frames,), full scale +-1."""
    values: NDArray[np.floating[Any]]
    if form.width == 1:
        values = np.frombuffer(pcm, np.uint8) - 128.0
    elif form.width == 3:
        # numpy has no 24-bit type: the three bytes go to the top of four, which scales by 256.
        wide = np.zeros((len(pcm) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(pcm, np.uint8).reshape(-1, 3)
        values = wide.view("<i4")[:, 0] / 256.0
    else:
        values = np.frombuffer(pcm, f"<i{form.width}").astype(np.float64)
    frames = values.reshape(-1, form.channels)
    heard = frames[:, channel - 1] if channel else frames.mean(axis=1)
    return np.asarray(heard / float(1 << (8 * form.width - 1)), np.float32)


class Chunker:
    """Cuts a stream of any chunks into windows of one size; the last is padded with zeros, never dropped."""

    def __init__(self, window_bytes: int) -> None:
        if window_bytes <= 0:
            raise ValueError("a window has at least one byte")
        self._window_bytes = window_bytes
        self._rest = b""

    def feed(self, pcm: bytes) -> Iterator[bytes]:
        """Take the next bytes; return the windows that are full. The bytes are taken even if nobody iterates."""
        size = self._window_bytes
        stream = self._rest + pcm
        whole = len(stream) - len(stream) % size
        self._rest = stream[whole:]
        return (stream[start : start + size] for start in range(0, whole, size))

    def flush(self) -> bytes | None:
        """Return the window that has begun, padded with zeros, None if none has; the next feed begins anew."""
        rest, self._rest = self._rest, b""
        return rest.ljust(self._window_bytes, b"\0") if rest else None


def read_recording(path: Path | str, *, max_seconds: float = 3600) -> bytes:
    """Return a recording (WAV, FLAC, Ogg and what else libsndfile reads) as 16 kHz s16le mono.

    Raises:
        AudioError: it is missing, not a file, not audio, damaged, without sound, or longer than `max_seconds`.
    """
    path = Path(path)
    soundfile = extras.load("soundfile", extra="server", error=AudioError)
    if not path.exists():
        raise AudioError(f"{path} does not exist", remedy="Give the path of a WAV, FLAC or Ogg file")
    if not path.is_file():  # reading a pipe or a device could last for ever
        raise AudioError(f"{path} is not a file", remedy="Give the path of a WAV, FLAC or Ogg file")
    try:
        with path.open("rb") as raw, soundfile.SoundFile(raw) as recording:
            form = PcmFormat(recording.samplerate, 2, recording.channels)
            pcm = _read(recording, form.rate, max_seconds)
    except AudioError as error:
        raise AudioError(f"{path}: {error.message}", remedy=error.remedy) from error
    except OSError as error:
        raise AudioError(f"{path} cannot be read: {error.strerror}", remedy="Check its permissions") from error
    except (
        soundfile.SoundFileError,
        TypeError,
    ) as error:  # TypeError: a name that soundfile takes for headerless audio
        raise AudioError(
            f"{path} is not a recording that can be read", remedy="Use WAV, FLAC or Ogg; the file may be damaged"
        ) from error
    if not pcm:
        raise AudioError(f"{path} holds no sound", remedy="Record again; the file ends before the first sample")
    return pcm


def _read(recording: Any, rate: int, max_seconds: float) -> bytes:
    resampler = _SpeechResampler(rate)
    pcm = bytearray()
    frames = 0  # counted as they come, because the header's number may be wrong
    while len(block := recording.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)):
        frames += len(block)
        if frames > max_seconds * rate:
            raise AudioError(f"longer than {max_seconds:g} s", remedy="Cut it into shorter recordings")
        mixed = block.mean(axis=1, dtype=np.float64).astype(np.float32)
        pcm += resampler.feed(np.nan_to_num(mixed, nan=0.0, posinf=1.0, neginf=-1.0))  # a float file may hold anything
    pcm += resampler.feed(np.zeros(0, np.float32), last=True)
    return bytes(pcm)


def write_wav(path: Path | str, pcm: bytes, rate: int = RATE) -> None:
    """Write s16le mono as a WAV file.

    Raises:
        AudioError: the file cannot be written.
    """
    try:
        with Path(path).open("wb") as raw, wave.open(raw, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(rate)
            out.writeframes(pcm)
    except OSError as error:
        raise AudioError(f"{path} cannot be written: {error.strerror}", remedy="Check the folder") from error
