"""Real sound servers, PulseAudio and PipeWire, without sound hardware: one room, in which what is played is heard.

Each has a folder of its own for its sockets and settings, so a server of the user's own is neither heard nor touched,
and a test can kill it and start it again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from .parts import alsa_plugin, library, program

START_S = 30.0
PLAY_S = 60.0
_ROOM_HZ = 48_000


class SoundServer(Protocol):
    """A sound server with a room: a sink of two channels at 48 kHz, and a source that hears it.

    Attributes:
        device: what ALSA, and so PortAudio, calls it.
        environment: for processes that are to use it.
    """

    device: str
    environment: dict[str, str]

    def start(self) -> None:
        """Start it, and wait until its room can be heard."""

    def kill(self) -> None:
        """End it at once."""

    def player(self, path: Path) -> list[str]:
        """Return the command that plays a WAV file."""


def play(server: SoundServer, path: Path) -> None:
    """Play a WAV file to its end."""
    done = subprocess.run(
        server.player(path), env=server.environment, capture_output=True, text=True, timeout=PLAY_S, check=False
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def saying(server: SoundServer, path: Path) -> Iterator[None]:
    """Play a WAV file until the block is left; it must be long enough."""
    with subprocess.Popen(
        server.player(path), env=server.environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as player:
        try:
            yield
            ended = player.poll()
        finally:
            player.kill()
        assert ended is None, f"it ended before: {player.communicate()[1]}"


class _Processes:
    """Processes with a folder of their own for all that they keep, and what they said."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.run = folder / "run"
        self.run.mkdir(mode=0o700)
        self.log = folder / "log"
        others = ("PULSE_", "PIPEWIRE_", "XDG_", "DBUS_", "ALSA_", "DISPLAY")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(others)}
        self.environment = {**kept, "HOME": str(folder), "XDG_RUNTIME_DIR": str(self.run)}
        self._running: list[subprocess.Popen[bytes]] = []

    def name_for_alsa(self, name: str, package: str) -> None:
        """Let these processes, and no others, have the server as a device of ALSA's, and so of PortAudio's."""
        library("portaudio", "libportaudio2")
        plugin = alsa_plugin(name, package, self._folder / "unpacked")
        config = self._folder / "asoundrc"
        config.write_text(f'pcm_type.{name}.lib "{plugin}"\npcm.{name}.type {name}\n')  # the packages' own is the same
        base = os.environ.get("ALSA_CONFIG_PATH", "/usr/share/alsa/alsa.conf")
        self.environment["ALSA_CONFIG_PATH"] = f"{base}:{config}"

    def start(self, *command: str) -> None:
        with self.log.open("ab") as log:
            self._running.append(
                subprocess.Popen(
                    command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
                )
            )

    def call(self, *command: str) -> str:
        """Return what a command prints, nothing if it fails."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=START_S, check=False
        )
        return done.stdout if done.returncode == 0 else ""

    def wait(self, ready: Callable[[], bool]) -> None:
        """Wait until they are as they are to be.

        Raises:
            AssertionError: one has ended, or it takes too long.
        """
        until = time.monotonic() + START_S
        while not ready():
            if time.monotonic() > until or any(process.poll() is not None for process in self._running):
                raise AssertionError(f"the sound server did not start:\n{self.log.read_text()}")
            time.sleep(0.02)

    def kill(self) -> None:
        while self._running:
            process = self._running.pop()
            process.kill()
            process.wait(10)
        shutil.rmtree(self.run)  # the sockets of the dead
        self.run.mkdir(mode=0o700)


class PulseAudio:
    """PulseAudio with a null sink, whose monitor is the microphone.

    Args:
        folder: where its files go; a short path, for sockets have no more than 107 characters.
    """

    device = "pulse"

    def __init__(self, folder: Path) -> None:
        self._server = program("pulseaudio", "pulseaudio")
        self._pactl, self._paplay = (program(name, "pulseaudio-utils") for name in ("pactl", "paplay"))
        self._processes = _Processes(folder)
        self._processes.name_for_alsa(self.device, "libasound2-plugins")
        self.environment = self._processes.environment
        (folder / "client.conf").write_text("autospawn = no\n")
        self.environment["PULSE_CLIENTCONFIG"] = str(folder / "client.conf")

    def start(self) -> None:
        """Start it, and wait until its room can be heard."""
        sink = f"module-null-sink sink_name=room rate={_ROOM_HZ} channels=2"
        options = ("-n", "--daemonize=no", "--exit-idle-time=-1", "--realtime=no", "--high-priority=no")
        self._processes.start(self._server, *options, "-L", "module-native-protocol-unix", "-L", sink)
        self._processes.wait(lambda: "room.monitor" in self._processes.call(self._pactl, "list", "short", "sources"))

    def kill(self) -> None:
        """End it at once."""
        self._processes.kill()

    def player(self, path: Path) -> list[str]:
        """Return the command that plays a WAV file."""
        return [self._paplay, str(path)]


_PIPEWIRE_ROOM = """\
context.objects = [
  { factory = adapter
    args = { factory.name = support.null-audio-sink, node.name = room, media.class = Audio/Duplex,
             audio.position = [ FL FR ], audio.rate = %d } }
]
"""


class PipeWire:
    """PipeWire with WirePlumber, a session bus of their own, and a virtual device that hears what it plays.

    Args:
        folder: where its files go; a short path, for sockets have no more than 107 characters.
    """

    device = "pipewire"

    def __init__(self, folder: Path) -> None:
        self._server, self._manager = program("pipewire", "pipewire"), program("wireplumber", "wireplumber")
        self._bus = program("dbus-daemon", "dbus")
        self._metadata, self._play = (program(name, "pipewire-bin") for name in ("pw-metadata", "pw-play"))
        self._processes = _Processes(folder)
        self._processes.name_for_alsa(self.device, "pipewire-alsa")
        self.environment = self._processes.environment
        room = folder / ".config" / "pipewire" / "pipewire.conf.d" / "room.conf"
        room.parent.mkdir(parents=True)
        room.write_text(_PIPEWIRE_ROOM % _ROOM_HZ)
        bus = self._processes.run / "bus"
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={bus}"

    def start(self) -> None:
        """Start it, and wait until its room can be heard."""
        run, address = self._processes.run, self.environment["DBUS_SESSION_BUS_ADDRESS"]
        self._processes.start(self._bus, "--session", "--nofork", "--nopidfile", f"--address={address}")
        self._processes.wait((run / "bus").exists)  # WirePlumber ends where there is none
        self._processes.start(self._server)
        self._processes.wait((run / "pipewire-0").exists)
        self._processes.start(self._manager)
        # Not before WirePlumber has chosen it is it what "the default source" means to ALSA's plugin.
        self._processes.wait(lambda: "default.audio.source" in self._processes.call(self._metadata, "0"))

    def kill(self) -> None:
        """End it at once."""
        self._processes.kill()

    def player(self, path: Path) -> list[str]:
        """Return the command that plays a WAV file."""
        return [self._play, "--target", "room", str(path)]
