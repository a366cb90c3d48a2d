"""What the speaker is told, from the response templates of home-assistant-intents, of authors, and of Hearth."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Protocol

import yaml

from hearth_core.command import Context, IntentMatch, Outcome, OutcomeStatus, Response, ResponseKind
from hearth_core.errors import SentenceError
from hearth_core.home import Area, Entity, Floor, Home, Label

from .bus import written_to
from .plan import Plan
from .spoken_state import SpokenState
from .templates import render

log = logging.getLogger(__name__)


class Texts(Protocol):
    """What a phrasebook is made of: the sentences of one language, of the data and of authors together."""

    @property
    def language(self) -> str:
        """Code, e.g. "en"."""

    @property
    def responses(self) -> Mapping[str, Mapping[str, str]]:
        """Templates of the answers, by intent and key."""

    @property
    def errors(self) -> Mapping[str, str]:
        """Templates of the refusals, by key."""


# More devices than that are not told one by one.
MAX_NAMES = 3
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{2,4})?")
_TROUBLES = (
    OutcomeStatus.UNREACHABLE,
    OutcomeStatus.FAILED,
    OutcomeStatus.UNCONFIRMED,
    OutcomeStatus.UNCONFIGURED,
)


class Phrasebook:
    """The texts of one language.

    Args:
        texts: response templates; Hearth's own fill in what they lack.
    """

    def __init__(self, texts: Texts) -> None:
        ours = _phrases(texts.language)
        self.language = texts.language
        self._intents: dict[str, Mapping[str, str]] = dict(texts.responses)
        for intent, templates in ours["intents"].items():
            self._intents[intent] = {**self._intents.get(intent, {}), **templates}
        self._errors: Mapping[str, str] = {**ours["errors"], **texts.errors}
        self._phrases: Mapping[str, str] = ours["phrases"]
        self._states: Mapping[str, str] = ours.get("states", {})
        self._buses: Mapping[str, str] = ours.get("buses", {})

    def not_understood(self) -> Response:
        """Return what is said when no sentence matched."""
        return Response(self._error("no_intent", {}), ResponseKind.NOT_UNDERSTOOD)

    def failure(self) -> Response:
        """Return what is said when something broke on the way."""
        return Response(self._error("handle_error", {}), ResponseKind.FAILED)

    def too_long(self, seconds: float) -> Response:
        """Return what is said when speech did not end within so many seconds."""
        return Response(self._error("too_long", {"seconds": f"{seconds:g}"}), ResponseKind.NOT_UNDERSTOOD)

    def respond(self, plan: Plan, outcomes: Iterable[Outcome], home_after: Home, context: Context) -> Response:
        """Return what is said about a plan carried out; never raises for a template that fails.

        Args:
            plan: what the sentence came to.
            outcomes: what became of the plan's actions; only what is DONE is told as done.
            home_after: the house after the actions.
            context: where it was spoken.
        """
        if plan.refusal is not None:
            return Response(self._error(plan.refusal.key, plan.refusal.values), plan.kind)
        by_status: dict[OutcomeStatus, dict[str, None]] = {}
        for outcome in outcomes:
            by_status.setdefault(outcome.status, {})[outcome.entity_id] = None
        troubles = {status: list(by_status[status]) for status in _TROUBLES if status in by_status}
        if not plan.actions:
            return Response(self._said(plan, plan.matched, home_after), plan.kind)
        if not troubles:
            return Response(self._said(plan, plan.matched, home_after), plan.kind)
        done = tuple(by_status.get(OutcomeStatus.DONE, ()))
        first = self._said(plan, done, home_after) if done else None
        if first is None and OutcomeStatus.UNCONFIRMED in troubles:
            first = self._phrases["sent"]
        return Response(self._trouble(first, troubles, home_after), ResponseKind.FAILED)

    def _trouble(self, first: str | None, troubles: Mapping[OutcomeStatus, Sequence[str]], home: Home) -> str:
        rest = ""
        for status, entity_ids in troubles.items():
            names = list(dict.fromkeys(self._name(entity_id, home) for entity_id in entity_ids))
            more = len(names) - MAX_NAMES if len(names) > MAX_NAMES else 0
            shown = render(self._phrases["names"], {"names": names[:MAX_NAMES], "more": more})
            clause = render(self._phrases[status.value], {"names": shown})
            rest = render(self._phrases["and"], {"first": rest, "rest": clause}) if rest else clause
        text = render(self._phrases["but"], {"first": first, "rest": rest}) if first else rest
        return text[:1].upper() + text[1:]

    def _name(self, entity_id: str, home: Home) -> str:
        """Return what an entity is called, or the bus that was written to."""
        if entity_id in home.entities:
            return home.entities[entity_id].name
        return self._buses.get(written_to(entity_id) or "", entity_id)

    def _said(self, plan: Plan, matched: Sequence[str], home: Home) -> str:
        """Return the text of the intent's response, with the states of these entities."""
        match = plan.match
        templates = self._intents.get(match.intent, {})
        template = templates.get(match.response or "default", templates.get("default"))
        if template is None:
            return self._phrases["done"]
        matched_states, unmatched_states = self._spoken(matched, home), self._spoken(plan.unmatched, home)
        slots = {**_slot_texts(match, home), **plan.slots}
        variables = {
            **slots,
            "slots": slots,
            "state": next(iter((*matched_states, *unmatched_states)), None),
            "query": {"matched": matched_states, "unmatched": unmatched_states},
            **_state_functions(home),
        }
        try:
            return render(template, variables)
        except SentenceError as error:
            # What was done is done, whatever its sentence's template is like.
            log.error("intent %s: %s", match.intent, error)
            done = plan.kind is ResponseKind.DONE
            return self._phrases["done"] if done else self._error("handle_error", {})

    def _error(self, key: str, values: Mapping[str, str]) -> str:
        template = self._errors.get(key, self._errors.get("handle_error", ""))
        try:
            return render(template, values)
        except SentenceError as error:
            log.error("error text %s: %s", key, error)
            return self._errors.get("handle_error", "")

    def _spoken(self, entity_ids: Iterable[str], home: Home) -> tuple[SpokenState, ...]:
        return tuple(SpokenState.of(home.entities[i], self._states) for i in entity_ids if i in home.entities)


def _slot_texts(match: IntentMatch, home: Home) -> dict[str, Any]:
    """Return the slots as they were said; those that nobody said (from data or context), by name or value."""
    named: Mapping[str, Mapping[str, Entity | Area | Floor | Label]]
    labels = {label.value: label for label in home.labels.values()}
    named = {"name": {**labels, **home.entities}, "area": home.areas, "floor": home.floors}
    texts: dict[str, Any] = {}
    for name, slot in match.slots.items():
        known = named[name].get(str(slot.value)) if name in named else None
        texts[name] = slot.text or (slot.value if known is None else known.name)
    return texts


def _state_functions(home: Home) -> dict[str, Callable[..., Any]]:
    """Return the functions of Home Assistant's templates that ask for a state."""

    def states(entity_id: str) -> str:
        entity = home.entities.get(entity_id)
        return "unknown" if entity is None else entity.state.value

    def state_attr(entity_id: str, name: str) -> Any:
        entity = home.entities.get(entity_id)
        return None if entity is None else entity.state.attributes.get(name)

    def is_state(entity_id: str, state: str) -> bool:
        return states(entity_id) == state

    return {"states": states, "state_attr": state_attr, "is_state": is_state}


@cache
def _phrases(language: str) -> Mapping[str, Any]:
    """Return Hearth's own texts in the language, in English where nobody has translated them yet."""
    english = _file("en")
    if language == "en":
        return MappingProxyType(english)
    own = _file(language) if _LANGUAGE.fullmatch(language) else {}
    if not own:
        log.warning("no phrases of Hearth's own in %s: they are said in English", language)
        return MappingProxyType(english)
    # Words for states are a language's own matter: English ones would stand out in its sentences.
    texts = {part: {**each, **own.get(part, {})} for part, each in english.items() if part != "states"}
    return MappingProxyType({**texts, "states": own.get("states", {})})


def _file(language: str) -> dict[str, Any]:
    file = resources.files(__package__) / "phrases" / f"{language}.yaml"
    return dict(yaml.safe_load(file.read_text(encoding="utf-8"))) if file.is_file() else {}
