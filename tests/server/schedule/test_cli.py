"""`hearth schedule`, run as the command it is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from hearth_core.cli import run
from hearth_server.schedule.item import Item, Kind, State
from hearth_server.schedule.store import Store


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "hearth.yaml"
    path.write_text("schedule: {file: schedule.db, zone: Europe/Berlin}\n")
    return path


def test_nothing_kept_is_said_and_no_file_is_made(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--config", str(config), "schedule", "list"]) == 0
    assert "Nothing is kept" in capsys.readouterr().out
    assert not (config.parent / "schedule.db").exists()


def test_what_is_kept_is_listed_and_cancelled_beside_a_running_server(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = time.time()
    server = Store(config.parent / "schedule.db", alone=True)
    timer = server.add(Item(Kind.TIMER, now + 600, now, name="pizza", duration_s=600, satellite="kitchen", area_id="k"))
    server.add(Item(Kind.TIMER, None, now, state=State.PAUSED, duration_s=600, remaining_s=90))
    server.add(
        Item(Kind.COMMAND, 1_800_000_000, now, command="lock the front door", every=(0, 1, 2, 3, 4), sun="sunset")
    )
    assert run(["--config", str(config), "schedule", "list"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["ID", "KIND", "DUE", "WHAT", "WHERE"]
    assert len(rows) == 3
    assert "pizza 10 minutes" in rows[0]
    assert rows[0].endswith("kitchen k")
    assert "2027-01-15 09:00:00, on weekdays, sunset  lock the front door" in rows[1]
    assert "paused, 1 minute and 30 seconds left" in rows[2]
    assert run(["--config", str(config), "schedule", "cancel", str(timer.id)]) == 0
    assert "cancelled: timer pizza 10 minutes" in capsys.readouterr().out
    assert server.get(timer.id) is None
    server.close()


@pytest.mark.parametrize("made", [True, False])
def test_a_number_that_is_not_there_is_an_error(config: Path, capsys: pytest.CaptureFixture[str], made: bool) -> None:
    if made:
        Store(config.parent / "schedule.db").close()
    assert run(["--config", str(config), "schedule", "cancel", "7"]) == 2
    assert "hearth schedule list" in capsys.readouterr().err
