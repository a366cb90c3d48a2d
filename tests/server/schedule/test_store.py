"""The file: nothing confirmed is lost, and nothing that can be wrong with it ends the server."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearth_core.errors import ConfigError
from hearth_server.schedule.item import Item, Kind, State
from hearth_server.schedule.store import VERSION, Store, StoreBrokenError, StoreFullError, default_file
from tests.schedule_fakes import rigged

PROCESS = Path(__file__).with_name("kept_by_a_process.py")
TIMER = Item(Kind.TIMER, 100.0, 40.0, name="pizza", duration_s=60.0, satellite="kitchen", elapsed=True)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "schedule.db"


ITEMS = st.builds(
    Item,
    kind=st.sampled_from(Kind),
    due_at=st.none() | st.floats(0, 4e9),
    created_at=st.floats(0, 4e9),
    state=st.sampled_from(State),
    name=st.text(max_size=20).filter(lambda text: "\x00" not in text and text.isprintable()),
    command=st.text(st.characters(codec="utf-8"), max_size=40),
    satellite=st.none() | st.text("abc", max_size=5),
    area_id=st.none() | st.text("abc", max_size=5),
    elapsed=st.booleans(),
    every=st.lists(st.integers(0, 6), max_size=7).map(tuple),
    minute=st.none() | st.integers(0, 1440),
    sun=st.none() | st.sampled_from(["sunrise", "sunset"]),
    rang=st.integers(0, 100),
    rings_since=st.none() | st.floats(0, 4e9),
)


@settings(max_examples=50)
@given(ITEMS)
def test_any_item_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, item: Item) -> None:
    path = tmp_path_factory.mktemp("store") / "s.db"
    store = Store(path)
    kept = store.add(item)
    store.close()
    again = Store(path)
    assert again.items() == (kept,)
    assert again.get(kept.id) == kept
    again.close()


def test_items_come_in_the_order_of_their_time_and_numbers_are_not_used_again(file: Path) -> None:
    store = Store(file)
    numbers = [store.add(Item(Kind.ALARM, due, 0.0)).id for due in (30.0, 10.0, None, 20.0)]
    assert [item.due_at for item in store.items()] == [10.0, 20.0, 30.0, None]
    assert [item.due_at for item in store.due(20.0)] == [10.0, 20.0]
    assert store.remove(numbers[-1])
    assert not store.remove(numbers[-1])
    assert store.add(TIMER).id > max(numbers)
    assert store.items(Kind.TIMER) == (store.get(numbers[-1] + 1),)
    store.close()


def test_more_than_fit_are_refused(file: Path) -> None:
    store = Store(file, max_items=2)
    store.add(TIMER)
    store.add(TIMER)
    with pytest.raises(StoreFullError, match="Cancel one"):
        store.add(TIMER)
    assert len(store.items()) == 2
    store.close()


def test_the_file_is_private_and_its_folder_is_made(file: Path) -> None:
    Store(file).close()
    assert file.exists()
    assert file.parent.stat().st_mode & 0o077 == 0


def test_a_commit_is_on_the_disk_before_it_is_told(file: Path) -> None:
    store = Store(file)
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()


@pytest.mark.parametrize("lines", [1, 7, 40])
async def test_what_was_confirmed_survives_a_kill_in_the_middle(file: Path, lines: int) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(PROCESS), str(file), stdout=asyncio.subprocess.PIPE, env=environment
    )
    assert process.stdout is not None
    confirmed = [(await asyncio.wait_for(process.stdout.readline(), 60)).decode().split() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    rest = (await process.stdout.read()).decode()
    assert await process.wait() == -signal.SIGKILL
    confirmed += [line.split() for line in rest.split("\n")[:-1]]
    kept = {int(number) for word, number in confirmed if word == "kept"}
    removed = {int(number) for word, number in confirmed if word == "removed"}
    store = Store(file, alone=True)  # and the dead process does not keep the file
    there = {item.id for item in store.items()}
    assert kept <= there
    assert not removed & there
    assert len(there - kept) <= 1  # the one that was written when the signal came
    store.close()


def corrupt_page(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[4096 : 4096 + 2048] = os.urandom(2048)
    file.write_bytes(data)


def other_columns(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("ALTER TABLE items DROP COLUMN rang")
    connection.commit()
    connection.close()


BROKEN = {
    "junk": lambda file: file.write_bytes(b"not a database at all" * 500),
    "truncated": lambda file: file.write_bytes(file.read_bytes()[:3000]),
    "a broken page": corrupt_page,
    "other columns": other_columns,
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_set_aside_and_told(file: Path, what: str, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(file)
    store.add(TIMER)
    store.close()
    BROKEN[what](file)
    damaged = file.read_bytes()
    store = Store(file, alone=True)
    assert store.items() == ()
    store.add(TIMER)
    store.close()
    (aside,) = [path for path in file.parent.glob("*.broken-*") if not path.name.endswith(("-wal", "-shm"))]
    assert aside.read_bytes()[:100] == damaged[:100]
    assert "is broken" in caplog.text
    assert str(aside) in caplog.text


def test_a_file_that_breaks_while_it_is_open_is_set_aside(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(file)
    for _ in range(50):
        store.add(TIMER)
    store.close()
    store = Store(file)
    file.write_bytes(b"x" * file.stat().st_size)
    store._connection.execute("PRAGMA shrink_memory")  # it would be read from memory otherwise
    with pytest.raises(StoreBrokenError):
        store.items()
    assert store.items() == ()
    store.add(TIMER)
    assert len(store.items()) == 1
    store.close()


def test_a_full_disk_is_told_and_loses_nothing(file: Path) -> None:
    store = Store(file)
    kept = store.add(TIMER)
    (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreBrokenError, match="full"):
        store.add(Item(Kind.COMMAND, 1.0, 1.0, command="x" * 100_000))
    assert store.items() == (kept,)
    store.close()


def test_an_empty_file_is_a_new_one(file: Path) -> None:
    file.parent.mkdir()
    file.touch()
    store = Store(file)
    assert store.items() == ()
    store.close()


def test_a_file_of_a_later_hearth_is_refused_and_left_alone(file: Path) -> None:
    Store(file).close()
    connection = sqlite3.connect(file)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(ConfigError, match=r"later Hearth.*Update Hearth"):
        Store(file)
    assert file.read_bytes() == before


def test_a_database_of_another_program_is_refused_and_left_alone(file: Path) -> None:
    file.parent.mkdir()
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE precious (x)")
    connection.commit()
    connection.close()
    before = file.read_bytes()
    with pytest.raises(ConfigError, match=r"another program's.*schedule.file"):
        Store(file)
    assert file.read_bytes() == before


def test_a_second_server_is_refused_and_the_command_line_is_not(file: Path) -> None:
    first = Store(file, alone=True)
    with pytest.raises(ConfigError, match="in use by another server"):
        Store(file, alone=True)
    beside = Store(file)
    number = beside.add(TIMER).id
    beside.close()
    assert first.get(number) is not None
    first.close()
    Store(file, alone=True).close()


def test_a_place_that_cannot_be_written_is_told_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"schedule\.file"):
        Store(tmp_path / "file" / "schedule.db")
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(ConfigError, match=r"schedule\.file"):
        Store(tmp_path / "folder.db")


def test_a_row_that_makes_no_sense_is_left_out(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(file)
    wrong, right = store.add(TIMER), store.add(TIMER)
    connection = sqlite3.connect(file)
    connection.execute("UPDATE items SET every = '1,9' WHERE id = ?", (wrong.id,))
    connection.commit()
    connection.close()
    assert store.items() == (right,)
    assert "left out" in caplog.text
    store.close()


def test_the_default_place_is_the_users_state_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/tmp/state")
    assert default_file() == Path("/tmp/state/hearth/schedule.db")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert default_file() == Path("~/.local/state/hearth/schedule.db").expanduser()


async def test_a_file_that_breaks_is_told_to_the_speaker(demo_understanding: object, file: Path) -> None:
    async with rigged(demo_understanding, file) as rig:  # type: ignore[arg-type]
        rig.schedule._book._store._connection.close()  # as if the disk had gone
        response = await rig.say("set a timer for ten minutes")
        assert response.text == "Sorry, I could not keep that"
        assert await rig.told("set a timer for ten minutes") == "Timer set for 10 minutes"
