"""Ids for the network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hearth_core.stable_id import is_loopback, stable_id


def test_an_id_stays_and_differs_by_kind_and_port() -> None:
    ids = [stable_id(kind, port) for kind in ("satellite", "server") for port in (1, 2)]
    assert ids == [stable_id(kind, port) for kind in ("satellite", "server") for port in (1, 2)]
    assert len(set(ids)) == 4
    assert all(re.fullmatch(r"hearth-[0-9a-f]{12}", one) for one in ids)


def test_the_machines_own_id_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_: "0123456789abcdef0123456789abcdef\n")
    told = stable_id("satellite", 1)
    assert told.removeprefix("hearth-") not in "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
