"""Stands for PortAudio: a device that can be pulled out while it runs, hears what it is given, and plays in real time.

The folder in FAKE_DEVICE commands it: while `gone` is there, the device is not; while `stuck` is, it delivers nothing,
while `zeros` is, nothing but zeros; `say.raw`, 16 kHz s16le mono, is heard once. A stream that was open when the device
went stays dead after it has come back, as with a real one.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ["FAKE_DEVICE"])
# A second of a quiet room, of the lowest bit: no device delivers nothing but zeros. Made once, because a device
# costs next to nothing.
QUIET = b"".join(bytes([byte & 1, 0]) for byte in os.urandom(16_000)) * 2


class PortAudioError(Exception):
    """The device is not there."""


class CallbackStop(Exception):  # noqa: N818 - sounddevice's name
    """A stream's callback wants no more."""


def _there() -> bool:
    return not (FOLDER / "gone").exists()


def _must_be_there() -> None:
    if not _there():
        raise PortAudioError("Device unavailable [PaErrorCode -9985]")


def query_devices(device: object = None, kind: str | None = None) -> Any:
    """Return the one device there is."""
    if device is None and kind is None:
        return [{"name": "fake", "max_input_channels": 1, "max_output_channels": 1}] if _there() else []
    _must_be_there()
    return {"name": "fake", "default_samplerate": 16000.0, "max_input_channels": 1, "max_output_channels": 1}


def check_input_settings(**wanted: object) -> None:
    """Accept anything while the device is there."""
    _must_be_there()


check_output_settings = check_input_settings


def _terminate() -> None:
    """PortAudio's own, called to look for devices anew."""


_initialize = _terminate


class RawInputStream:
    """Calls back with sound every block, in real time."""

    def __init__(
        self,
        samplerate: float,
        blocksize: int,
        callback: Callable[..., None],
        finished_callback: Callable[[], None],
        **wanted: object,
    ) -> None:
        _must_be_there()
        self._finished = finished_callback
        self._seconds, self._bytes, self._callback = blocksize / samplerate, 2 * blocksize, callback
        self._running = threading.Event()
        self._said = b""
        self.active = False

    def start(self) -> None:
        """Begin."""
        self._running.set()
        self.active = True
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        due = time.monotonic()
        while self._running.is_set() and _there():
            due += self._seconds
            time.sleep(max(0.0, due - time.monotonic()))
            if (FOLDER / "stuck").exists():
                continue
            if (FOLDER / "zeros").exists():
                self._callback(bytes(self._bytes), self._bytes // 2, None, None)
                continue
            try:
                said = FOLDER / "say.raw"
                self._said += said.read_bytes()
                said.unlink()
            except OSError:
                pass
            block, self._said = self._said[: self._bytes], self._said[self._bytes :]
            begin = len(block) + 2 * (int(due * 1e6) % 15_000)
            block += QUIET[begin : begin + self._bytes - len(block)]
            try:
                self._callback(block, len(block) // 2, None, None)
            except CallbackStop:
                self._finished()
                break
        self.active = False

    def stop(self) -> None:
        """End."""
        self._running.clear()

    abort = close = stop


class RawOutputStream:
    """Takes sound in real time."""

    def __init__(self, samplerate: float, channels: int, **wanted: object) -> None:
        _must_be_there()
        self._bytes_per_s = 2 * samplerate * channels
        self.active = False

    def start(self) -> None:
        """Begin."""
        self.active = True

    def write(self, pcm: bytes) -> bool:
        """Take sound, for as long as it lasts."""
        _must_be_there()
        time.sleep(len(pcm) / self._bytes_per_s)
        return False

    def stop(self) -> None:
        """End."""
        self.active = False

    abort = close = stop
