"""Questions and answers, follow-ups and several commands at once, in the demo home."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

import pytest
from pydantic import SecretStr

from hearth_core.command import (
    Clause,
    Context,
    EndReason,
    Hypothesis,
    IntentMatch,
    Response,
    ResponseKind,
    Slot,
    Stopwatch,
    Transcription,
    Understood,
    When,
)
from hearth_server.conversation import Conversations, QuestionKind
from hearth_server.dialogue import TalkSettings
from hearth_server.handler import answer_facts
from hearth_server.mqtt.announcement import announcements
from hearth_server.mqtt.own_topics import OwnTopics
from hearth_server.pin import PinGate
from hearth_server.pipeline import Answer, Pipeline, Progress
from hearth_server.policy import BUILTIN, Decision, Rule
from tests.fakes import silence, tone
from tests.house_fakes import FaultyHome
from tests.server.conftest import PipelineFactory, chunks

SPEECH = (silence(0.3), tone(1.0), silence(2.0))
KITCHEN = Context(area_id="kitchen", satellite="kitchen", conversation="satellite:kitchen")
PIN = "2468"
SPOKEN_PIN = "two four six eight"
PIN_ON_LOCKS = (Rule("front", Decision.PIN, services=frozenset({"lock.unlock"})), *BUILTIN)


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Scripted:
    """A matcher that understands what the test says, and else what the real one does."""

    def __init__(self, pipeline: Pipeline, understood: dict[str, Understood]) -> None:
        self._real = pipeline.understanding.matcher
        self._understood = understood

    def match(self, text: str, context: Context) -> tuple[IntentMatch, ...]:
        return self._real.match(text, context)

    def understand(self, transcription: Transcription, context: Context) -> Understood:
        return self._understood.get(transcription.text) or self._real.understand(transcription, context)


def script(pipeline: Pipeline, **sentences: Sequence[str | Clause]) -> None:
    """Let sentences (`_` for a blank) be of several clauses, each a text that is understood by itself or not at all."""
    real = pipeline.understanding.matcher
    understood = {
        text.replace("_", " "): Understood(
            tuple(c if isinstance(c, Clause) else Clause(c, real.match(c, KITCHEN)) for c in clauses)
        )
        for text, clauses in sentences.items()
    }
    pipeline.understanding = replace(pipeline.understanding, matcher=Scripted(pipeline, understood))  # type: ignore[arg-type]


@asynccontextmanager
async def talking(
    running: PipelineFactory, talk: TalkSettings | None = None, **options: object
) -> AsyncIterator[tuple[Pipeline, Clock]]:
    """Run a pipeline whose conversations go by a clock of the test's."""
    clock = Clock()
    async with running(talk=talk, **options) as pipeline:
        pipeline.dialogue._means.conversations = Conversations(30.0, 60.0, clock)
        yield pipeline, clock


async def say(pipeline: Pipeline, *texts: str, context: Context = KITCHEN) -> Answer:
    """Say these one after the other; return the last answer."""
    for text in texts:
        answer = await pipeline.answer_text(text, replace(context))
    return answer


def state(pipeline: Pipeline, entity_id: str) -> str:
    return pipeline.house.home.entities[entity_id].state.value


# -- several commands --------------------------------------------------------------------------------------------------


async def test_every_command_of_a_sentence_is_done_in_order_and_told_once(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        script(pipeline, both=["turn on the kettle", "turn on the porch light"])
        answer = await say(pipeline, "both")
        assert state(pipeline, "switch.kettle") == state(pipeline, "light.porch_light") == "on"
        assert answer.response.kind is ResponseKind.DONE
        assert [plan.match.text for plan in answer.plans] == ["turn on the kettle", "turn on the porch light"]
        assert len(answer.outcomes) == 2


async def test_of_a_sentence_half_of_which_failed_both_halves_are_told(running: PipelineFactory) -> None:
    demo = FaultyHome({"cover.blinds": "refuses"})
    async with talking(running, demo=demo) as (pipeline, _):
        script(pipeline, both=["turn on the kettle", "open the roller blind"])
        answer = await say(pipeline, "both")
        assert answer.response.kind is ResponseKind.FAILED
        assert state(pipeline, "switch.kettle") == "on"
        told = answer.response.text
        assert "but the Roller Blind did not do it" in told
        assert told.index("but") > 3, "what was done stands first"


async def test_a_clause_that_is_not_understood_is_told_and_the_others_are_done(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        script(pipeline, both=["turn on the kettle", "flumox the garple"])
        answer = await say(pipeline, "both")
        assert state(pipeline, "switch.kettle") == "on"
        assert "flumox the garple" in answer.response.text
        assert answer.response.kind is ResponseKind.FAILED


async def test_nothing_is_done_if_what_was_not_understood_may_take_it_back(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        script(pipeline, both=["turn on the kettle", "but not if it is garpled"])
        before = pipeline.house.home
        answer = await say(pipeline, "both")
        assert pipeline.house.home == before
        assert answer.response.kind is ResponseKind.NOT_UNDERSTOOD


async def test_a_recital_of_commands_is_not_done_at_all(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        script(pipeline, many=["turn on the kettle"] * 9)
        before = pipeline.house.home
        assert not (await say(pipeline, "many")).outcomes
        assert pipeline.house.home == before


async def test_of_two_dangerous_commands_each_is_asked_about(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        script(pipeline, both=["unlock the back door", "open the garage door", "turn on the kettle"])
        first = await say(pipeline, "both")
        assert (state(pipeline, "switch.kettle"), state(pipeline, "lock.back_door")) == ("on", "locked")
        assert first.response.text.endswith("Unlock the Back Door?")
        second = await say(pipeline, "yes")
        assert state(pipeline, "lock.back_door") == "unlocked"
        assert second.response.text.endswith("Open the Garage Door?")
        await say(pipeline, "no")
        assert state(pipeline, "cover.garage_door") == "closed"


# -- yes and no --------------------------------------------------------------------------------------------------------


async def test_a_door_is_unlocked_after_yes_and_only_then(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        asked = await say(pipeline, "unlock the back door")
        assert asked.response == Response("Unlock the Back Door?", ResponseKind.QUESTION)
        assert asked.question is QuestionKind.CONFIRM
        assert [str(r.decision) for r in asked.rulings] == ["confirm"]
        assert state(pipeline, "lock.back_door") == "locked"
        answer = await say(pipeline, "yes please")
        assert state(pipeline, "lock.back_door") == "unlocked"
        assert answer.response.kind is ResponseKind.DONE
        await say(pipeline, "lock the back door", "yes")
        assert state(pipeline, "lock.back_door") == "locked", "a yes answers once"


@pytest.mark.parametrize("reply", ["no", "never mind", "cancel that"])
async def test_no_means_no(running: PipelineFactory, reply: str) -> None:
    async with talking(running) as (pipeline, _):
        await say(pipeline, "unlock the back door", reply, "yes")
        assert state(pipeline, "lock.back_door") == "locked"


async def test_a_yes_after_the_time_limit_does_nothing(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, clock):
        await say(pipeline, "unlock the back door")
        clock.now += 31
        answer = await say(pipeline, "yes")
        assert answer.response.kind is ResponseKind.NOT_UNDERSTOOD
        assert state(pipeline, "lock.back_door") == "locked"


async def test_a_yes_in_another_room_does_nothing(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        await say(pipeline, "unlock the back door")
        await say(pipeline, "yes", context=Context(conversation="satellite:office"))
        assert state(pipeline, "lock.back_door") == "locked"


async def test_silence_ends_the_question(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        await say(pipeline, "unlock the back door")
        await pipeline.answer(chunks(silence(7)), KITCHEN)
        await say(pipeline, "yes")
        assert state(pipeline, "lock.back_door") == "locked"


async def test_endless_speech_ends_the_question(running: PipelineFactory) -> None:
    async with talking(running, max_s=3.0) as (pipeline, _):
        await say(pipeline, "unlock the back door")
        await pipeline.answer(chunks(tone(10)), KITCHEN)
        await say(pipeline, "yes")
        assert state(pipeline, "lock.back_door") == "locked"


async def test_what_is_no_answer_is_asked_again_once(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        again = await say(pipeline, "unlock the back door", "well the weather in spain")
        assert again.response.kind is ResponseKind.QUESTION
        assert "yes or no" in again.response.text
        dropped = await say(pipeline, "well the weather in spain")
        assert dropped.response.kind is ResponseKind.NOT_UNDERSTOOD
        await say(pipeline, "yes")
        assert state(pipeline, "lock.back_door") == "locked"


async def test_a_yes_that_the_recogniser_is_not_sure_of_is_asked_again(running: PipelineFactory) -> None:
    async with talking(running, confidence=0.3) as (pipeline, _):
        await say(pipeline, "unlock the back door")
        pipeline.engine._texts = ["yes"]  # type: ignore[attr-defined]
        answer = await pipeline.answer(chunks(*SPEECH), KITCHEN)
        assert answer.response.kind is ResponseKind.QUESTION
        assert state(pipeline, "lock.back_door") == "locked"


@pytest.mark.parametrize(
    ("readings", "unlocked"),
    [
        ([("okay", 0.4), ("ok", 0.4), ("no", 0.1)], "unlocked"),
        ([("okay", 0.3), ("no", 0.29), ("turn on the kettle", 0.28)], "locked"),
        ([("okay", 0.4), ("ok", None)], "locked"),
    ],
)
async def test_readings_that_all_say_yes_are_one_answer(
    running: PipelineFactory, readings: list[tuple[str, float | None]], unlocked: str
) -> None:
    async with talking(running) as (pipeline, _):
        await say(pipeline, "unlock the back door")
        heard = Transcription(tuple(Hypothesis(*each) for each in readings), "fake", EndReason.SILENCE)
        await pipeline.answer_heard(heard, KITCHEN, Stopwatch())
        assert state(pipeline, "lock.back_door") == unlocked


async def test_a_reading_far_behind_a_follow_up_of_nothing_is_not_done(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        readings = (Hypothesis("turn it off", 0.9), Hypothesis("turn on the kettle", 0.001))
        heard = Transcription(readings, "fake", EndReason.SILENCE)
        answer = await pipeline.answer_heard(heard, KITCHEN, Stopwatch())
        assert answer.response.kind is ResponseKind.NOT_UNDERSTOOD
        assert state(pipeline, "switch.kettle") == "off"


async def test_a_new_command_drops_the_question(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        await say(pipeline, "unlock the back door", "turn on the kettle", "yes")
        assert (state(pipeline, "switch.kettle"), state(pipeline, "lock.back_door")) == ("on", "locked")


async def test_where_no_answer_can_be_heard_nothing_is_asked(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        answer = await say(pipeline, "unlock the back door", context=Context())
        assert answer.response.kind is ResponseKind.FAILED
        assert state(pipeline, "lock.back_door") == "locked"


async def test_two_answers_at_once_unlock_once(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        await say(pipeline, "unlock the back door")
        answers = await asyncio.gather(*(say(pipeline, "yes") for _ in range(2)))
        assert sum(bool(answer.outcomes) for answer in answers) == 1


async def test_a_rule_of_ones_own_goes_before_the_built_in_ones(running: PipelineFactory) -> None:
    night = datetime(2026, 11, 21, 23, 30).astimezone()
    allow = Rule("hall", Decision.ALLOW, entities=frozenset({"lock.back_door"}), rooms=("Kitchen",))
    deny = Rule("no coffee", Decision.DENY, entities=frozenset({"script.coffee_machine"}))
    async with talking(running, TalkSettings((allow, deny, *BUILTIN))) as (pipeline, _):
        answer = await say(pipeline, "unlock the back door", context=replace(KITCHEN, now=night))
        assert state(pipeline, "lock.back_door") == "unlocked"
        assert answer.rulings[0].rule == "hall"
        denied = await say(pipeline, "i want a latte please")  # an author's action
        assert denied.response.kind is ResponseKind.FAILED
        assert not denied.outcomes
        assert denied.rulings[0].decision is Decision.DENY


# -- the PIN -----------------------------------------------------------------------------------------------------------


def with_pin(clock: Clock | None = None) -> TalkSettings:
    gate = PinGate(SecretStr(PIN), 3, 300.0, clock or Clock())
    return TalkSettings(PIN_ON_LOCKS, gate)


async def test_the_pin_unlocks_and_is_nowhere_to_be_read(
    running: PipelineFactory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    seen: list[Progress] = []
    heard: list[str] = []
    async with talking(running, with_pin()) as (pipeline, _):
        pipeline.observers.append(seen.append)
        asked = await say(pipeline, "unlock the back door")
        assert asked.question is QuestionKind.PIN
        assert (await say(pipeline, "yes")).question is QuestionKind.PIN, "a yes is no PIN"
        pipeline.engine._texts = [SPOKEN_PIN]  # type: ignore[attr-defined]
        answer = await pipeline.answer(chunks(*SPEECH), KITCHEN, lambda t: heard.append(t.text))
        assert state(pipeline, "lock.back_door") == "unlocked"
    assert answer.transcription.text == "…"
    topics = OwnTopics("hearth/x")
    read = [
        caplog.text,
        repr(seen),
        repr(heard),
        repr(answer),
        json.dumps(answer_facts(answer)),
        *(m.payload for each in seen if isinstance(each, Answer) for m in announcements(each, topics, hermes=True)),
    ]
    for text in read:
        assert PIN not in text
        assert SPOKEN_PIN not in text
        assert "six eight" not in text


async def test_three_wrong_pins_lock_it_for_a_while_for_everybody(
    running: PipelineFactory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    clock = Clock()
    async with talking(running, with_pin(clock)) as (pipeline, _):
        await say(pipeline, "unlock the back door")
        for wrong in ("1 2 3 4", "twelve thirty-four"):
            again = await say(pipeline, wrong)
            assert again.response.kind is ResponseKind.QUESTION
            assert again.question is QuestionKind.PIN
        locked = await say(pipeline, "9 9 9 9")
        assert locked.response.kind is ResponseKind.FAILED
        assert "5 minutes" in locked.response.text
        office = Context(conversation="satellite:office")
        refused = await say(pipeline, "unlock the back door", context=office)
        assert "wrong PIN" in refused.response.text
        await say(pipeline, SPOKEN_PIN)
        assert state(pipeline, "lock.back_door") == "locked"
        clock.now += 301
        await say(pipeline, "unlock the back door", SPOKEN_PIN)
        assert state(pipeline, "lock.back_door") == "unlocked"
    for text in ("1 2 3 4", "twelve", "9 9 9 9", SPOKEN_PIN):
        assert text not in caplog.text


@pytest.mark.parametrize("late", [SPOKEN_PIN, "two four six ate", "unlock the back door two four six eight"])
async def test_a_pin_said_late_badly_or_unasked_is_not_logged(
    running: PipelineFactory, caplog: pytest.LogCaptureFixture, late: str
) -> None:
    caplog.set_level(logging.DEBUG)
    async with talking(running, with_pin()) as (pipeline, clock):
        if "unlock" not in late:
            await say(pipeline, "unlock the back door")
            clock.now += 45
        answer = await say(pipeline, late)
    assert "two four six" not in caplog.text + repr(answer)


async def test_a_pin_given_for_one_door_opens_no_other(running: PipelineFactory) -> None:
    async with talking(running, with_pin()) as (pipeline, _):
        await say(pipeline, "lock the front door", "unlock the back door", SPOKEN_PIN)
        assert (state(pipeline, "lock.front_door"), state(pipeline, "lock.back_door")) == ("locked", "unlocked")


# -- which one, and when -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reply", "entity_ids"), [
    ("the one in the kitchen", ["media_player.kitchen_tv"]),
    ("the first one", ["media_player.office_tv"]),
    ("both", ["media_player.office_tv", "media_player.kitchen_tv"]),
])  # fmt: skip
async def test_of_two_things_of_one_name_it_is_asked_which(
    running: PipelineFactory, reply: str, entity_ids: list[str]
) -> None:
    async with talking(running) as (pipeline, _):
        asked = await say(pipeline, "turn on the tv", context=replace(KITCHEN, area_id=None))
        assert asked.question is QuestionKind.WHICH
        assert asked.response.text == "Do you mean the TV in the Office or the TV in the Kitchen?"
        answer = await say(pipeline, reply, context=replace(KITCHEN, area_id=None))
        assert [outcome.entity_id for outcome in answer.outcomes] == entity_ids


async def test_between_rivals_it_is_asked_and_a_name_decides(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        real = pipeline.understanding.matcher
        first, second = (real.match(f"turn on the {name}", KITCHEN) for name in ("bed light", "wardrobe light"))
        script(pipeline, unclear=[Clause("unclear", first, rivals=second)])
        asked = await say(pipeline, "unclear")
        assert asked.response.text == "Do you mean the Bed Light or the Wardrobe Light?"
        await say(pipeline, "the wardrobe one")
        assert (state(pipeline, "light.bed_light"), state(pipeline, "light.wardrobe_light")) == ("off", "on")


async def test_between_close_readings_of_the_recogniser_it_is_asked(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        readings = (Hypothesis("turn on the bed light", 0.5), Hypothesis("turn on the wardrobe light", 0.4))
        (clause,) = pipeline.understanding.matcher.understand(Transcription(readings, "micro"), KITCHEN).clauses
        script(pipeline, unclear=[clause])
        asked = await say(pipeline, "unclear")
        assert asked.response.text == "Do you mean the Bed Light or the Wardrobe Light?"
        assert not asked.outcomes
        await say(pipeline, "the wardrobe one")
        assert (state(pipeline, "light.bed_light"), state(pipeline, "light.wardrobe_light")) == ("off", "on")


async def test_a_door_that_was_chosen_is_still_guarded(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        await say(pipeline, "lock the front door")
        real = pipeline.understanding.matcher
        first, second = (real.match(f"unlock the {name}", KITCHEN) for name in ("front door", "back door"))
        script(pipeline, unclear=[Clause("unclear", first, rivals=second)])
        answer = await say(pipeline, "unclear", "the front one")
        assert answer.question is QuestionKind.CONFIRM
        assert state(pipeline, "lock.front_door") == "locked"


def delayed(pipeline: Pipeline, text: str, when: When) -> Clause:
    command = text.removesuffix(when.text).strip()
    return Clause(text, pipeline.understanding.matcher.match(command, KITCHEN), when=when)


class FakeSchedule:
    """A schedule that keeps what it is given; a time before `now` has passed."""

    def __init__(self, now: datetime) -> None:
        self.kept: list[When | None] = []
        self._now = now

    async def handle(self, match: IntentMatch, context: Context) -> Response | None:
        return Response("Timer set", ResponseKind.DONE) if match.intent == "HassStartTimer" else None

    async def later(self, clause: Clause, context: Context) -> Response:
        assert clause.when is not None
        if clause.when.at is not None and clause.when.at < self._now:
            return Response("That was in the past. When?", ResponseKind.QUESTION)
        self.kept.append(clause.when)
        return Response("At nine, then", ResponseKind.DONE)


EIGHT, NINE = (datetime(2026, 11, 21, hour).astimezone() for hour in (20, 21))


def put_off(pipeline: Pipeline) -> FakeSchedule:
    """Let the pipeline have a schedule, and a matcher that reads three times."""
    schedule = FakeSchedule(datetime(2026, 11, 21, 20, 30).astimezone())
    pipeline.schedule = schedule
    script(
        pipeline,
        turn_on_the_kettle_at_ninish=[delayed(pipeline, "turn on the kettle at ninish", When("at ninish"))],
        turn_on_the_kettle_at_eight=[delayed(pipeline, "turn on the kettle at eight", When("at eight", EIGHT))],
        turn_on_the_kettle_at_nine=[delayed(pipeline, "turn on the kettle at nine", When("at nine", NINE))],
        unlock_the_back_door_at_nine=[delayed(pipeline, "unlock the back door at nine", When("at nine", NINE))],
    )
    return schedule


@pytest.mark.parametrize("first", ["turn on the kettle at ninish", "turn on the kettle at eight"])
async def test_a_time_that_cannot_be_read_or_has_passed_is_asked_for_never_dropped(
    running: PipelineFactory, first: str
) -> None:
    async with talking(running) as (pipeline, _):
        schedule = put_off(pipeline)
        asked = await say(pipeline, first)
        assert asked.question is QuestionKind.WHEN
        assert asked.response.text.endswith("When?")
        assert (await say(pipeline, "soonish")).question is QuestionKind.WHEN
        answer = await say(pipeline, "nine")
        assert schedule.kept == [When("at nine", NINE)]
        assert answer.response.text == "At nine, then"
        assert state(pipeline, "switch.kettle") == "off"


async def test_when_may_be_now(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        put_off(pipeline)
        await say(pipeline, "turn on the kettle at ninish", "right now")
        assert state(pipeline, "switch.kettle") == "on"


async def test_without_a_schedule_a_later_command_is_refused_not_done_now(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        put_off(pipeline)
        pipeline.schedule = None
        answer = await say(pipeline, "turn on the kettle at nine")
        assert answer.response.kind is ResponseKind.FAILED
        assert state(pipeline, "switch.kettle") == "off"


async def test_what_has_to_be_asked_about_cannot_be_put_off(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        schedule = put_off(pipeline)
        answer = await say(pipeline, "unlock the back door at nine", "yes")
        assert answer.response.kind is not ResponseKind.DONE
        assert not schedule.kept
        assert state(pipeline, "lock.back_door") == "locked"


async def test_a_timer_beside_a_command_is_set(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        put_off(pipeline)
        script(pipeline, both=["turn on the kettle", "set a timer for five minutes"])
        answer = await say(pipeline, "both")
        assert "Timer set" in answer.response.text
        assert state(pipeline, "switch.kettle") == "on"


# -- follow-ups --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "then", "entity_id", "becomes"),
    [
        ("turn on the kettle", "and the porch light too", "light.porch_light", "on"),
        ("turn on the kitchen lights", "and the bedroom too", "light.bed_light", "on"),
        ("turn on the kettle", "turn it off", "switch.kettle", "off"),
        ("turn on the bed light", "the other one", "light.wardrobe_light", "on"),
        ("open the velvet curtain", "close it", "cover.curtains", "closed"),
        ("is the bed light on", "turn it on", "light.bed_light", "on"),
        ("turn on the kitchen lights", "turn them off", "light.counter_light", "off"),
    ],
)
async def test_a_follow_up_means_what_was_spoken_of(
    running: PipelineFactory, first: str, then: str, entity_id: str, becomes: str
) -> None:
    async with talking(running) as (pipeline, _):
        answer = await say(pipeline, first, then)
        assert answer.response.kind is ResponseKind.DONE, answer.response
        assert state(pipeline, entity_id) == becomes


async def test_brighter_means_the_lamp_that_was_spoken_of(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        await say(pipeline, "turn on the floor lamp", "a bit brighter")
        level = pipeline.house.home.entities["light.floor_lamp"].state.attributes["brightness"]
        assert round(level / 2.55) == 70  # it was at 50 per cent


async def test_a_correction_undoes_the_one_and_does_the_other(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        answer = await say(pipeline, "turn on the bed light", "no, the wardrobe one")
        assert (state(pipeline, "light.bed_light"), state(pipeline, "light.wardrobe_light")) == ("off", "on")
        assert answer.response.kind is ResponseKind.DONE
        assert answer.matches[0].value("name") == "light.wardrobe_light"


@pytest.mark.parametrize(
    ("command", "entity_id"),
    [
        ("turn off the floor lamp", "light.floor_lamp"),
        ("set the floor lamp to 10 percent", "light.floor_lamp"),
        ("close the bay window", "cover.kitchen_window"),
        ("set the bedroom shutter to 20 percent", "cover.shutter"),
        ("turn on the kitchen lights", "light.counter_light"),
        ("unlock the back door", "lock.back_door"),
    ],
)
async def test_undo_brings_back_the_states_from_before(running: PipelineFactory, command: str, entity_id: str) -> None:
    async with talking(running) as (pipeline, _):
        before = pipeline.house.home.entities[entity_id].state
        await say(pipeline, command)
        if "unlock" in command:
            await say(pipeline, "yes")
        assert pipeline.house.home.entities[entity_id].state != before
        answer = await say(pipeline, "undo that")
        assert answer.response == Response("I put it back", ResponseKind.DONE)
        after = pipeline.house.home.entities[entity_id].state
        assert after.value == before.value
        for key in ("current_position", "brightness"):
            if before.value != "off":
                assert after.attributes.get(key) == pytest.approx(before.attributes.get(key), abs=2)
        assert (await say(pipeline, "undo that")).response.kind is not ResponseKind.DONE, "once"


async def test_what_cannot_be_undone_is_told(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        answer = await say(pipeline, "run party time", "undo that")
        assert answer.response.kind is ResponseKind.FAILED


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("lock the front door", "unlock it"),
        ("lock the front door", "undo that"),
        ("is the back door locked", "unlock it"),
        ("is the garage door open", "open it"),
    ],
)
async def test_a_pronoun_alone_never_unlocks_or_opens_what_is_guarded(
    running: PipelineFactory, first: str, then: str
) -> None:
    everything = TalkSettings((Rule("trusting", Decision.ALLOW, domains=frozenset({"lock", "cover"})), *BUILTIN))
    for talk in (None, everything):
        async with talking(running, talk) as (pipeline, _):
            answer = await say(pipeline, first, then)
            assert answer.response.kind is ResponseKind.FAILED
            assert "name" in answer.response.text
            await say(pipeline, "yes")
            for entity_id, shut in (("lock.back_door", "locked"), ("cover.garage_door", "closed")):
                assert state(pipeline, entity_id) == shut
            if "front" in first:
                assert state(pipeline, "lock.front_door") == "locked"


async def test_a_follow_up_with_a_name_is_guarded_like_any_command(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        answer = await say(pipeline, "unlock the front door", "yes", "and the back door too")
        assert answer.question is QuestionKind.CONFIRM
        assert state(pipeline, "lock.back_door") == "locked"


async def test_what_was_said_is_forgotten_after_a_while(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, clock):
        await say(pipeline, "turn on the kettle")
        clock.now += 61
        assert (await say(pipeline, "turn it off")).response.kind is ResponseKind.NOT_UNDERSTOOD
        assert state(pipeline, "switch.kettle") == "on"


async def test_a_follow_up_goes_before_a_sentence_that_had_to_be_forgiven(running: PipelineFactory) -> None:
    forgiven = IntentMatch("HassTurnOff", {"name": Slot("light.porch_light", "")}, "turn it off", score=0.8)
    async with talking(running) as (pipeline, _):
        script(pipeline, turn_it_off=[Clause("turn it off", (forgiven,))])
        await say(pipeline, "turn on the porch light", "turn on the kettle", "turn it off")
        assert (state(pipeline, "switch.kettle"), state(pipeline, "light.porch_light")) == ("off", "on")


async def test_conversations_are_kept_apart(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        await say(pipeline, "turn on the kettle")
        await say(pipeline, "turn it off", context=Context(conversation="satellite:office"))
        assert state(pipeline, "switch.kettle") == "on"
