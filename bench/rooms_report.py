"""The figures of `bench/rooms.py`: whose room answered, beside the first that heard and the loudest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from .rooms_acoustics import House
from .rooms_cases import Case

_WARM_AFTER: Final = 6  # commands, after which a house counts as known
_NEARER_DB: Final = 6.0
_NEARER: Final = f"nearer by {_NEARER_DB:g} dB"
_NEARER_RIGHT: Final = 0.98
_ENOUGH: Final = 500  # cases: with fewer, one is too much of a percent


def report(cases: Sequence[Case], rooms: Sequence[House]) -> dict[str, Any]:
    """Return the figures."""

    def rate(chosen: Sequence[tuple[Case, House]], who: str) -> float | None:
        right = 0
        for case, house in chosen:
            index = case.answers[0][0] if who == "hearth" and case.answers else getattr(case, who, None)
            right += index is not None and house.satellites[index].room in case.right_rooms.values()
        return round(right / len(chosen), 4) if chosen else None

    single = [(c, h) for c, h in zip(cases, rooms, strict=True) if not c.two_people and c.heard]
    woke = [(c, h) for c, h in single if _right_room_woke(c, h)]
    several = [(c, h) for c, h in woke if len(c.heard) > 1]
    nearer = [(c, h) for c, h in several if (c.lead_db or 0.0) >= _NEARER_DB and _nearest_is_right(c, h)]
    groups = {
        "the right room woke": woke,
        "several woke": several,
        _NEARER: nearer,
        "less than that": [pair for pair in several if pair not in nearer],
        "2 satellites": [(c, h) for c, h in several if c.satellites == 2],
        "3 satellites": [(c, h) for c, h in several if c.satellites == 3],
        "4 satellites": [(c, h) for c, h in several if c.satellites == 4],
        f"first {_WARM_AFTER} in a house": [(c, h) for c, h in several if c.number < _WARM_AFTER],
        "later ones": [(c, h) for c, h in several if c.number >= _WARM_AFTER],
        "noise beside one": [(c, h) for c, h in several if any(s.noise for s in h.satellites)],
    }
    two = [c for c in cases if c.two_people]
    both_woke = [c for c in two if {h.says for h in c.heard} == set(c.right_rooms)]
    return {
        "cases": len(cases),
        "nobody woke": sum(not c.heard for c in cases),
        "right room did not wake": len(single) - len(woke),
        "rates": {
            name: {"cases": len(g), **{who: rate(g, who) for who in ("hearth", "first", "loudest")}}
            for name, g in groups.items()
        },
        "double actions": sum(_doubled(c) for c in cases),
        "stuck": sum(c.stuck for c in cases),
        "without answer": sum(not c.answers for c in cases if c.heard),
        "two people": {
            "cases": len(two),
            "both heard somewhere": len(both_woke),
            "both answered": sum(len({t for _, t in c.answers}) > 1 for c in both_woke),
            "more than two answers": sum(len(c.answers) > 2 for c in two),
            "one of them twice": sum(_doubled(c) for c in two),
        },
        "recognitions per command": round(
            sum(c.recognised for c in cases) / max(1, sum(bool(c.heard) for c in cases)), 2
        ),
        "satellites per command": round(
            sum(len(c.heard) for c in cases) / max(1, sum(bool(c.heard) for c in cases)), 2
        ),
    }


def _right_room_woke(case: Case, house: House) -> bool:
    return any(house.satellites[h.satellite].room in case.right_rooms.values() for h in case.heard)


def _nearest_is_right(case: Case, house: House) -> bool:
    return case.nearest is not None and house.satellites[case.nearest].room in case.right_rooms.values()


def _doubled(case: Case) -> bool:
    """Return whether one person's command was answered more than once."""
    texts = [text.removeprefix("not ") for _, text in case.answers]
    return len(texts) > len(case.right_rooms) or len(set(texts)) < len(texts)


def missed(result: dict[str, Any]) -> list[str]:
    """Return what a report, as `report` makes it, is below of what the rooms are to reach; nothing if all is well."""
    nearer = result["rates"][_NEARER]
    goals = {
        f"{result['cases']} cases are fewer than {_ENOUGH}": result["cases"] >= _ENOUGH,
        f"right room where it was {_NEARER}: {nearer['hearth']} of {nearer['cases']}, not {_NEARER_RIGHT}": (
            nearer["hearth"] is not None and nearer["hearth"] >= _NEARER_RIGHT
        ),
        f"{result['double actions']} commands were done twice": result["double actions"] == 0,
        f"{result['stuck']} satellites were left waiting": result["stuck"] == 0,
    }
    return [words for words, reached in goals.items() if not reached]
