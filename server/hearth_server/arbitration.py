"""Several satellites hear one wake word: claim at once, decide late, answer once.

    first detection  -> a round begins; this hearing is granted: it chimes, and is recognised while it streams
    others, within the window -> join the round; they only stream, and are listened to for the end of speech alone
    the first of them hears the end of the command -> the round ranks all that it has:
        other speech (curves unlike)   -> a round of its own, answered only if it proves to be another command
        the best one has not ended     -> it is waited for while it hears speech, else for `patience_s`
        a trusted text is there        -> it counts; else the best one's audio is recognised, then the next one's
    one verdict for each: one answers, the others fall silent

With one satellite alone nothing of this waits: its transcription is the verdict. A round ends whatever its satellites
do, because every reader of audio starves after `STARVED_S` and every end-pointer has its limit.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace

from hearth_core.command import Context

from .hearing import Ear, Hearing, Verdict, WakeFacts
from .rooms_history import History
from .rooms_rules import Recogniser, Rules, Served
from .rooms_sound import Loudness, likeness, measure
from .round import Round

log = logging.getLogger("hearth.rooms")

__all__ = ["Arbitration", "Recogniser", "Rules"]

# Commands that were answered are remembered so long, to know their echo; a command is seldom longer than 10 s.
_SERVED_S = 20.0


class Arbitration:
    """Which satellite answers; one for the whole server.

    Args:
        recogniser: hears what is said.
        rules: how rounds are held.
        clock: monotonic seconds.
    """

    def __init__(
        self, recogniser: Recogniser, rules: Rules | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.recogniser = recogniser
        self.rules = rules or Rules()
        self.history = History()
        self.clock = clock
        self._rounds: dict[str, list[Round]] = {}  # by group, the newest last
        self._served: dict[str, list[Served]] = {}  # by group
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, ear: Ear, context: Context, wake: WakeFacts | None = None, *, alone: bool = False) -> Hearing:
        """Let a satellite take part that has just detected the wake word, or whose speaker begins without one.

        Never waits; `Hearing.granted` says whether it may chime, `Hearing.verdict` comes when all is decided.

        Args:
            ear: the satellite.
            context: of the command, if it is the one that is answered.
            wake: what it says of its wake word.
            alone: it is known that this satellite is spoken to, so that there is nothing to choose.
        """
        wake = wake or WakeFacts()
        detected_s = self.clock() - wake.delay_s
        rounds = self._rounds.setdefault(ear.group, [])
        current = None if alone else next((r for r in reversed(rounds) if r.takes(ear.name, detected_s)), None)
        hearing = Hearing(ear, wake, context, detected_s, granted=current is None)
        if current is None:
            rounds.append(Round(self, ear.group, [hearing], alone=alone))
        elif current.decided:  # its command is being answered: this one must prove to be another
            log.info("%s %s hears the wake word after the verdict", context.command_id, ear.name)
            rounds.append(Round(self, ear.group, [hearing], after=current))
        else:
            current.join(hearing)
        return hearing

    def leave(self, hearing: Hearing) -> None:
        """A satellite's link died, or its speaker began anew: the others decide among themselves."""
        if not hearing.verdict.done():
            hearing.leave()
            hearing.verdict.set_result(Verdict(None, hearing.context))
            for current in self._rounds.get(hearing.ear.group, []):
                current.left(hearing)

    def cut(self, hearing: Hearing) -> None:
        """A satellite's speaker began anew: alone, its command ends with what was heard; else the others go on."""
        alone = all(current.only(hearing) for current in self._rounds.get(hearing.ear.group, []))
        if alone:
            hearing.complete()
        else:
            self.leave(hearing)

    async def close(self) -> None:
        """End all rounds without verdict."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- for rounds ----------------------------------------------------------------------------------------------

    def own(self, task: asyncio.Task[None]) -> None:
        """Keep a task until it has ended."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def split(self, hearings: list[Hearing], after: Round) -> Round:
        """Let hearings that are not of the round's speech be a command of their own, if they prove to be."""
        split = Round(self, after.group, hearings, after=after)
        self._rounds.setdefault(after.group, []).append(split)
        return split

    def ended(self, ended: Round) -> None:
        """Forget a round that nobody can join any more."""
        rounds = self._rounds.get(ended.group, [])
        now = self.clock()
        rounds[:] = [r for r in rounds if not r.finished or now - r.detected_s <= 2 * self.rules.window_s]
        if not rounds:
            self._rounds.pop(ended.group, None)

    def serve(self, group: str, served: Served) -> None:
        """Remember that a command is answered."""
        now = self.clock()
        recent = [old for old in self._served.get(group, []) if now - old.at_s < _SERVED_S]
        self._served[group] = [*recent[-7:], served]

    def served(self, group: str) -> list[Served]:
        """Return the commands that were answered lately."""
        now = self.clock()
        return [old for old in self._served.get(group, []) if now - old.at_s < _SERVED_S]

    def overheard(self, hearing: Hearing, *, alone: bool) -> str | None:
        """Return which satellite answers what was heard here, None if it is a command of its own.

        This is where at least one of the two began without a wake word, because somebody was asked or has pushed a
        button: it alone is spoken to. But another one may hear the same speech, with a wake word that was said for
        habit, or one that was asked hears the command of somebody else. Only what is clearly the same is.

        Args:
            hearing: what is to be answered.
            alone: it is the one without a wake word.
        """
        group = hearing.ear.group
        others = [(s.winner, s.envelope, s.began_s) for s in self.served(group) if s.alone or alone]
        asked = [] if alone else [r.asked for r in self._rounds.get(group, []) if r.asked is not None]
        others += [(h.name, h.envelope, h.detected_s) for h in asked]
        for name, envelope, began_s in others:
            if name == hearing.name:  # nobody hears one utterance twice
                continue
            alike = likeness(envelope, hearing.envelope, hearing.detected_s - began_s)
            if alike is not None and alike >= self.rules.same_speech:
                return name
        return None

    def loudness(self, hearing: Hearing) -> Loudness:
        """Return how a command was heard, as its microphone gives it but for the configured gain."""
        found = measure(hearing.envelope, hearing.wake.noise_dbfs)
        gain = hearing.ear.gain_db
        return replace(found, level_dbfs=found.level_dbfs - gain, noise_dbfs=found.noise_dbfs - gain)
