"""One round: the hearings of one command, from the first detection to the verdict of the last."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from hearth_core.command import EndReason
from hearth_core.errors import HearthError

from .hearing import Hearing, Verdict
from .listen import threads
from .rooms import Decision, Evidence, decide
from .rooms_rules import Served
from .rooms_sound import clearly_other, likeness, speaking

if TYPE_CHECKING:
    from .arbitration import Arbitration

log = logging.getLogger("hearth.rooms")

# The one that was granted is recognised while it streams; when another's end comes first, the text is this near.
_GRANT_GRACE_S = 0.3
# An end of speech is half a second old when it is known; over a network that is 0.3 s late, this much silence is seen.
_LAST_S = 0.2
# No speaker says the same command twice in so short a time; a network that stalls delivers it twice.
_ECHO_S = 2.0
# How long one satellite may go on hearing speech when another has heard the command's end: longer is a television.
_SPEAKING_S = 3.0
# A hearing that is to be another command, beside one that was answered, must at least have been heard well.
_LEAST_SNR_DB = 6.0
# And be less like it by so much: a satellite that hears two people at once is only half like either.
_MIXED = 0.7
_LEAST_CONFIDENCE = 0.5


class Round:
    """The hearings of one command, from the first detection to the verdict of the last."""

    def __init__(
        self,
        arbitration: Arbitration,
        group: str,
        hearings: list[Hearing],
        *,
        after: Round | None = None,
        alone: bool = False,
    ) -> None:
        self.group = group
        self.after = after
        self.alone = alone  # it is known who is spoken to: nobody joins
        self.decided = False
        self.finished = False
        self.detected_s = min(h.detected_s for h in hearings)
        self._arbitration = arbitration
        self._rules = arbitration.rules
        self._hearings = hearings
        self._changed = asyncio.Event()
        self._work: dict[Hearing, asyncio.Task[None]] = {}
        self._recognising: set[Hearing] = set()
        self._members = {h.name for h in hearings}
        self._split: list[Round] = []
        self._alike: dict[frozenset[str], float | None] = {}
        self.answered_by = ""
        self.task = asyncio.create_task(self._run(), name=f"round of {hearings[0].name}")
        arbitration.own(self.task)

    def takes(self, name: str, detected_s: float) -> bool:
        """Return whether a detection is of this round's wake word."""
        if name in self._members or self.after is not None or self.alone:
            return False
        return abs(detected_s - self.detected_s) <= self._rules.window_s

    @property
    def asked(self) -> Hearing | None:
        """The hearing without a wake word that is not answered yet, if this is the round of one."""
        return self._hearings[0] if self.alone and not self.decided else None

    def join(self, hearing: Hearing) -> None:
        """Take another hearing in."""
        self._hearings.append(hearing)
        self._members.add(hearing.name)
        self._attend(hearing, recognise=False)
        self._promote()
        self._changed.set()

    def only(self, hearing: Hearing) -> bool:
        """Return whether nobody else takes part, or this one neither."""
        return hearing not in self._hearings or self._present() == [hearing]

    def left(self, hearing: Hearing) -> None:
        """Take note that a satellite takes no part any more."""
        if hearing in self._hearings:
            self._promote()
            self._changed.set()

    def _promote(self) -> None:
        """See to it that one is recognised while it streams, when the one that was is gone."""
        present = self._present()
        waiting = [h for h in present if h in self._work and not h.over.is_set()]
        if not self.decided and waiting and not any(h in self._recognising for h in present):
            self._attend(self._ranked(waiting)[0], recognise=True)

    async def _run(self) -> None:
        failure: HearthError | None = None
        try:
            # The first is recognised at once; of hearings that were split off, the loudest.
            best = self._ranked(self._hearings)[0]
            for hearing in self._hearings:
                if hearing.transcription is not None:  # what another round has heard already
                    self._recognising.add(hearing)
                else:
                    hearing.over.clear()
                    self._attend(hearing, recognise=hearing is best)
            await self._decide()
        except Exception as error:
            log.exception("a round of %s failed", ", ".join(sorted(self._members)))
            failure = error if isinstance(error, HearthError) else HearthError("the server failed; its log says why")
        finally:
            self.decided = self.finished = True
            for hearing in self._hearings:
                self._settle(hearing, failure)
            for task in self._work.values():
                task.cancel()
            await asyncio.gather(*self._work.values(), return_exceptions=True)
            for hearing in self._hearings:
                hearing.forget()
            self._arbitration.ended(self)

    def _settle(self, hearing: Hearing, failure: HearthError | None) -> None:
        """Give whoever has no verdict yet the one that nobody answers, or its failure."""
        if hearing.verdict.done():
            return
        failure = failure or hearing.failure
        if failure is not None and hearing.granted and not self.answered_by:
            hearing.verdict.set_exception(failure)
        else:
            hearing.verdict.set_result(Verdict(None, hearing.context, answered_by=self.answered_by))

    # --- listening -----------------------------------------------------------------------------------------------

    def _attend(self, hearing: Hearing, *, recognise: bool) -> None:
        """Listen to a hearing from its beginning: with the recogniser, or for its end alone."""
        old = self._work.get(hearing)
        if recognise:
            self._recognising.add(hearing)
            if old is not None:
                old.cancel()
        self._work[hearing] = asyncio.create_task(self._listen(hearing) if recognise else self._await_end(hearing))

    async def _listen(self, hearing: Hearing) -> None:
        recogniser = self._arbitration.recogniser
        try:
            heard = await recogniser.listen(hearing.audio(), hearing.context, hearing.watch, word=hearing.word)
            hearing.transcription, hearing.end = heard, heard.end
        except HearthError as error:
            self._fail(hearing, error)
        self._over(hearing)

    async def _await_end(self, hearing: Hearing) -> None:
        try:
            endpointer = self._arbitration.recogniser.endpointer()
            end: EndReason | None = None
            async for pcm in hearing.audio():
                if not endpointer.samples:
                    endpointer.meet(bytes(hearing.word.pcm), hearing.word.tail_s)
                end = await asyncio.get_running_loop().run_in_executor(threads(), endpointer.feed, pcm)
                if end is not None:
                    break
            spoke = EndReason.STOP if endpointer.speech_started else EndReason.NO_SPEECH
            hearing.end = end or spoke
        except HearthError as error:
            self._fail(hearing, error)
        self._over(hearing)

    def _fail(self, hearing: Hearing, error: HearthError) -> None:
        if not hearing.gone:
            log.warning("%s %s: %s", hearing.context.command_id, hearing.name, error)
        hearing.gone, hearing.failure = True, error
        self._promote()

    def _over(self, hearing: Hearing) -> None:
        hearing.over.set()
        self._changed.set()

    def _present(self) -> list[Hearing]:
        return [h for h in self._hearings if not h.gone and not h.verdict.done()]

    async def _until(self, condition: Callable[[], bool], limit_s: float | None = None) -> None:
        """Wait until something is so, or nobody is present, or for so long."""
        try:
            async with asyncio.timeout(limit_s):
                while not condition() and self._present():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass

    # --- deciding ------------------------------------------------------------------------------------------------

    async def _decide(self) -> None:
        await self._until(lambda: any(h.spoke for h in self._hearings) or all(h.over.is_set() for h in self._present()))
        granted = next((h for h in self._present() if h in self._recognising), None)
        if granted is not None and not granted.over.is_set() and len(self._present()) > 1:
            await self._until(granted.over.is_set, _GRANT_GRACE_S)
        started_s = self._arbitration.clock()
        self._part()
        while present := self._present():
            leader = self._ranked(present)[0]
            if not leader.over.is_set() and len(present) > 1 and not self._said_all(leader):
                await self._wait_for(leader)
            if leader in self._present() and await self._text_is_known(leader):
                break
        self._part()  # those that joined meanwhile, too
        if self._split and not any(h.text for h in self._present()):
            # What was heard here may have been a television, and the command what the others heard.
            await asyncio.wait([split.task for split in self._split])
        if present := self._present():
            self._pronounce(present, self._arbitration.clock() - started_s)

    def _said_all(self, leader: Hearing) -> bool:
        """Return whether another has a text to trust, and the leader hears no more speech than that one."""
        sure = any((h.confidence or 0.0) >= self._rules.trusted_confidence for h in self._present() if h.text)
        return sure and not speaking(leader.envelope, _LAST_S)

    def _part(self) -> None:
        """Let go of those who clearly hear other speech than the best one: they are a command of their own, or none."""
        present = self._present()
        if len(present) < 2:
            return
        best = self._ranked(present)[0]
        others = [h for h in present if h is not best and self._unlike(best, h)]
        if not others:
            return
        log.info("%s hear other speech than %s", ", ".join(h.name for h in others), best.name)
        for hearing in others:
            if (work := self._work.pop(hearing, None)) is not None:
                work.cancel()
        self._hearings = [h for h in self._hearings if h not in others]
        self._split.append(self._arbitration.split(others, self))

    def _unlike(self, one: Hearing, other: Hearing) -> bool:
        alike = self._likeness(one, other)
        snr_db = min(self._arbitration.loudness(h).snr_db for h in (one, other))
        return alike is not None and clearly_other(alike, snr_db, self._rules.same_speech)

    def _likeness(self, one: Hearing, other: Hearing) -> float | None:
        """Return how alike two are, as far as it was known when it was first asked: it takes some milliseconds."""
        pair = frozenset((one.name, other.name))
        if self._alike.get(pair) is None:
            self._alike[pair] = likeness(one.envelope, other.envelope)
        return self._alike[pair]

    async def _wait_for(self, leader: Hearing) -> None:
        """Wait for the end of the command at the best one: while it hears speech, and then for the patience."""
        patience_s = self._rules.patience_s
        most_s = self._arbitration.clock() + _SPEAKING_S

        def enough() -> bool:
            return leader.over.is_set() or leader.gone

        await self._until(enough, patience_s)
        while not enough() and speaking(leader.envelope) and self._arbitration.clock() < most_s:
            await self._until(enough, _LAST_S)

    async def _text_is_known(self, leader: Hearing) -> bool:
        """See to it that there is a text to act upon, of the leader or of who hears the same; False to rank anew.

        Each call that returns False has either waited or asked one more, so that this comes to an end.
        """
        ranked = self._ranked(self._present())
        texts = [h for h in ranked if h.text]
        if any((h.confidence or 0.0) >= self._rules.trusted_confidence for h in texts):
            return True
        if leader in self._recognising:
            if len(ranked) == 1:
                await self._until(lambda: leader.over.is_set() or leader.gone)
                return not leader.gone
            if not leader.over.is_set():
                return bool(texts)  # its patience is over: what another one heard whole counts
            unasked = [h for h in ranked if h not in self._recognising]
            if texts or not unasked:
                return True
            leader = unasked[0]  # the best one heard nothing that is a command; the next may have
        await self._ask(leader)
        return leader not in self._recognising and bool(texts)

    async def _ask(self, hearing: Hearing) -> None:
        """Recognise what a hearing has kept, and what still comes."""
        if hearing.end is EndReason.NO_SPEECH:
            self._recognising.add(hearing)  # there is nothing to recognise
            return
        hearing.over.clear()
        self._attend(hearing, recognise=True)
        await self._wait_for(hearing)

    def _ranked(self, hearings: list[Hearing]) -> list[Hearing]:
        if len(hearings) == 1:
            return hearings
        by_name = {h.name: h for h in hearings}
        return [by_name[s.evidence.satellite] for s in self._judge(hearings).standings]

    def _judge(self, hearings: list[Hearing]) -> Decision:
        arbitration = self._arbitration
        ordered = sorted(hearings, key=lambda h: h.detected_s)
        sounds = {h.name: arbitration.loudness(h) for h in ordered}
        gains = arbitration.history.gains_db([h.name for h in ordered])
        evidence = [
            Evidence(
                satellite=h.name,
                level_dbfs=sounds[h.name].level_dbfs - gains[h.name],
                noise_dbfs=sounds[h.name].noise_dbfs - gains[h.name],
                clarity_db=sounds[h.name].clarity_db,
                detected_s=h.detected_s,
                uncertain_s=h.wake.uncertain_s,
                wake_score=h.wake.score,
                confidence=h.confidence,
            )
            for h in ordered
        ]
        return decide(evidence, self._rules.weights, ordered[0].name)

    def _explained(self, present: list[Hearing]) -> Decision:
        decision = self._judge(present)
        best = next(h for h in present if h.name == decision.winner)
        alike = {h.name: self._likeness(best, h) for h in present if h is not best}
        return replace(decision, likeness={name: value for name, value in alike.items() if value is not None})

    # --- the verdict ---------------------------------------------------------------------------------------------

    def _pronounce(self, present: list[Hearing], waited_s: float) -> None:
        """Give each its verdict; no await from here on, so that nothing comes in between."""
        arbitration = self._arbitration
        decision = self._explained(present) if len(present) > 1 else None
        winner = next(h for h in present if decision is None or h.name == decision.winner)
        source = max((h for h in present if h.transcription is not None), key=Hearing.worth, default=None)
        echo_of = self._echo_of(winner, source)
        self.answered_by = echo_of or ""
        if source is not None and source.transcription is not None and echo_of is None:
            self.answered_by = winner.name
            said = source.transcription
            source.watch.add("choose", waited_s)
            winner.verdict.set_result(Verdict(said, winner.context, decision, winner.name, source.watch))
            times = tuple(h.detected_s for h in present)
            served = Served(
                arbitration.clock(),
                times,
                winner.envelope,
                arbitration.loudness(winner).snr_db,
                source.words,
                winner.name,
                winner.detected_s,
                self.alone,
            )
            arbitration.serve(self.group, served)
        self.decided = True
        if decision is not None:
            log.info("%s %s answers: %s", winner.context.command_id, self.answered_by or "nobody", decision.facts())
            heard = [(h.name, arbitration.loudness(h)) for h in present]
            arbitration.history.learn({name: (s.level_dbfs, s.noise_dbfs) for name, s in heard})
        else:
            sound = arbitration.loudness(winner)
            arbitration.history.learn({winner.name: (sound.level_dbfs, sound.noise_dbfs)})
        for hearing in present:
            if not hearing.verdict.done():
                log.info(
                    "%s %s falls silent for %s", hearing.context.command_id, hearing.name, self.answered_by or "nobody"
                )
                hearing.verdict.set_result(Verdict(None, hearing.context, decision, self.answered_by))

    def _echo_of(self, winner: Hearing, source: Hearing | None) -> str | None:
        """Return who answers already what was heard here, "" if nobody should; None if this is a command of its own."""
        said = source.words if source is not None else ""
        for split in self._split:
            if split.answered_by and not said:
                return split.answered_by
        overheard = self._arbitration.overheard(winner, alone=self.alone)
        if overheard is not None or self.alone:
            return overheard
        of_split = {split.answered_by for split in self._split}
        beside = ""
        for served in reversed(self._arbitration.served(self.group)):
            if served.alone:
                continue
            near = min(abs(winner.detected_s - at) for at in served.detected_s) <= _ECHO_S
            if not near or served.winner == winner.name:  # nobody hears one utterance twice
                continue
            alike = likeness(served.envelope, winner.envelope)
            if alike is None and self.after is None:
                continue
            snr_db = min(served.snr_db, self._arbitration.loudness(winner).snr_db)
            same_speech = self._rules.same_speech * (_MIXED if self.after is not None else 1.0)
            other = alike is not None and clearly_other(alike, snr_db, same_speech)
            of_one_word = self.after is not None or served.winner in of_split
            if not other or (of_one_word and _mostly_same(said, served.text)):
                return served.winner
            if self.after is not None and beside:
                return beside  # of three who speak at once, the third is a satellite that hears the other two
            beside = served.winner
        if self.after is not None and not self._stands_alone(winner, source):
            return ""
        return None

    def _stands_alone(self, winner: Hearing, source: Hearing | None) -> bool:
        """Return whether what came in beside another command is clearly one itself."""
        if source is None or not source.text:
            return False
        confidence = source.confidence
        sure = confidence is None or confidence >= _LEAST_CONFIDENCE
        return sure and self._arbitration.loudness(winner).snr_db >= _LEAST_SNR_DB


def _mostly_same(one: str, other: str) -> bool:
    """Return whether two texts may be readings of one command: more than half the words of the shorter are in both."""
    words = set(one.split()), set(other.split())
    return one == other or 2 * len(words[0] & words[1]) > min(map(len, words))
