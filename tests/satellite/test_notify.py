"""What systemd is told."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from hearth_satellite.notify import Notifier


@pytest.mark.parametrize("abstract", [False, True])
async def test_ready_signs_of_life_and_stopping(tmp_path: Path, abstract: bool) -> None:
    address = f"@hearth-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + address[1:] if abstract else address)
        systemd.settimeout(20)
        notifier = Notifier({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000", "WATCHDOG_PID": str(os.getpid())})
        assert notifier.watchdog_s == 0.03
        async with notifier.ready("Kitchen"):
            said = [await asyncio.to_thread(systemd.recv, 1000) for _ in range(4)]
        assert said == [b"READY=1\nSTATUS=Kitchen", b"WATCHDOG=1", b"WATCHDOG=1", b"WATCHDOG=1"]
        while (last := systemd.recv(1000)) == b"WATCHDOG=1":
            pass
        assert last == b"STOPPING=1"


@pytest.mark.parametrize(
    "environment",
    [{}, {"WATCHDOG_USEC": "junk"}, {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}, {"NOTIFY_SOCKET": "/no/such"}],
)
async def test_without_systemd_nothing_happens(environment: dict[str, str]) -> None:
    notifier = Notifier(environment)
    assert notifier.watchdog_s is None
    async with notifier.ready("x"):
        pass
