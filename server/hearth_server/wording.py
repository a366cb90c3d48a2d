"""What Hearth asks, and one answer of several: the texts are in `talk/<lang>.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

import yaml

from hearth_core.command import IntentMatch, Response, ResponseKind
from hearth_core.home import Home

from .templates import render

# More names than that are not read out in a question.
MAX_NAMES = 4
_GOOD = (ResponseKind.DONE, ResponseKind.ANSWER)


class Wording:
    """The texts of one language, in English where nobody has translated them."""

    def __init__(self, language: str) -> None:
        self._texts = _texts(language)

    def text(self, key: str, **values: Any) -> str:
        """Return one text."""
        return render(self._texts[key], values)

    def confirm(self, services: Sequence[str], things: Sequence[str], text: str) -> str:
        """Return the question whether to do it.

        Args:
            services: what would be done.
            things: names of what it would be done to.
            text: the words of the command.
        """
        known: Mapping[str, str] = self._texts["confirm"]
        template = known["default"]
        if len(set(services)) == 1 and 0 < len(things) <= MAX_NAMES:
            template = known.get(services[0], template)
        return render(template, {"names": self.text("names", things=list(things)), "text": text.rstrip(" ?.!")})

    def which(self, labels: Sequence[str]) -> str:
        """Return the question which of these is meant."""
        if len(labels) > MAX_NAMES or len(set(labels)) < len(labels):
            return self.text("which_many")
        return self.text("which", options=self.text("options", things=list(labels)))

    def several(self, responses: Iterable[Response], question: str | None = None) -> Response:
        """Return one response of those to several commands, and of the question that is open, if one is."""
        told = tuple(dict.fromkeys(responses))
        kind = _kind(told, question is not None)
        if len(told) == 1 and question is None:
            return told[0]
        good = [each.text.rstrip(" .") for each in told if each.kind in _GOOD and each.text]
        bad = [each.text.rstrip(" .") for each in told if each.kind not in _GOOD and each.text]
        first = self.text("several", good=good, bad=bad) if good or bad else ""
        if question is None:
            return Response(first, kind)
        return Response(self.text("then", first=first, question=question) if first else question, kind)

    def label(self, match: IntentMatch, home: Home, *, with_area: bool = False) -> str:
        """Return what to call the thing, or else the place, that a reading is about."""
        entity = home.entities.get(str(match.value("name")))
        area = home.areas.get(str(match.value("area"))) or (home.area_of(entity.entity_id) if entity else None)
        if entity is not None:
            return self.text("in_area", name=entity.name, area=area.name) if with_area and area else entity.name
        floor = home.floors.get(str(match.value("floor")))
        place = area or floor
        return place.name if place else match.text


def _kind(told: Sequence[Response], asks: bool) -> ResponseKind:
    if asks:
        return ResponseKind.QUESTION
    kinds = {each.kind for each in told}
    if kinds == {ResponseKind.NOT_UNDERSTOOD} or not kinds:
        return ResponseKind.NOT_UNDERSTOOD
    if kinds - set(_GOOD):
        return ResponseKind.FAILED
    return ResponseKind.DONE if ResponseKind.DONE in kinds else ResponseKind.ANSWER


@cache
def _texts(language: str) -> Mapping[str, Any]:
    folder = resources.files(__package__) / "talk"
    english: dict[str, Any] = yaml.safe_load((folder / "en.yaml").read_text(encoding="utf-8"))
    for code in (language, language.partition("-")[0]):
        file = folder / f"{code}.yaml"
        if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z]{2,4})?", code) and file.is_file():
            return MappingProxyType({**english, **yaml.safe_load(file.read_text(encoding="utf-8"))})
    return MappingProxyType(english)
