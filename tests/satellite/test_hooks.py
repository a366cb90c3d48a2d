"""Commands of people's own: told everything, and unable to do harm."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

import pytest

from hearth_core.config_control import HookName
from hearth_satellite.hooks import Hooks
from hearth_satellite.news import Happening, News
from tests.satellite.lab import lines_of

WAIT_S = 30


def shell(script: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", script)


def hooks(commands: Mapping[str, Sequence[str]], timeout_s: float = 20.0, max_running: int = 4) -> Hooks:
    return Hooks(commands, timeout_s, max_running)


def test_the_configuration_knows_every_happening() -> None:
    assert set(get_args(HookName)) == {str(happening) for happening in Happening}


async def test_a_command_gets_the_facts_in_its_environment_and_as_json(tmp_path: Path) -> None:
    out, news = tmp_path / "out", News()
    script = (
        "import json,os,sys; "
        "print(json.dumps([{k: v for k, v in os.environ.items() if k.startswith('HEARTH_')}, json.load(sys.stdin)]),"
        f"file=open({str(out)!r}, 'a'))"
    )
    async with hooks({"settings": (sys.executable, "-c", script)}).running(news):
        news.tell(Happening.SETTINGS, mute=True, volume=0.5, wake_words=["a", "b"], text="it's $(rm) ü\0")
        (line,) = await lines_of(out)
    environment, facts = json.loads(line)
    assert {key: value for key, value in environment.items() if key not in os.environ} == {
        "HEARTH_EVENT": "settings",
        "HEARTH_MUTE": "true",
        "HEARTH_VOLUME": "0.5",
        "HEARTH_WAKE_WORDS": "a b",
        "HEARTH_TEXT": "it's $(rm) ü ",
    }
    assert facts == {
        "event": "settings",
        "mute": True,
        "volume": 0.5,
        "wake_words": ["a", "b"],
        "text": "it's $(rm) ü\0",
    }


async def test_commands_of_one_kind_keep_their_order(tmp_path: Path) -> None:
    out, news = tmp_path / "out", News()
    commands = {
        "output-began": shell(f"sleep 0.2; echo began >> {out}"),
        "output-ended": shell(f"echo ended >> {out}"),
    }
    async with hooks(commands).running(news):
        news.tell(Happening.OUTPUT_BEGAN)
        news.tell(Happening.OUTPUT_ENDED)
        assert await lines_of(out, 2) == ["began", "ended"]


async def test_a_command_that_hangs_is_ended_with_its_children_and_the_next_one_runs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out, child, news = tmp_path / "out", tmp_path / "child", News()
    commands = {
        "timer-started": shell(f"trap '' TERM; sleep 1000 & echo $! > {child}; wait; sleep 1000"),
        "timer-cancelled": shell(f"echo here >> {out}"),
        "wake": shell(f"echo beside >> {out}"),
    }
    async with hooks(commands, timeout_s=1.0).running(news):
        news.tell(Happening.TIMER_STARTED)
        news.tell(Happening.TIMER_CANCELLED)
        news.tell(Happening.WAKE)
        assert await lines_of(out, 2) == ["beside", "here"], "another kind does not wait"
    assert "took more than 1 s" in caplog.text
    pid = int(child.read_text())
    async with asyncio.timeout(WAIT_S):
        while running(pid):
            await asyncio.sleep(0.01)


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_no_more_run_at_a_time_than_may_and_the_oldest_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out, news = tmp_path / "out", News()
    async with hooks({"wake": shell(f"echo $HEARTH_NUMBER >> {out}")}, max_running=1).running(news):
        for number in range(100):
            news.tell(Happening.WAKE, number=number)
        lines = await lines_of(out, 16)
    assert lines[-1] == "99"
    assert len(lines) <= 17
    assert caplog.text.count("left out") >= 83


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("/no/such/program",), "cannot be run"),
        (("/bin/sh", "-c", "echo it is broken >&2; exit 3"), "failed with 3: it is broken"),
        (("/bin/sh", "-c", "head -c 3000000 /dev/zero >&2; exit 1"), "failed with 1"),
        (("bad\0name",), "cannot be run"),
    ],
)
async def test_a_command_that_fails_is_told_and_nothing_else(
    command: tuple[str, ...], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    news = News()
    async with hooks({"wake": command}).running(news):
        news.tell(Happening.WAKE)
        async with asyncio.timeout(WAIT_S):
            while said not in caplog.text:
                await asyncio.sleep(0.01)


async def test_nothing_is_left_running_when_the_satellite_stops(tmp_path: Path) -> None:
    pid_file, news = tmp_path / "pid", News()
    async with hooks({"wake": shell(f"echo $$ > {pid_file}; exec sleep 1000")}).running(news):
        news.tell(Happening.WAKE)
        (pid,) = await lines_of(pid_file)
    assert not running(int(pid))
    assert int(pid) != os.getpid()
