"""What a satellite and the server say to each other about who may chime, in words that plain satellites do not use.

A Hearth satellite puts into the context of its `detection`:

    awaits_claim: true           it waits a moment for `hearth-claim` before it chimes
    wake_score                   how sure the wake word was, 0 to 1
    level_dbfs, noise_dbfs       the wake word's level and the room's before it, as `hearth_core.loudness` measures

and is answered at once `hearth-claim` with `{"command_id": …, "granted": true}` if it was the first, false if not. A
satellite that does not ask gets no answer: it chimes as it likes, and only its answer is subject to the choice.
"""

from __future__ import annotations

import math
from typing import Any

from wyoming.event import Event

from .hearing import Hearing, WakeFacts
from .latency import Latency

CLAIM = "hearth-claim"


def wake_facts(event: Event, latency: Latency) -> WakeFacts:
    """Return what a detection, or a pipeline without one, says; what is no number within its range says nothing."""
    context = event.data.get("context")
    said: dict[str, Any] = context if isinstance(context, dict) else {}
    return WakeFacts(
        score=_number(said.get("wake_score"), 0.0, 1.0),
        noise_dbfs=_number(said.get("noise_dbfs"), -120.0, 0.0),
        delay_s=latency.delay_s,
        uncertain_s=latency.jitter_s,
    )


def claim(event: Event, hearing: Hearing) -> Event | None:
    """Return the answer to a detection, None if it does not ask for one."""
    context = event.data.get("context")
    if not isinstance(context, dict) or context.get("awaits_claim") is not True:
        return None
    return Event(CLAIM, {"command_id": hearing.context.command_id, "granted": hearing.granted})


def _number(value: object, least: float, most: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value) if least <= value <= most else None
