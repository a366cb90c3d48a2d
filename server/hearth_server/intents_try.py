"""`hearth intents try`: what a text means and what would be done, or is."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from hearth_core.command import Action, Clause, Context, Hypothesis, IntentMatch, Outcome, Transcription
from hearth_core.config import Config
from hearth_core.home import Home
from hearth_intents.near import near

from .execute import execute
from .intents_cli import echo_json
from .plan import Plan, plan
from .sentence_tests import respond
from .workbench import Wanted, Workbench, workbench


@dataclass(frozen=True, slots=True)
class Trial:
    """What one clause of a text comes to.

    Attributes:
        clause: its words and readings.
        plan: what is to be done, None if it is not understood.
        buses: the bus of each entity or place of the plan, empty where there is none.
        response: what is or would be answered.
        outcomes: what became of it; nothing if it was not done.
    """

    clause: Clause
    plan: Plan | None
    buses: Mapping[str, str]
    response: str
    outcomes: tuple[Outcome, ...] = ()

    @property
    def fine(self) -> bool:
        """Whether it is understood and can be done."""
        return (
            self.plan is not None and self.plan.refusal is None and not any(o.status != "done" for o in self.outcomes)
        )


async def try_text(config: Config, wanted: Wanted, text: str, area: str, *, really: bool, as_json: bool) -> int:
    """Print what a text, or each that is asked for, comes to; return the exit code."""
    async with workbench(config, wanted) as bench:
        context = bench.context(area)
        for problem in bench.sentences.problems:
            click.echo(f"left out: {problem}", err=True)
        if text:
            return await _one(bench, text, context, really=really, as_json=as_json)
        if not sys.stdin.isatty():
            codes = [await _one(bench, line, context, really=really, as_json=as_json) for line in _lines()]
            return max(codes, default=0)
        await _prompt(bench, context, really=really, as_json=as_json)
    return 0


def _lines() -> list[str]:
    return [line.strip() for line in sys.stdin if line.strip()]


async def _prompt(bench: Workbench, context: Context, *, really: bool, as_json: bool) -> None:
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - arrows and history, by being there

    click.echo(f"{len(bench.home.entities)} things; say something, Ctrl-D ends it", err=True)
    while True:
        try:
            text = (await asyncio.to_thread(input, "> ")).strip()
        except EOFError:
            click.echo()
            return
        if text:
            await _one(bench, text, context, really=really, as_json=as_json)


async def _one(bench: Workbench, text: str, context: Context, *, really: bool, as_json: bool) -> int:
    home = bench.house.home
    understood = bench.matcher.understand(Transcription((Hypothesis(text),), engine="text"), context)
    trials = [
        await _trial(bench, clause, home, context, really=really) for clause in understood.clauses or (Clause(text),)
    ]
    if as_json:
        echo_json([_facts(trial) for trial in trials])
    else:
        for trial in trials:
            show(trial, bench)
    return 0 if all(trial.fine for trial in trials) else 1


async def _trial(bench: Workbench, clause: Clause, home: Home, context: Context, *, really: bool) -> Trial:
    if not clause.matches:
        return Trial(clause, None, {}, bench.phrasebook.not_understood().text)
    planned = plan(clause.matches, home, context)
    buses = {
        place: route.bus.name if route.bus else ""
        for action in planned.actions
        for route in bench.house.route(action)
        for place in route.action.entity_ids
    }
    if not really or clause.when is not None:  # what is put off is for the server, which is still there then
        return Trial(clause, planned, buses, respond(planned, home, bench.phrasebook, context))
    outcomes = await execute(planned, bench.house, bench.config.server.action_timeout_s)
    response = bench.phrasebook.respond(planned, outcomes, bench.house.home, context).text
    return Trial(clause, planned, buses, response, outcomes)


def show(trial: Trial, bench: Workbench) -> None:
    """Print a trial for people."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]{escape(trial.clause.text)}[/]")
    if trial.plan is None:
        console.print("  [red]not understood[/]")
        for each in near(bench.templates, trial.clause.text, 3):
            console.print(f"  [dim]near:[/] {escape(each.said)}  [dim]{each.intent}, {each.score:.0%}[/]")
    else:
        _show_match(console, trial.plan.match, "intent")
        for rival in trial.clause.rivals:
            _show_match(console, rival, "or")
        if trial.clause.when is not None:
            console.print(f"  when    {escape(trial.clause.when.text)}  [dim]{trial.clause.when.at or ''}[/]")
        for action in trial.plan.actions:
            _show_action(console, action, trial.buses)
        if trial.plan.refusal is not None:
            console.print(f"  [red]refused[/] {trial.plan.refusal.key} {dict(trial.plan.refusal.values) or ''}")
    for outcome in trial.outcomes:
        console.print(f"  {outcome.status:7} {escape(outcome.entity_id)}  [dim]{escape(outcome.detail)}[/]")
    console.print(f"  answer  [green]{escape(trial.response)}[/]")


def _show_match(console: Console, match: IntentMatch, word: str) -> None:
    slots = ", ".join(f"{name} = {slot.value}" for name, slot in match.slots.items())
    console.print(f"  {word:7} [cyan]{match.intent}[/]  {escape(slots)}  [dim]score {match.score:.2f}[/]")


def _show_action(console: Console, action: Action, buses: Mapping[str, str]) -> None:
    places = ", ".join(f"{place} [dim]({buses.get(place) or 'no bus'})[/]" for place in map(escape, action.entity_ids))
    data = f"  {escape(str(dict(action.data)))}" if action.data else ""
    console.print(f"  do      {action.service}  {places}{data}")


def _facts(trial: Trial) -> dict[str, Any]:
    return {
        "text": trial.clause.text,
        "understood": trial.plan is not None,
        "matches": [_match_facts(match) for match in trial.clause.matches],
        "rivals": [_match_facts(match) for match in trial.clause.rivals],
        "when": trial.clause.when.text if trial.clause.when else None,
        "actions": [
            {
                "service": action.service,
                "entity_ids": list(action.entity_ids),
                "data": dict(action.data),
                "buses": {place: trial.buses.get(place, "") for place in action.entity_ids},
            }
            for action in (trial.plan.actions if trial.plan else ())
        ],
        "refusal": trial.plan.refusal.key if trial.plan and trial.plan.refusal else None,
        "outcomes": [{"id": o.entity_id, "status": o.status, "detail": o.detail} for o in trial.outcomes],
        "response": trial.response,
    }


def _match_facts(match: IntentMatch) -> dict[str, Any]:
    slots = {name: {"value": slot.value, "text": slot.text} for name, slot in match.slots.items()}
    return {"intent": match.intent, "slots": slots, "score": round(match.score, 3), "action": match.action}
