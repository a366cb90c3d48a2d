"""Speakers: a file, nothing, and a sound device that a fake library plays."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hearth_core.audio import PcmFormat, read_recording
from hearth_core.errors import AudioError
from hearth_satellite.speaker import DeviceSpeaker, FileSpeaker, NullSpeaker, Speaker

TONE = (8000 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)).astype("<i2").tobytes()


async def say(speaker: Speaker, audio: PcmFormat, pcm: bytes, chunk_bytes: int = 1000) -> None:
    await speaker.start(audio)
    for start in range(0, len(pcm), chunk_bytes):
        await speaker.write(pcm[start : start + chunk_bytes])
    await speaker.finish()


async def test_a_file_holds_all_sounds_and_is_whole_at_any_moment(tmp_path: Path) -> None:
    path = tmp_path / "answers.wav"
    path.write_bytes(b"what was there before")
    async with FileSpeaker(path) as speaker:
        with wave.open(str(path)) as empty:
            assert empty.getnframes() == 0
        await say(speaker, PcmFormat(), TONE, 999)
        assert read_recording(path) == TONE
        await say(speaker, PcmFormat(8000, 2, 2), bytes(8000 * 4))
        await speaker.stop()
    heard = read_recording(path)
    assert heard.startswith(TONE)
    assert len(heard) == pytest.approx(2 * len(TONE), abs=200)


@pytest.mark.parametrize("path", ["missing/x.wav", "."])
async def test_a_file_that_cannot_be_written_is_told_at_the_start(tmp_path: Path, path: str) -> None:
    with pytest.raises(AudioError, match="cannot write"):
        async with FileSpeaker(tmp_path / path):
            pass


async def test_nothing_is_played_at_once_or_in_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("hearth_satellite.speaker.asyncio.sleep", sleep)
    async with NullSpeaker() as speaker:
        await say(speaker, PcmFormat(22050, 2, 2), bytes(88200))
    assert slept == []
    async with NullSpeaker(realtime=True) as speaker:
        await say(speaker, PcmFormat(22050, 2, 2), bytes(88200))
    assert sum(slept) == pytest.approx(1.0)


class PortAudioError(Exception):
    """As sounddevice has it."""


class FakeSoundDevice:
    """The part of sounddevice that a speaker uses; remembers what was played."""

    PortAudioError = PortAudioError

    def __init__(self, *rates: int, broken: bool = False) -> None:
        self.rates = rates
        self.broken = broken
        self.opened: list[dict[str, Any]] = []
        self.played = b""
        self.writes: list[int] = []
        self.ended: list[str] = []

    def query_devices(self, device: str | int | None = None, kind: str | None = None) -> Any:
        if device not in (None, 0, "usb"):
            raise ValueError(f"No output device matching {device!r}")
        devices = [{"name": "usb", "max_input_channels": 0, "max_output_channels": 2, "default_samplerate": 48000.0}]
        return devices if kind is None else devices[0]

    def check_output_settings(self, *, samplerate: float, **wanted: Any) -> None:
        if samplerate not in self.rates:
            raise PortAudioError("Invalid sample rate")

    def RawOutputStream(self, **options: Any) -> FakeSoundDevice:
        self.opened.append(options)
        return self

    def start(self) -> None:
        pass

    def write(self, pcm: bytes) -> None:
        if self.broken:
            raise PortAudioError("unplugged")
        self.writes.append(len(pcm))
        self.played += pcm

    def stop(self) -> None:
        self.ended.append("drained")

    def close(self) -> None:
        self.ended.append("closed")


async def test_a_device_plays_in_the_rate_of_the_sound_if_it_can() -> None:
    fake = FakeSoundDevice(22050)
    async with DeviceSpeaker("usb", sounddevice=fake) as speaker:
        await say(speaker, PcmFormat(22050, 2, 2), TONE, 9999)
        assert fake.opened == [{"device": "usb", "channels": 2, "dtype": "int16", "samplerate": 22050}]
        assert fake.played == TONE, "samples that were cut between chunks are joined"
        assert max(fake.writes) <= 2048, "so that it can be stopped soon"
        assert fake.ended == ["drained", "closed"]


@pytest.mark.parametrize("audio", [PcmFormat(16000, 2, 1), PcmFormat(16000, 3, 1)])
async def test_a_device_that_has_one_rate_only_is_resampled_for(audio: PcmFormat) -> None:
    fake = FakeSoundDevice(48000)
    wide = np.zeros((16000, 3), np.uint8)
    wide[:, 1:] = np.frombuffer(TONE, np.uint8).reshape(-1, 2)
    async with DeviceSpeaker(None, sounddevice=fake) as speaker:
        await say(speaker, audio, TONE if audio.width == 2 else wide.tobytes())
    assert fake.opened[0]["samplerate"] == 48000
    samples = np.frombuffer(fake.played, "<i2")
    assert len(samples) == pytest.approx(48000, abs=100)
    crossings = np.count_nonzero(np.diff(np.signbit(samples).astype(int)))
    assert crossings == pytest.approx(880, abs=6)


async def test_a_device_that_is_stopped_drops_what_it_has() -> None:
    fake = FakeSoundDevice(16000)
    async with DeviceSpeaker(None, sounddevice=fake) as speaker:
        await speaker.start(PcmFormat())
        await speaker.write(TONE)
        await speaker.stop()
        assert fake.ended == ["closed"]
        await speaker.write(TONE)
        assert fake.played == TONE, "nothing is played after it"


async def test_a_device_that_is_not_there_or_breaks_is_told() -> None:
    with pytest.raises(AudioError, match=r"sound device 'hdmi' cannot play\. The devices are: 0 'usb'"):
        async with DeviceSpeaker("hdmi", sounddevice=FakeSoundDevice(16000)):
            pass
    async with DeviceSpeaker(None, sounddevice=FakeSoundDevice(16000, broken=True)) as speaker:
        with pytest.raises(AudioError, match=r"stopped playing \(unplugged\)"):
            await say(speaker, PcmFormat(), TONE)
