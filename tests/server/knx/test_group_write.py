"""Values for group addresses of no entity."""

from __future__ import annotations

from typing import Any

import pytest
from xknx.dpt.payload import DPTArray, DPTBinary

from hearth_core.command import Action, OutcomeStatus
from hearth_core.config_knx import KnxConnection
from hearth_core.errors import BusError
from hearth_server.bus import Writes
from hearth_server.knx.group_write import known_dpt, telegram
from tests.real.knx_actuators import Actuators

from .house import running


@pytest.mark.parametrize(
    ("dpt", "value", "payload"),
    [
        ("1.001", True, DPTBinary(1)),
        ("1.001", "off", DPTBinary(0)),
        ("1.001", 1, DPTBinary(1)),
        ("1.008", "On", DPTBinary(1)),
        ("5.001", 100, DPTArray(255)),
        ("9.001", 21.5, DPTArray((0x0C, 0x33))),
        ("temperature", "21.5", DPTArray((0x0C, 0x33))),
        ("16.000", "hi", DPTArray((0x68, 0x69, *(0,) * 12))),
    ],
)
def test_value_becomes_a_telegram(dpt: str, value: Any, payload: DPTArray | DPTBinary) -> None:
    found = telegram({"address": "2563", "dpt": dpt, "value": value})
    assert (found.address, found.payload) == ("1/2/3", payload)


@pytest.mark.parametrize(
    ("dpt", "value"),
    [("nonsense", 1), ("999.999", 1), ("5.001", "loud"), ("9.001", [1]), ("1.001", "maybe"), ("5.001", 4000)],
)
def test_what_is_no_value_is_an_error(dpt: str, value: Any) -> None:
    with pytest.raises(BusError):
        telegram({"address": "1/2/3", "dpt": dpt, "value": value})
    assert known_dpt(dpt) == dpt.endswith("001")


def _action(**data: Any) -> Action:
    return Action("knx.write", ("knx:7/7/7",), {"address": "7/7/7", "dpt": "1.001", **data})


async def test_write_is_done_when_the_bus_has_taken_it(routing: KnxConnection, actuators: Actuators) -> None:
    async with running(routing) as (bus, _):
        assert isinstance(bus, Writes)
        outcome = await bus.write(_action(value=True), 3.0)
        assert outcome.status is OutcomeStatus.DONE, outcome
        assert await actuators.next() == ("7/7/7", 1)


async def test_wrong_value_is_refused_and_not_sent(routing: KnxConnection, actuators: Actuators) -> None:
    async with running(routing) as (bus, _):
        outcome = await bus.write(_action(dpt="5.001", value="loud"), 3.0)
        assert outcome.status is OutcomeStatus.FAILED
        assert "loud" in outcome.detail
        assert actuators.written.empty()
