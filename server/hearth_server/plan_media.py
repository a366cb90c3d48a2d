"""Playing, skipping, and how loud."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hearth_core.command import Context, IntentMatch
from hearth_core.home import Home

from .plan_service import Service, always, number, number_data, wanted
from .planned import Handler, Plan, done, grouped, refused
from .targets import Refusal, select

# How much "turn the volume up" is, as Home Assistant's media players step by default.
VOLUME_STEP = 10

_SOUNDING = ("on", "playing", "paused", "idle", "buffering")


def _volume_relative(match: IntentMatch, home: Home, context: Context) -> Plan:
    step: Any = match.value("volume_step")
    if step in ("up", "down"):
        step = VOLUME_STEP if step == "up" else -VOLUME_STEP
    elif isinstance(found := number(match, "volume_step", -100, 100), Refusal):
        return refused(match, found)
    else:
        step = found
    targets = select(match, home, context, wanted("media_player", "volume", *_SOUNDING))
    if isinstance(targets, Refusal):
        return refused(match, targets)
    levels = {}
    for entity in targets:
        level = float(entity.state.attributes.get("volume_level") or 0) + step / 100
        levels[entity.entity_id] = round(min(1.0, max(0.0, level)), 2)
    return done(match, grouped("media_player.volume_set", "volume_level", levels))


def _mute(muted: bool) -> Handler:
    return Service(
        "media_player.volume_mute", wanted("media_player", "mute", *_SOUNDING), lambda _: {"is_volume_muted": muted}
    )


def _skip(service: str, capability: str) -> Handler:
    return Service(service, wanted("media_player", capability, "playing", "paused"))


HANDLERS: Mapping[str, Handler] = {
    "HassMediaPause": Service(
        "media_player.media_pause", wanted("media_player", "pause", "playing"), expected=always("paused")
    ),
    "HassMediaUnpause": Service(
        "media_player.media_play", wanted("media_player", "pause", "paused", "idle", "on"), expected=always("playing")
    ),
    "HassMediaNext": _skip("media_player.media_next_track", "next"),
    "HassMediaPrevious": _skip("media_player.media_previous_track", "previous"),
    "HassMediaPlayerMute": _mute(True),
    "HassMediaPlayerUnmute": _mute(False),
    "HassSetVolume": Service(
        "media_player.volume_set",
        wanted("media_player", "volume", *_SOUNDING),
        number_data("volume_level", "volume_level", 0, 100, 0.01),
    ),
    "HassSetVolumeRelative": _volume_relative,
}
