"""Sound devices as PortAudio names them; loaded only when one is used, for files and tests need none."""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hearth_core.audio import PcmFormat
from hearth_core.errors import AudioError


def load_sounddevice() -> Any:
    """Return the sounddevice module.

    Raises:
        AudioError: it or the PortAudio library is not installed.
    """
    try:
        return _import_sounddevice()
    except ImportError as error:
        raise AudioError(
            "sounddevice is not installed", remedy="Install it with `pip install 'hearth-voice[satellite]'`"
        ) from error
    except OSError as error:
        raise AudioError(
            f"sound devices cannot be used ({error})",
            remedy="Install PortAudio with `apt install libportaudio2`, or use recordings with --mic-file",
        ) from error
    except Exception as error:
        # sounddevice begins PortAudio while it is imported, and its own error cannot be named before.
        if type(error).__name__ != "PortAudioError":
            raise
        raise AudioError(
            f"PortAudio does not begin ({error})",
            remedy="Look for mistakes in ALSA's settings: /etc/asound.conf, ~/.asoundrc",
        ) from error


def _import_sounddevice() -> Any:
    import sounddevice

    return sounddevice


def device_key(device: str | int | None) -> str | int | None:
    """Return the device as PortAudio looks it up: a number if it is one, else a name, None for the default."""
    if isinstance(device, str):
        device = device.strip()
        return int(device) if device.isdecimal() else device or None
    return device


def describe_devices(sounddevice: Any) -> str:
    """Return one line that names the devices there are."""
    devices = [
        f"{number} {device['name']!r} ({device['max_input_channels']} in, {device['max_output_channels']} out)"
        for number, device in enumerate(sounddevice.query_devices())
    ]
    return f"The devices are: {'; '.join(devices)}" if devices else "This machine has no sound device"


def refresh_devices(sounddevice: Any) -> None:
    """Let PortAudio look again for the devices there are: it looks once, when it begins, and never sees a new one.

    Every open stream is closed by it; a speaker that plays is opened again for its next sound.

    Raises:
        AudioError: PortAudio does not begin again.
    """
    try:
        sounddevice._terminate()
        sounddevice._initialize()
    except sounddevice.PortAudioError as error:
        raise AudioError(f"sound devices cannot be looked for again ({error})") from error


async def apart(call: Callable[..., None], *arguments: object) -> None:
    """Make a call that may never return, in a thread that nobody waits for when the program ends, as for asyncio's."""
    loop = asyncio.get_running_loop()
    returned: asyncio.Future[None] = loop.create_future()

    def tell(error: Exception | None) -> None:
        if returned.done():  # nobody waits any more
            return
        if error is None:
            returned.set_result(None)
        else:
            returned.set_exception(error)

    def run() -> None:
        failed: Exception | None = None
        try:
            call(*arguments)
        except Exception as error:
            failed = error
        with suppress(RuntimeError):  # the loop has ended before
            loop.call_soon_threadsafe(tell, failed)

    threading.Thread(target=run, name="portaudio", daemon=True).start()
    await returned


async def close_stream(sounddevice: Any, stream: Any) -> None:
    """Close a stream; one whose device is gone may never close.

    While it is closing, PortAudio is not ended at the program's end either, for that closes the stream once more.
    """
    at_exit = getattr(sounddevice, "_exit_handler", None)

    def close() -> None:
        try:
            stream.close()
        finally:
            if at_exit is not None:
                atexit.register(at_exit)

    if at_exit is not None:
        atexit.unregister(at_exit)
    await apart(close)


def input_formats(sounddevice: Any, device: str | int | None, audio: PcmFormat) -> list[PcmFormat]:
    """Return the formats to try on a device: as asked for, then its own rate, then all its channels.

    Raises:
        ValueError: there is no such device.
    """
    found = sounddevice.query_devices(device, "input")
    rates = dict.fromkeys((audio.rate, round(found["default_samplerate"])))
    counts = dict.fromkeys((audio.channels, max(audio.channels, min(8, int(found["max_input_channels"])))))
    return [PcmFormat(rate, 2, channels) for channels in counts for rate in rates if 8_000 <= rate <= 192_000]
