"""How a satellite and its server come through faults: each is made for real, and the time to recover is taken.

    python bench/soak.py --faults [--rounds 3] [--only server,network,…] [--json]

Server and satellite are processes of their own, on a network of their own (`unshare`): a network cut is a link that is
down. The sound device is fake (bench/fake_device), so that it can be pulled out. What happens is seen on the
satellite's control socket, which is no network. A round of a fault is recovered when the satellite is driven again and
a command that is spoken into it is heard as what it is; `seconds` runs from the end of the fault to the driver's being
there (for the device: to the microphone's), `most` is the longest of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml
from wyoming.asr import Transcript
from wyoming.satellite import RunSatellite

from hearth_core.audio import read_recording
from hearth_core.errors import HearthError
from hearth_core.wire import connect

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "examples" / "recordings" / "lock_the_front_door.flac"
INSIDE = "HEARTH_FAULTS_INSIDE"
SATELLITE, SERVER = 10700, 10300
START_S, RECOVER_S, ANSWER_S = 60.0, 60.0, 40.0
RESTART_S = 2.0  # as RestartSec of the service has it
CUT_S = 12.0  # longer than both sides take to notice


@dataclass(slots=True)
class Row:
    """What the rounds of one fault showed; seconds to recover."""

    fault: str
    rounds: int = 0
    recovered: int = 0
    heard: int = 0  # of the commands that were spoken afterwards, or across the fault
    seconds: list[float] = field(default_factory=list)


class Part:
    """A process that is started again whenever it ends, as systemd does it."""

    def __init__(self, arguments: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self._arguments, self._environment, self._log = arguments, environment, log
        self.process: Process | None = None
        self.starts = 0
        self.held = False
        self.listening = asyncio.Event()

    async def run(self) -> None:
        """Keep it running until cancelled."""
        try:
            while True:
                if not self.held:
                    await self._once()
                await asyncio.sleep(RESTART_S if not self.held else 0.05)
        finally:
            if self.process is not None and self.process.returncode is None:
                self.process.kill()
                await self.process.wait()

    async def _once(self) -> None:
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "hearth_core", *self._arguments, stdin=DEVNULL, stdout=PIPE, stderr=log,
                env={**os.environ, **self._environment},
            )  # fmt: skip
        self.starts += 1
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            if re.search(rb"tcp://", line):
                self.listening.set()
        await self.process.wait()
        self.listening.clear()

    def kill(self) -> None:
        """End it at once."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)

    def rss_mib(self) -> float:
        """Return its resident memory."""
        assert self.process is not None
        return float(psutil.Process(self.process.pid).memory_info().rss / 2**20)


class House:
    """A server, a satellite, and what is seen of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.device = folder / "device"
        self.device.mkdir()
        self.socket = folder / "satellite.sock"
        # A home of its own: a server that runs on this machine keeps its schedule to itself.
        home = {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}
        self.server = Part(("-v", "--config", str(self._config("server")), "server"), home, folder / "server.log")
        path = os.pathsep.join([str(ROOT / "bench" / "fake_device"), os.environ.get("PYTHONPATH", "")])
        fake = {"FAKE_DEVICE": str(self.device), "PYTHONPATH": path}
        self.satellite = Part(
            ("-v", "--config", str(self._config("satellite")), "satellite"), fake, folder / "satellite.log"
        )
        self.news: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.driven = asyncio.Event()
        self.microphone_ok = asyncio.Event()
        self.state = ""
        self._writer: asyncio.StreamWriter | None = None

    def _config(self, part: str) -> Path:
        link = {"name": "bench", "uri": f"tcp://127.0.0.1:{SATELLITE}"}
        config: dict[str, Any] = {
            "server": {"port": SERVER, "satellites": [link], "speak": {"voice": "chime"}},
            "satellite": {
                "port": SATELLITE,
                "wake": {"engine": "none"},
                "control": {"socket": {"path": str(self.socket)}, "state_file": str(self.folder / "state.json")},
            },
        }
        file = self.folder / f"{part}.yaml"
        file.write_text(yaml.safe_dump(config))
        return file

    async def look(self) -> None:
        """Take what the satellite tells, until cancelled."""
        while True:
            with contextlib.suppress(OSError, ValueError):
                reader, writer = await asyncio.open_unix_connection(self.socket)
                self._writer = writer
                with contextlib.closing(writer):
                    while line := await reader.readline():
                        self._take(json.loads(line))
            self.driven.clear()
            self.microphone_ok.clear()
            await asyncio.sleep(0.02)

    def _take(self, message: dict[str, Any]) -> None:
        if isinstance(message.get("state"), str):
            self.state = message["state"]
        match message:
            case {"event": "hello", "state": str(state), "microphone_ok": bool(ok)}:
                (self.driven.clear if state == "idle" else self.driven.set)()
                (self.microphone_ok.set if ok else self.microphone_ok.clear)()
            case {"event": "connected"}:
                self.driven.set()
            case {"event": "disconnected"}:
                self.driven.clear()
            case {"event": "microphone", "ok": bool(ok)}:
                (self.microphone_ok.set if ok else self.microphone_ok.clear)()
        self.news.put_nowait(message)

    def command(self, name: str) -> None:
        """Command the satellite over its control socket."""
        assert self._writer is not None
        self._writer.write(json.dumps({"command": name}).encode() + b"\n")

    def forget(self) -> None:
        """Let what has happened be past."""
        while not self.news.empty():
            self.news.get_nowait()

    async def happens(self, timeout: float, **facts: object) -> dict[str, Any] | None:
        """Return the next news of which this holds; None if it does not come in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while True:
                    message = await self.news.get()
                    if all(message.get(key) == value for key, value in facts.items()):
                        return message
        return None

    def say(self) -> None:
        """Speak "lock the front door" into the microphone."""
        new = self.device / "new.raw"
        new.write_bytes(read_recording(LOCK) + bytes(48_000))
        new.replace(self.device / "say.raw")

    async def heard(self) -> bool:
        """Speak a command; return whether it was heard as what it is, and answered."""
        await _until(lambda: self.state == "listening")  # the answer to what was spoken in the fault is over
        self.forget()
        self.say()
        said = await self.happens(ANSWER_S, event="transcript")
        if said is None or "lock the front door" not in said["text"]:
            print(f"not heard: {said and said['text']!r}", file=sys.stderr)
            return False
        if await self.happens(ANSWER_S, event="state", state="listening") is None:
            print(f"heard, and then {self.state}", file=sys.stderr)
            return False
        return True

    async def ask(self, text: str) -> str:
        """Give the server a command as text; return its answer."""
        async with await connect(f"tcp://127.0.0.1:{SERVER}") as connection:
            await connection.write(Transcript(text).event())
            event = await connection.read(ANSWER_S)
        return str(event.data.get("text", "")) if event else ""


async def _server_killed(house: House) -> Callable[[], Awaitable[object]]:
    house.server.held = True
    house.server.kill()
    await _until(lambda: not house.driven.is_set())
    house.forget()
    house.command("wake")
    if await house.happens(5.0, event="not-connected") is None:
        raise AssertionError("who spoke to a satellite without a server was not told so")
    await asyncio.sleep(random.uniform(5, 8))  # until the waits between attempts are at their longest
    house.server.held = False
    await house.server.listening.wait()
    return house.driven.wait


async def _satellite_killed(house: House) -> Callable[[], Awaitable[object]]:
    house.satellite.held = True
    house.satellite.kill()
    await asyncio.sleep(random.uniform(8, 12))  # until the server's waits between attempts are at their longest
    house.driven.clear()
    house.satellite.held = False
    await _until(lambda: not house.satellite.listening.is_set())
    await house.satellite.listening.wait()
    return house.driven.wait


async def _network_cut(house: House) -> Callable[[], Awaitable[object]]:
    _link("down")
    try:
        await asyncio.sleep(CUT_S + random.uniform(0, 4))
    finally:
        _link("up")
    house.driven.clear()  # whoever was there has been given up on the other side
    return house.driven.wait


async def _spoken_then_cut(house: House) -> Callable[[], Awaitable[object]]:
    """Cut the network as soon as a command is spoken whole: it must be done all the same."""
    await house.ask("unlock the front door")
    house.forget()
    house.say()
    if await house.happens(ANSWER_S, event="state", state="answering") is None:
        raise AssertionError("nothing was heard")
    _link("down")
    try:
        await asyncio.sleep(CUT_S)
    finally:
        _link("up")
    answer = await house.ask("is the front door locked")
    if not answer.lower().startswith("yes"):
        raise AssertionError(f"a command that was spoken is lost: {answer}")
    house.driven.clear()
    return house.driven.wait


async def _device_gone(house: House) -> Callable[[], Awaitable[object]]:
    gone = house.device / "gone"
    gone.touch()
    try:
        await asyncio.sleep(8)  # until it is noticed, and opening it again has failed
        house.microphone_ok.clear()
    finally:
        gone.unlink()
    return house.microphone_ok.wait


async def _speaker_gone(house: House) -> Callable[[], Awaitable[object]]:
    """Pull the device out while an answer is due; the answer is lost, nothing else may be."""
    house.forget()
    house.say()
    await house.happens(ANSWER_S, event="transcript")
    return await _device_gone(house)


async def _junk(house: House) -> Callable[[], Awaitable[object]]:
    junk = (
        b"GET / HTTP/1.1\r\n\r\n",
        os.urandom(5000),
        b"{" * 70_000,
        b'{"type":"x","payload_length":1e99}\n',
        b"\n" * 99,
    )
    for number in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", SATELLITE), 1.0) as peer:
            peer.sendall(junk[number % len(junk)])
        await asyncio.sleep(0.01)
    return house.driven.wait


async def _connects(house: House) -> Callable[[], Awaitable[object]]:
    open_sockets = []
    for _ in range(500):  # 100 a second for 5 s, and nobody hangs up
        with contextlib.suppress(OSError):
            open_sockets.append(socket.create_connection(("127.0.0.1", SATELLITE), 1.0))
        await asyncio.sleep(0.01)
    for peer in open_sockets:
        peer.close()
    return house.driven.wait


async def _never_reads(house: House) -> Callable[[], Awaitable[object]]:
    """Let somebody take the satellite over who reads nothing; the server is to have it back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", SATELLITE, limit=1024)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    event = RunSatellite().event()
    writer.write(json.dumps({"type": event.type}).encode() + b"\n" + b'{"type":"describe"}\n' * 5000)
    house.say()
    await asyncio.sleep(5)
    writer.transport.abort()
    del reader
    return house.driven.wait


FAULTS: dict[str, Callable[[House], Awaitable[Callable[[], Awaitable[object]]]]] = {
    "server": _server_killed,
    "satellite": _satellite_killed,
    "network": _network_cut,
    "spoken": _spoken_then_cut,
    "device": _device_gone,
    "speaker": _speaker_gone,
    "junk": _junk,
    "connects": _connects,
    "deaf": _never_reads,
}


def _link(state: str) -> None:
    subprocess.run(["ip", "link", "set", "lo", state], check=True)  # noqa: S607


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(RECOVER_S):
        while not condition():  # noqa: ASYNC110 - what is waited for is to be gone
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def _living(folder: Path) -> AsyncIterator[House]:
    house = House(folder)
    tasks = [asyncio.create_task(work) for work in (house.server.run(), house.satellite.run(), house.look())]
    try:
        async with asyncio.timeout(START_S):
            await house.server.listening.wait()
            await house.driven.wait()
        yield house
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _round(house: House, row: Row) -> None:
    row.rounds += 1
    try:
        recovered = await FAULTS[row.fault](house)
        begin = time.monotonic()
        async with asyncio.timeout(RECOVER_S):
            await recovered()
            row.seconds.append(round(time.monotonic() - begin, 2))
            row.recovered += 1
            await house.driven.wait()
        await asyncio.sleep(0.5)
        row.heard += await house.heard()
    except (AssertionError, TimeoutError, HearthError) as error:
        print(f"{row.fault}: {error or type(error).__name__}", file=sys.stderr)


async def _run(names: Sequence[str], rounds: int, folder: Path) -> dict[str, Any]:
    rows = [Row(name) for name in names]
    begin = time.monotonic()
    async with _living(folder) as house:
        if not await house.heard():
            raise SystemExit(f"a spoken command is not heard at all; see {folder}")
        before: dict[str, float] = {}
        for number in range(rounds):
            for row in rows:
                await _round(house, row)
            if number == 0:  # by now every cache is warm
                before = {"server": house.server.rss_mib(), "satellite": house.satellite.rss_mib()}
        after = {"server": house.server.rss_mib(), "satellite": house.satellite.rss_mib()}
        starts = house.satellite.starts
    growth = {name: round(after[name] - before[name], 1) for name in after}
    return {
        "faults": [asdict(row) for row in rows],
        "satellite_starts": starts,
        "rss_mib": {name: round(value, 1) for name, value in after.items()},
        "rss_growth_mib": growth,
        "wall_s": round(time.monotonic() - begin, 1),
    }


def run(names: Sequence[str], rounds: int, *, as_json: bool) -> int:
    """Make the faults in a network of their own, print what came of them; return 1 if one was not recovered from."""
    if os.environ.get(INSIDE) != "1":
        arguments = [sys.executable, str(Path(__file__)), *sys.argv[1:]]
        command = [
            "unshare",
            "--map-root-user",
            "--net",
            "sh",
            "-c",
            'ip link set lo up && exec "$@"',
            "sh",
            *arguments,
        ]
        return subprocess.run(command, env={**os.environ, INSIDE: "1"}, check=False).returncode
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(_run(names, rounds, Path(folder)))
    if as_json:
        print(json.dumps(result))
    else:
        print(table(result))
    return 0 if all(row["recovered"] == row["heard"] == row["rounds"] for row in result["faults"]) else 1


def table(result: dict[str, Any]) -> str:
    """Return the result for people."""
    lines = [f"{'fault':10} {'rounds':>6} {'recovered':>9} {'heard':>5} {'median s':>8} {'most s':>6}"]
    for row in result["faults"]:
        seconds = sorted(row["seconds"]) or [float("nan")]
        middle = seconds[len(seconds) // 2]
        counts = f"{row['fault']:10} {row['rounds']:6} {row['recovered']:9} {row['heard']:5}"
        lines.append(f"{counts} {middle:8.2f} {seconds[-1]:6.2f}")
    rss, growth = result["rss_mib"], result["rss_growth_mib"]
    lines += [
        f"memory since the first round: {name} {rss[name]} MiB ({growth[name]:+} MiB)"
        for name in ("server", "satellite")
    ]
    lines.append(f"the satellite was started {result['satellite_starts']} time(s); {result['wall_s']} s in all")
    return "\n".join(lines)


def main() -> None:
    """Make the faults that are asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="how often each fault (default: %(default)s)")
    parser.add_argument("--only", default="", help=f"some of {', '.join(FAULTS)}, by commas")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else list(FAULTS)
    if unknown := set(names) - set(FAULTS):
        parser.error(f"no such fault: {', '.join(unknown)}")
    sys.exit(run(names, options.rounds, as_json=options.json))


if __name__ == "__main__":
    main()
