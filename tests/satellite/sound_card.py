"""A sound card in place of sounddevice, that a test speaks into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class PortAudioError(Exception):
    """As sounddevice has it."""


class CallbackStop(Exception):  # noqa: N818 - sounddevice's name
    """As sounddevice has it."""


class FakeSoundDevice:
    """The part of sounddevice that a microphone uses; `speak` is what PortAudio's thread would do."""

    PortAudioError = PortAudioError
    CallbackStop = CallbackStop

    def __init__(self, *rates: int) -> None:
        self.rates = rates
        self.opened: dict[str, Any] = {}
        self.closed = False
        self.callback: Callable[..., None] = lambda *args: None
        self.finished: Callable[[], None] = lambda: None

    def query_devices(self, device: str | int | None = None, kind: str | None = None) -> Any:
        devices = [
            {"name": "usb mic", "max_input_channels": 2, "max_output_channels": 0, "default_samplerate": 48000.0}
        ]
        return devices if kind is None else devices[0]

    def check_input_settings(self, *, samplerate: float, **wanted: Any) -> None:
        if wanted["device"] not in (None, 0, "usb mic"):
            raise ValueError(f"No input device matching {wanted['device']!r}")
        if samplerate not in self.rates:
            raise PortAudioError("Invalid sample rate [PaErrorCode -9997]")

    def RawInputStream(
        self, *, callback: Callable[..., None], finished_callback: Callable[[], None], **options: Any
    ) -> FakeSoundDevice:
        if options["samplerate"] not in self.rates:
            raise PortAudioError("Device unavailable [PaErrorCode -9985]")
        self.callback, self.finished, self.opened = callback, finished_callback, options
        return self

    def start(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def speak(self, *blocks: bytes) -> None:
        for block in blocks:
            self.callback(block, len(block) // 2, None, None)
