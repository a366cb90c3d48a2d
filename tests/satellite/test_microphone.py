"""Microphones: recordings of every form, standard input, and a sound device that a fake library plays."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from hearth_core.audio import PcmFormat, read_recording
from hearth_core.errors import AudioError
from hearth_satellite import device as device_module
from hearth_satellite.microphone import (
    CHUNK_BYTES,
    DeviceMicrophone,
    FileMicrophone,
    Microphone,
    StdinMicrophone,
)
from tests.real.parts import library
from tests.satellite.sound_card import FakeSoundDevice, PortAudioError

SILENCE = bytes(CHUNK_BYTES)
RAMP = np.arange(-8000, 8000, dtype="<i2").tobytes()  # one second, no sample twice


async def all_of(microphone: Microphone) -> list[bytes]:
    async with asyncio.timeout(20), microphone:
        return [chunk async for chunk in microphone]


def wav(path: Path, pcm: bytes = RAMP, **options: Any) -> Path:
    soundfile.write(path, np.frombuffer(pcm, "<i2"), 16000, **options)
    return path


async def test_a_recording_comes_whole_then_the_quiet_of_a_room(tmp_path: Path) -> None:
    chunks = await all_of(FileMicrophone([wav(tmp_path / "a.wav")], pause_s=0.32, realtime=False))
    assert {len(chunk) for chunk in chunks} == {CHUNK_BYTES}
    heard = b"".join(chunks)
    assert heard == RAMP + bytes(len(heard) - len(RAMP)), "padded with zeros, none lost"
    assert chunks[-10:] == [SILENCE] * 10


@pytest.mark.parametrize(
    ("name", "rate", "channels", "subtype"),
    [
        ("8khz.wav", 8000, 1, "PCM_16"),
        ("stereo.wav", 16000, 2, "PCM_16"),
        ("24bit.wav", 16000, 1, "PCM_24"),
        ("cd.flac", 44100, 2, "PCM_16"),
        ("float.wav", 48000, 3, "FLOAT"),
        ("unsigned.wav", 22050, 1, "PCM_U8"),
    ],
)
async def test_recordings_of_every_form_are_converted(
    tmp_path: Path, name: str, rate: int, channels: int, subtype: str
) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    soundfile.write(tmp_path / name, np.tile(tone[:, None], channels), rate, subtype=subtype)
    heard = b"".join(await all_of(FileMicrophone([tmp_path / name], pause_s=0, realtime=False)))
    samples = np.frombuffer(heard, "<i2")[:16000]
    spectrum = np.abs(np.fft.rfft(samples))
    assert spectrum.argmax() == 440, "one second, so the bins are 1 Hz apart"
    assert np.abs(samples).max() == pytest.approx(16384, rel=0.05)


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "does not exist"), (b"", "not a recording"), (b"this is not audio", "not a recording")],
)
async def test_a_wrong_recording_is_told_at_the_start(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "x.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AudioError, match=says):
        await all_of(FileMicrophone([wav(tmp_path / "a.wav"), path]))


async def test_no_recording_is_told() -> None:
    with pytest.raises(AudioError, match="--mic-file"):
        await all_of(FileMicrophone([]))


async def test_a_recording_waits_for_somebody_who_listens(tmp_path: Path) -> None:
    one, two = (bytes([value]) * CHUNK_BYTES for value in (1, 2))
    paths = [wav(tmp_path / "one.wav", one * 3), wav(tmp_path / "two.wav", two * 3)]
    listens = False
    heard: list[bytes] = []
    async with (
        asyncio.timeout(20),
        FileMicrophone(paths, ready=lambda: listens, pause_s=0, realtime=False) as microphone,
    ):
        async for chunk in microphone:
            heard.append(chunk)
            quiet_for = len(heard) - max((i + 1 for i, c in enumerate(heard) if c != SILENCE), default=0)
            listens = quiet_for >= 2  # as a session does: it listens again some time after the command has begun
    assert heard == [SILENCE] * 2 + [one] * 3 + [SILENCE] * 2 + [two] * 3


async def test_recordings_keep_the_pace_of_speech(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, slept = 50.0, list[float]()

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        slept.append(seconds)

    loop = SimpleNamespace(time=lambda: now)
    async with FileMicrophone([wav(tmp_path / "a.wav")], pause_s=0.0) as microphone:
        monkeypatch.setattr(
            "hearth_satellite.microphone.asyncio", SimpleNamespace(sleep=sleep, get_running_loop=lambda: loop)
        )
        count = 0
        async for _ in microphone:
            count += 1
            now += 0.01  # whoever listens takes its time
            if count == 10:
                now += 60.0  # and stalls once
    assert now - 50.0 == pytest.approx(60.0 + 0.032 * count, abs=0.2)
    assert max(slept) <= 0.033
    assert sum(seconds == 0.0 for seconds in slept) <= 5, "what was lost is not caught up in a burst"


async def test_standard_input_is_converted_and_its_last_samples_are_not_lost() -> None:
    stereo = np.repeat(np.frombuffer(RAMP, "<i2"), 2).tobytes() + b"\x01"
    chunks = await all_of(StdinMicrophone(PcmFormat(16000, 2, 2), stream=io.BytesIO(stereo)))
    heard = b"".join(chunks)
    assert heard == RAMP.ljust(len(heard), b"\0")
    assert {len(chunk) for chunk in chunks} == {CHUNK_BYTES}


async def test_standard_input_is_not_read_before_somebody_listens() -> None:
    read_end, write_end = os.pipe()
    listens = False
    with os.fdopen(read_end, "rb", buffering=0) as pipe, os.fdopen(write_end, "wb", buffering=0) as writer:
        writer.write(RAMP)
        microphone = StdinMicrophone(PcmFormat(), ready=lambda: listens, stream=pipe)
        async with microphone:
            chunks = aiter(microphone)
            first = asyncio.ensure_future(anext(chunks))
            await asyncio.sleep(0.05)
            assert not first.done()
            listens = True
            assert await asyncio.wait_for(first, 10) == RAMP[:CHUNK_BYTES]
            writer.close()
            rest = [chunk async for chunk in chunks]
    assert b"".join(rest).startswith(RAMP[CHUNK_BYTES:])


async def test_a_writer_of_standard_input_waits_for_a_slow_satellite() -> None:
    class Counting(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            self.taken += len(data)
            return data

    stream = Counting(RAMP * 30)
    async with StdinMicrophone(PcmFormat(), stream=stream) as microphone:
        chunks = aiter(microphone)
        await asyncio.wait_for(anext(chunks), 10)
        await asyncio.sleep(0.1)
        assert stream.taken < len(RAMP) * 3, "two seconds wait, not thirty"
        heard = b"".join([chunk async for chunk in chunks])
    assert len(heard) >= len(RAMP) * 30 - CHUNK_BYTES


async def test_a_pipe_is_waited_for_without_a_thread_and_its_writer_waits_too() -> None:
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    with os.fdopen(read_end, "rb", buffering=0) as pipe, os.fdopen(write_end, "wb", buffering=0) as writer:
        async with StdinMicrophone(PcmFormat(), stream=pipe) as microphone:
            chunks = aiter(microphone)
            first = asyncio.ensure_future(anext(chunks))
            await asyncio.sleep(0.05)
            assert not first.done(), "there is nothing to be heard yet"
            while writer.write(RAMP) is not None:  # until the pipe is full
                pass
            await asyncio.wait_for(first, 10)
            await asyncio.sleep(0.05)
            assert (writer.write(RAMP) or 0) <= 4096, "nothing is read ahead: there is room for a page at most"
            assert "stdin" not in {thread.name for thread in threading.enumerate()}
            writer.close()
            assert all([chunk async for chunk in chunks])


async def test_a_pipe_that_does_not_wait_is_no_end() -> None:
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    with os.fdopen(read_end, "rb", buffering=0) as pipe, os.fdopen(write_end, "wb", buffering=0) as writer:
        async with StdinMicrophone(PcmFormat(), stream=pipe) as microphone:
            chunks = aiter(microphone)
            first = asyncio.ensure_future(anext(chunks))
            await asyncio.sleep(0.05)
            writer.write(RAMP)
            assert await asyncio.wait_for(first, 10) == RAMP[:CHUNK_BYTES]
            writer.close()
            rest = b"".join([chunk async for chunk in chunks])
    assert rest.startswith(RAMP[CHUNK_BYTES:])


async def test_a_device_is_heard_in_its_own_rate() -> None:
    fake = FakeSoundDevice(48000)
    async with DeviceMicrophone("0", PcmFormat(16000, 2, 1), sounddevice=fake) as microphone:
        assert fake.opened == {
            "device": 0, "channels": 1, "dtype": "int16", "samplerate": 48000, "blocksize": 1536,
        }  # fmt: skip
        tone = (16000 * np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)).astype("<i2").tobytes()
        await asyncio.to_thread(fake.speak, *[tone[i : i + 3072] for i in range(0, len(tone), 3072)])
        chunks = aiter(microphone)
        heard = b"".join([await asyncio.wait_for(anext(chunks), 10) for _ in range(30)])
    assert fake.closed
    crossings = np.count_nonzero(np.diff(np.signbit(np.frombuffer(heard, "<i2")).astype(int)))
    assert crossings == pytest.approx(2 * 440 * 0.96, abs=4)


async def test_sound_that_nobody_takes_is_dropped_the_oldest_first() -> None:
    fake = FakeSoundDevice(16000)
    async with DeviceMicrophone(None, PcmFormat(), sounddevice=fake) as microphone:
        blocks = [bytes([i]) * CHUNK_BYTES for i in range(100)]
        fake.speak(*blocks)
        await asyncio.sleep(0)
        assert microphone.dropped == 36
        assert await anext(aiter(microphone)) == blocks[36]


@pytest.mark.parametrize(("device", "rates"), [("mixer", (16000,)), (None, ())])
async def test_a_device_that_cannot_be_used_is_told_with_those_that_can(device: str | None, rates: tuple[int]) -> None:
    microphone = DeviceMicrophone(device, PcmFormat(), sounddevice=FakeSoundDevice(*rates))
    with pytest.raises(AudioError, match=r"cannot listen on .*The devices are: 0 'usb mic' \(2 in, 0 out\)"):
        await all_of(microphone)


async def test_a_missing_portaudio_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_library() -> Any:
        raise OSError("PortAudio library not found")

    monkeypatch.setattr(device_module, "_import_sounddevice", no_library)
    with pytest.raises(AudioError, match="apt install libportaudio2"):
        await all_of(DeviceMicrophone(None, PcmFormat()))


def test_the_recordings_of_the_tests_are_what_they_say() -> None:
    data = Path(__file__).parent.parent / "data" / "satellite"
    names = {path.name for path in data.glob("*.flac")}
    table = (data / "README.md").read_text()
    assert all(name in table or "-rms" in name or "-slt" in name for name in names)
    assert all(len(read_recording(data / name)) < 4 * 32000 for name in names)


class ArrayMicrophone(FakeSoundDevice):
    """A card that gives only all of its four channels at 44.1 kHz, as some arrays do."""

    refreshed = 0

    def query_devices(self, device: str | int | None = None, kind: str | None = None) -> Any:
        found = {"name": "array", "max_input_channels": 4, "max_output_channels": 0, "default_samplerate": 44100.0}
        return [found] if kind is None else found

    def check_input_settings(self, *, samplerate: float, **wanted: Any) -> None:
        if (samplerate, wanted["channels"]) != (44100, 4):
            raise PortAudioError("Invalid number of channels [PaErrorCode -9998]")

    def _terminate(self) -> None:
        self.refreshed += 1

    def _initialize(self) -> None:
        assert self.refreshed == 1


@pytest.mark.parametrize(("channel", "hertz"), [(1, 200), (3, 600), (4, 800)])
async def test_one_channel_is_heard_of_a_device_that_gives_only_all(channel: int, hertz: int) -> None:
    fake = ArrayMicrophone(44100)
    audio = PcmFormat(16000, 2, 1) if channel == 1 else PcmFormat(16000, 2, channel)
    async with DeviceMicrophone("array", audio, channel=channel, sounddevice=fake) as microphone:
        assert (fake.opened["samplerate"], fake.opened["channels"]) == (44100, 4)
        time = np.arange(44100) / 44100
        four = np.stack([8000 * np.sin(2 * np.pi * 200 * n * time) for n in (1, 2, 3, 4)], axis=1).astype("<i2")
        raw = four.tobytes()
        fake.speak(*[raw[start : start + 11288] for start in range(0, len(raw), 11288)])
        chunks = aiter(microphone)
        heard = b"".join([await asyncio.wait_for(anext(chunks), 10) for _ in range(30)])
    spectrum = np.abs(np.fft.rfft(np.frombuffer(heard, "<i2")))
    assert spectrum.argmax() * 16000 / (len(heard) // 2) == pytest.approx(hertz, abs=2)


async def test_after_a_fault_portaudio_looks_for_devices_again() -> None:
    fake = ArrayMicrophone(44100)
    async with DeviceMicrophone(None, PcmFormat(44100, 2, 4), refresh=True, sounddevice=fake):
        assert fake.refreshed == 1


PORTAUDIO = """
import asyncio, sys
import numpy as np
from hearth_core.audio import PcmFormat
from hearth_satellite.microphone import DeviceMicrophone

async def hear():
    async with DeviceMicrophone("hearth_file", PcmFormat(48000, 2, 2), channel=2) as microphone:
        heard = b""
        async for chunk in microphone:
            heard += chunk
            if len(heard) >= 32000:
                return np.frombuffer(heard, "<i2")

samples = asyncio.run(asyncio.wait_for(hear(), 60))
print(int(np.abs(samples).max()), len(samples))
"""


def test_the_real_portaudio_delivers_from_a_card_that_is_a_file(tmp_path: Path) -> None:
    library("portaudio", "libportaudio2")
    frames = np.zeros((48000 * 20, 2), "<i2")
    frames[:, 1] = 8000 * np.sin(2 * np.pi * 440 * np.arange(len(frames)) / 48000)
    frames.tofile(tmp_path / "in.raw")
    form = f'file "{tmp_path}/out.raw" infile "{tmp_path}/in.raw" format "raw" hint {{ show on }}'
    (tmp_path / "asoundrc").write_text(f'pcm.hearth_file {{ type file slave.pcm "null" {form} }}\n')
    base = os.environ.get("ALSA_CONFIG_PATH", "/usr/share/alsa/alsa.conf")
    environment = {**os.environ, "ALSA_CONFIG_PATH": f"{base}:{tmp_path}/asoundrc"}
    run = subprocess.run(
        [sys.executable, "-c", PORTAUDIO], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    loudest, count = map(int, run.stdout.split())
    assert 7500 < loudest < 10_000, "such a card is faster than time, so sound is dropped, and the joints ring"
    assert count >= 16000
