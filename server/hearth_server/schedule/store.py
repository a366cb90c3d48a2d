"""The file that timers, alarms and commands for later are kept in: SQLite, on the disk before anything is said.

A file that is broken is set aside under another name, and a new one begun. A file of a later Hearth, or of another
program, is refused and left as it is.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import IO, Any, Final, TypeVar

from hearth_core.errors import ConfigError, HearthError

from .item import Item, Kind, State

log = logging.getLogger(__name__)

VERSION: Final = 1
_APPLICATION_ID: Final = 0x48725468  # "HrTh": tells our file from other programs'
_BUSY_S: Final = 5.0
_BROKEN: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_COLUMNS: Final = tuple(field.name for field in fields(Item))
_TABLE: Final = """
CREATE TABLE items (
    kind TEXT NOT NULL CHECK (kind IN ('timer', 'alarm', 'command')),
    due_at REAL,
    created_at REAL NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'paused', 'ringing', 'running')),
    name TEXT NOT NULL,
    command TEXT NOT NULL,
    satellite TEXT,
    area_id TEXT,
    language TEXT NOT NULL,
    duration_s REAL NOT NULL,
    remaining_s REAL NOT NULL,
    elapsed INTEGER NOT NULL,
    every TEXT NOT NULL,
    minute INTEGER,
    sun TEXT CHECK (sun IN ('sunrise', 'sunset')),
    offset_s REAL NOT NULL,
    rang INTEGER NOT NULL,
    rings_since REAL
)
"""
T = TypeVar("T")


class StoreFullError(HearthError):
    """There are as many items as there may be."""

    code = "input"


class StoreBrokenError(HearthError):
    """The file was found broken, or cannot be written; what was asked for has not been kept."""

    code = "input"


def default_file() -> Path:
    """Return where the file is if the configuration does not say."""
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "hearth" / "schedule.db"


class Store:
    """The open file. Its methods may be called from any thread, one after the other.

    Args:
        path: the file; its folder is made if need be.
        max_items: how many items there may be.
        alone: whether to keep a second server from the same file.

    Raises:
        ConfigError: the file cannot be used: no right to, a later version's, another program's, another server's.
    """

    def __init__(self, path: Path, max_items: int = 100, *, alone: bool = False) -> None:
        self.path = path
        self.max_items = max_items
        self._lock = threading.RLock()
        self._guard: IO[str] | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if alone:
                self._guard = _guard(path)
            self._connection = self._open()
        except OSError as error:
            self._release()
            raise ConfigError(f"{path}: cannot be used: {error.strerror}", remedy="Set schedule.file") from error
        except HearthError:
            self._release()
            raise

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
            self._release()

    def items(self, *kinds: Kind) -> tuple[Item, ...]:
        """Return the items of these kinds, all if none is named, what comes first in front."""
        found = self._do(lambda c: c.execute("SELECT * FROM items ORDER BY due_at IS NULL, due_at, id").fetchall())
        items = tuple(item for row in found if (item := _item(row)) is not None)
        return tuple(item for item in items if not kinds or item.kind in kinds)

    def get(self, item_id: int) -> Item | None:
        """Return an item, None if it is no longer there."""
        row = self._do(lambda c: c.execute("SELECT * FROM items WHERE id = ?", (item_id,)).fetchone())
        return _item(row) if row else None

    def due(self, at: float) -> tuple[Item, ...]:
        """Return the items that are due at a moment, in seconds since 1970 UTC, the oldest first."""
        return tuple(item for item in self.items() if item.due_at is not None and item.due_at <= at)

    def add(self, item: Item) -> Item:
        """Keep an item, and return it with its id. It is on the disk when this returns.

        Raises:
            StoreFullError: there are too many.
            StoreBrokenError: it could not be written.
        """
        names = [name for name in _COLUMNS if name != "id"]
        marks = ", ".join("?" * len(names))

        def write(connection: sqlite3.Connection) -> int:
            (count,) = connection.execute("SELECT count(*) FROM items").fetchone()
            if count >= self.max_items:
                raise StoreFullError(f"{count} timers, alarms and commands are set", remedy="Cancel one")
            cursor = connection.execute(
                f"INSERT INTO items ({', '.join(names)}) VALUES ({marks})",  # noqa: S608 - our own names
                [_cell(getattr(item, name)) for name in names],
            )
            return int(cursor.lastrowid or 0)

        return replace(item, id=self._do(write))

    def update(self, item: Item) -> bool:
        """Write an item anew; return whether it was still there."""
        names = [name for name in _COLUMNS if name != "id"]
        values = [_cell(getattr(item, name)) for name in names]
        text = f"UPDATE items SET {', '.join(f'{name} = ?' for name in names)} WHERE id = ?"  # noqa: S608
        return self._do(lambda c: c.execute(text, [*values, item.id]).rowcount) > 0

    def remove(self, item_id: int) -> bool:
        """Forget an item; return whether it was there."""
        return self._do(lambda c: c.execute("DELETE FROM items WHERE id = ?", (item_id,)).rowcount) > 0

    def shift(self, item_ids: Iterable[int], seconds: float) -> None:
        """Move what counts elapsed time among these items, because the clock was set by so many seconds."""
        text = "UPDATE items SET due_at = due_at + ? WHERE id = ? AND elapsed AND due_at IS NOT NULL"
        rows = [(seconds, item_id) for item_id in item_ids]
        self._do(lambda c: c.executemany(text, rows))

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            try:
                with _transaction(self._connection):
                    return work(self._connection)
            except sqlite3.Error as error:
                if _code(error) in _BROKEN:
                    self._connection.close()
                    self._connection = self._open()
                raise StoreBrokenError(f"{self.path}: {error}", remedy="Say it again") from error

    def _open(self) -> sqlite3.Connection:
        for attempt in (1, 2):
            try:
                return self._opened()
            except sqlite3.Error as error:
                if _code(error) not in _BROKEN or attempt == 2:
                    remedy = "See that it can be written, or set schedule.file"
                    raise ConfigError(f"{self.path}: cannot be opened: {error}", remedy=remedy) from error
                log.error("%s is broken (%s): it is kept as %s, and a new one is begun: what was set is lost",
                          self.path, error, _set_aside(self.path))  # fmt: skip
        raise AssertionError("unreachable")

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version > VERSION and application == _APPLICATION_ID:
            remedy = "Update Hearth, or set schedule.file to another file"
            raise ConfigError(f"{self.path} was written by a later Hearth (version {version})", remedy=remedy)
        if tables and application != _APPLICATION_ID:
            raise ConfigError(f"{self.path} is another program's", remedy="Set schedule.file to another file")
        if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise _broken("its pages do not fit together")
        connection.execute("PRAGMA journal_mode = WAL")
        # A commit is on the disk when it returns; with NORMAL the last ones are lost with the power.
        connection.execute("PRAGMA synchronous = FULL")
        if not tables:
            with _transaction(connection):
                connection.execute(_TABLE)
                connection.execute(f"PRAGMA user_version = {VERSION}")
                connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            return
        columns = tuple(row[1] for row in connection.execute("PRAGMA table_info(items)"))
        if columns != _COLUMNS:
            raise _broken("its table is not the one that belongs there")

    def _release(self) -> None:
        if self._guard is not None:
            self._guard.close()
            self._guard = None


def _guard(path: Path) -> IO[str]:
    guard = path.with_name(f"{path.name}.lock").open("w")
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        guard.close()
        remedy = "Stop it, or set schedule.file to another file"
        raise ConfigError(f"{path} is in use by another server", remedy=remedy) from error
    return guard


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest says where, not what


def _broken(why: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(why)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _set_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}.broken-{time.strftime('%Y%m%d-%H%M%S')}")
    number = 0
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.broken-{time.strftime('%Y%m%d-%H%M%S')}-{number}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


def _cell(value: Any) -> Any:
    return ",".join(map(str, value)) if isinstance(value, tuple) else int(value) if isinstance(value, bool) else value


def _item(row: tuple[Any, ...]) -> Item | None:
    cells = dict(zip(_COLUMNS, row, strict=True))
    try:
        every = tuple(int(day) for day in cells["every"].split(",") if day)
        if not all(0 <= day <= 6 for day in every):
            raise ValueError(f"no days of the week: {cells['every']!r}")
    except ValueError as error:
        log.error("item %s of the schedule is left out: %s", cells["id"], error)
        return None
    changed = {"every": every, "kind": Kind(cells["kind"]), "state": State(cells["state"])}
    return Item(**{**cells, **changed, "elapsed": bool(cells["elapsed"])})
