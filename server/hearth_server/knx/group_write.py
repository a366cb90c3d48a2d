"""A value for a group address that belongs to no entity: from an author's words to a telegram."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xknx.dpt.dpt import DPTBase
from xknx.exceptions import XKNXException

from hearth_core.config_knx import group_address
from hearth_core.errors import BusError

from .link import GroupTelegram

# What people write for a bit; a recogniser's slot has the words.
_BITS: Mapping[str, bool] = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}


def telegram(data: Mapping[str, Any]) -> GroupTelegram:
    """Return the telegram that writes `{address, dpt, value}`.

    Raises:
        BusError: the DPT is not known, or the value is not one of it.
    """
    raw = group_address(str(data["address"]))
    address = f"{raw >> 11}/{raw >> 8 & 7}/{raw & 255}"
    dpt, value = str(data["dpt"]), data["value"]
    transcoder = DPTBase.parse_transcoder(dpt)
    if transcoder is None:
        raise BusError(f"DPT {dpt} is not known", remedy="Write e.g. 9.001 or temperature")
    if transcoder.dpt_main_number == 1:
        bit = _BITS.get(str(value).strip().lower())
        value = value if bit is None else bit
    try:
        return GroupTelegram(address, transcoder.to_knx(value))
    except (XKNXException, ValueError, TypeError, AttributeError) as error:
        raise BusError(f"{value!r} is not a value of DPT {dpt}") from error


def known_dpt(dpt: str) -> bool:
    """Return whether values of a datapoint type can be written."""
    return DPTBase.parse_transcoder(dpt) is not None
