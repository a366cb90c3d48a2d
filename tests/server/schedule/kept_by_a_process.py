"""Run as a process that is killed in the middle: adds timers for ever, and prints each number when it is kept."""

from __future__ import annotations

import sys
from pathlib import Path

from hearth_server.schedule.item import Item, Kind
from hearth_server.schedule.store import Store


def main() -> None:
    store = Store(Path(sys.argv[1]), max_items=100_000, alone=True)
    count = 0
    while True:
        count += 1
        item = store.add(Item(Kind.TIMER, float(count), 0.0, name=f"timer {count}"))
        if count % 3 == 0:
            store.remove(item.id)
            print(f"removed {item.id}", flush=True)
        else:
            print(f"kept {item.id}", flush=True)


if __name__ == "__main__":
    main()
