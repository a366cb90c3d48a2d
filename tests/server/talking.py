"""A conversation with the demo home: its clock is the test's, and what is understood may be too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from hearth_core.command import Clause, Context, IntentMatch, Transcription, Understood
from hearth_server.conversation import Conversations
from hearth_server.dialogue import TalkSettings
from hearth_server.pipeline import Answer, Pipeline
from tests.fakes import silence, tone
from tests.server.conftest import PipelineFactory

SPEECH = (silence(0.3), tone(1.0), silence(2.0))
KITCHEN = Context(area_id="kitchen", satellite="kitchen", conversation="satellite:kitchen")


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
