"""How often the right room answers, over simulated houses: `hearth_server.arbitration` itself, with the clock moved.

    python bench/rooms.py [--cases 600] [--seed 1] [--speech DIR] [--real 40] [--silero] [--check] [--json]

Houses of 2 to 4 satellites are built by `bench/rooms_acoustics.py`: rooms in a row, doors open and closed, a fridge or
a recorded noise beside one satellite in every other house, microphones of -6 to +6 dB, clocks that are up to 100 ppm
too fast or slow and up to 5 s off, a network of 2 to 300 ms each way with jitter. In each, a dozen commands are spoken
one after the other by people in rooms that have a satellite; in one of ten two people speak in two rooms at once. What
every satellite hears goes through the real wake word model, and, where that detects it, as the satellite's events, with
its own figures and the time of its own clock, to the server's real arbitration.

The wake words are the tests' synthesised ones, up to 6 % faster or slower; the commands are real speech: from DIR (the
recordings of home-commands and barista-dev, by default ../shared/speech), else those of examples/recordings. What the
recogniser makes of a stream is measured on the first `--real` cases with pocketsphinx (text right or not, confidence),
and drawn for the others from what it made of the stream with the most similar signal-to-noise ratio. The end of speech
is found by loudness, which takes a fiftieth of the time of Silero's, unless `--silero` asks for the real one.
`--check` fails where the right room answers less often than it is to, or a command is done twice.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import time
from collections.abc import AsyncIterable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench.rooms_acoustics import RATE, House  # noqa: E402
from bench.rooms_cases import CHUNK, PREROLL_S, Case, Heard, simulate  # noqa: E402
from bench.rooms_report import missed, report  # noqa: E402
from bench.rooms_speech import Speech, load_speech  # noqa: E402
from bench.virtual_time import run_virtually  # noqa: E402
from wyoming.audio import AudioChunk  # noqa: E402
from wyoming.pipeline import PipelineStage, RunPipeline  # noqa: E402
from wyoming.wake import Detection  # noqa: E402

from hearth_core.command import Context, EndReason, Hypothesis, Stopwatch, Transcription  # noqa: E402
from hearth_core.speech import Endpointer, EndpointSettings, SileroDetector, SpeechDetector  # noqa: E402
from hearth_server.arbitration import Arbitration, Rules  # noqa: E402
from hearth_server.hearing import Ear, Verdict, Word  # noqa: E402
from hearth_server.latency import Latency  # noqa: E402
from hearth_server.rooms_history import History  # noqa: E402
from hearth_server.rooms_sound import Envelope, measure  # noqa: E402
from hearth_server.satellite_part import SatellitePart  # noqa: E402


class LoudEnough:
    """A detector to which speech is what stands out of the noise; for the bench alone."""

    window_bytes = 2 * CHUNK

    def __init__(self) -> None:
        self._floor = 1e-9
        self._seen = 0

    def __call__(self, window: bytes) -> float:
        samples = np.frombuffer(window, "<i2").astype(np.float32) / 32768
        power = float(np.mean(np.square(np.diff(samples)))) + 1e-12
        self._seen += 1
        # The stream begins in the wake word's end: the least of it is the room.
        self._floor = power if self._seen == 1 else min(power, self._floor * 1.02)
        return 1.0 if power > 6.3 * self._floor else 0.0  # 8 dB

    def reset(self) -> None:
        pass


class Relation:
    """What a recogniser makes of streams: measured on some, drawn for others by their signal-to-noise ratio."""

    def __init__(self) -> None:
        self.measured: list[tuple[float, bool, float]] = []  # SNR in dB, text right, confidence (0: nothing heard)

    def draw(self, random: np.random.Generator, snr_db: float) -> tuple[bool, float]:
        """Return whether the text is right, and the confidence."""
        nearest = sorted(self.measured, key=lambda m: abs(m[0] - snr_db))[:8]
        return nearest[int(random.integers(len(nearest)))][1:]


def end_of_speech(*, silero: bool) -> tuple[EndpointSettings, Callable[[], SpeechDetector]]:
    """Return how the end of speech is found: as in the house, or by loudness.

    To the loudness all that is loud is speech, noise too; so the rule that soft speech is somebody else's has no sense.
    """
    return (EndpointSettings(), SileroDetector) if silero else (EndpointSettings(background_db=None), LoudEnough)


class DrawnRecogniser:
    """A recogniser that hears the right text as often as the measured one."""

    def __init__(
        self,
        relation: Relation,
        random: np.random.Generator,
        says: dict[str, str],
        end: tuple[EndpointSettings, Callable[[], SpeechDetector]],
    ) -> None:
        self._end = end
        self._relation = relation
        self._random = random
        self._says = says
        self.asked = 0

    def endpointer(self) -> Endpointer:
        """Return the real end-pointer over the detector that was asked for."""
        return Endpointer(self._end[0], self._end[1]())

    async def listen(
        self,
        audio: AsyncIterable[bytes],
        context: Context,
        watch: Stopwatch | None = None,
        *,
        word: Word | None = None,
    ) -> Transcription:
        """Hear a stream to its end; the simulated satellites tell nothing of their wake word's sound."""
        self.asked += 1
        endpointer, envelope = self.endpointer(), Envelope()
        end: EndReason | None = None
        async for pcm in audio:
            envelope.feed(pcm)
            if (end := endpointer.feed(pcm)) is not None:
                break
        end = end or (EndReason.STOP if endpointer.speech_started else EndReason.NO_SPEECH)
        if end is EndReason.NO_SPEECH:
            return Transcription((), "drawn", end)
        right, confidence = self._relation.draw(self._random, measure(envelope).snr_db)
        said = self._says[context.satellite or ""]
        heard = (Hypothesis(said if right else f"not {said}", confidence),) if confidence > 0 else ()
        return Transcription(heard, "drawn", end)


# --- through the arbitration ------------------------------------------------------------------------------------------


async def arbitrate(case: Case, house: House, history: History, recogniser: DrawnRecogniser, seed: int) -> None:
    """Send a case to the real arbitration, every event at its time, and write down what came of it."""
    loop = asyncio.get_running_loop()
    arbitration = Arbitration(recogniser, Rules(), loop.time)
    arbitration.history = history
    random = np.random.default_rng(seed)
    verdicts: dict[int, Verdict] = {}
    ended_s = 0.0

    async def satellite(heard: Heard) -> None:
        nonlocal ended_s
        placed = house.satellites[heard.satellite]

        def on_the_way() -> float:
            return (
                placed.network_s + float(random.exponential(placed.jitter_s)) if placed.jitter_s else placed.network_s
            )

        latency = Latency(lambda: ping_s)
        for _ in range(8):
            ping_s = 0.0
            text = latency.ping()
            ping_s = on_the_way() + on_the_way()
            latency.pong(text)
        name = str(heard.satellite)
        part = SatellitePart(arbitration, Ear(name), lambda event: Context(satellite=name, area_id=name))
        part.latency = latency
        facts = {"wake_score": heard.score, "noise_dbfs": heard.noise_dbfs}
        said_at_s = heard.detected_s + placed.clock_off_s
        await asyncio.sleep(heard.detected_s + on_the_way())
        part.detected(Detection("wake", timestamp=round(1000 * said_at_s), context=facts).event())
        run = RunPipeline(PipelineStage.ASR, PipelineStage.TTS, wake_word_name="wake").event()
        run.data["context"] = facts
        hearing = part.opened(run)
        if hearing.granted and case.first is None:
            case.first = heard.satellite
        streaming = asyncio.create_task(stream(part, heard, said_at_s, on_the_way))
        try:
            async with asyncio.timeout(60):
                verdicts[heard.satellite] = await hearing.verdict
            ended_s = max(ended_s, loop.time())
        except TimeoutError:
            case.stuck = True
        finally:
            streaming.cancel()

    async def stream(part: SatellitePart, heard: Heard, at_s: float, on_the_way: Any) -> None:
        # Chunks are taken by the satellite's clock; none overtakes another on the way.
        began, arrived = loop.time(), 0.0
        step_s = CHUNK / RATE * (1 + house.satellites[heard.satellite].clock_ppm * 1e-6)
        preroll = int(PREROLL_S * RATE / CHUNK)
        base_s = on_the_way()
        for index, start in enumerate(range(0, len(heard.pcm), 2 * CHUNK)):
            arrived = max(arrived, max(0, index - preroll) * step_s + on_the_way() - base_s)
            await asyncio.sleep(max(0.0, began + arrived - loop.time()))
            told_ms = round(1000 * (at_s + (index - preroll) * step_s))
            part.hear(AudioChunk(RATE, 2, 1, heard.pcm[start : start + 2 * CHUNK], timestamp=told_ms))
        await asyncio.sleep(0.5)
        part.complete()

    await asyncio.gather(*(satellite(heard) for heard in case.heard))
    await arbitration.close()
    case.recognised = recogniser.asked
    for index, verdict in verdicts.items():
        if verdict.transcription is not None and verdict.transcription.text:
            case.answers.append((index, verdict.transcription.text))
        elif verdict.transcription is not None:
            case.answers.append((index, ""))
        if verdict.decision is not None and verdict.transcription is not None:
            case.evidence = [
                {**asdict(s.evidence), "parts": dict(s.parts), "room": house.satellites[int(s.evidence.satellite)].room}
                for s in verdict.decision.standings
            ]
    levels = {h.satellite: _plain_level(h.pcm) for h in case.heard}
    case.loudest = max(levels, key=lambda index: levels[index], default=None)


def _plain_level(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    return float(np.mean(np.square(samples)))


# --- what the recogniser makes of it ----------------------------------------------------------------------------------


def measure_recogniser(
    seed: int, cases: int, speech: Speech, end: tuple[EndpointSettings, Callable[[], SpeechDetector]]
) -> Relation:
    """Return what pocketsphinx makes of the streams of some cases, all satellites."""
    from hearth_core.settings import ServerConfig
    from hearth_intents.compile import compile_grammar
    from hearth_intents.sentences import load_sentences
    from hearth_server.asr.registry import load_engine
    from hearth_server.demo_home import DemoHome
    from hearth_server.listen import Listening

    engine = load_engine(ServerConfig(engine="pocketsphinx"))
    sentences = load_sentences("en", [ROOT / "examples" / "barista" / "sentences"])
    engine.use(compile_grammar(sentences, DemoHome().home))
    reference: dict[str, str] = {}

    def recognise(pcm: bytes) -> tuple[str, float]:
        listening = Listening(engine, end[0], end[1]())
        try:
            for start in range(0, len(pcm), 2 * CHUNK):
                if listening.feed(pcm[start : start + 2 * CHUNK]) is not None:
                    break
            heard = listening.finish()
        finally:
            listening.close()
        return heard.text, heard.confidence or 0.0

    relation = Relation()
    for case, _, said in simulate(seed + 1_000_003, cases, speech):
        if case.two_people:
            continue
        text = said[0].text
        if text not in reference:
            clean = np.concatenate((np.zeros(RATE // 2, np.float32), said[0].command, np.zeros(RATE, np.float32)))
            noise = np.random.default_rng(0).normal(0, 3e-4, len(clean))
            reference[text] = recognise(np.rint((clean + noise) * 32767).astype("<i2").tobytes())[0]
        for heard in case.heard:
            envelope = Envelope()
            envelope.feed(heard.pcm)
            got, confidence = recognise(heard.pcm)
            right = bool(got) and got == reference[text]
            relation.measured.append((measure(envelope).snr_db, right, confidence if got else 0.0))
    engine.close()
    return relation


def main() -> None:
    """Simulate, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=int, default=600, help="how many commands (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="other houses, other words (default: %(default)s)")
    parser.add_argument("--speech", type=Path, default=ROOT.parent / "shared" / "speech", help="folder of recordings")
    parser.add_argument("--real", type=int, default=40, help="cases recognised by pocketsphinx (default: %(default)s)")
    parser.add_argument("--evidence", type=Path, help="write every decision's evidence there, a JSON object a line")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--silero", action="store_true", help="find the end of speech as the house does; takes longer")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a goal is missed")
    options = parser.parse_args()
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    start, cpu = time.monotonic(), time.process_time()
    speech = load_speech(options.speech)
    console.print(f"{len(speech.commands)} recorded commands from {speech.source}")
    end = end_of_speech(silero=options.silero)
    relation = measure_recogniser(options.seed, options.real, speech, end)
    cases: list[Case] = []
    rooms: list[House] = []
    history, former = History(), None
    arbitration_s = 0.0
    random = np.random.default_rng(options.seed + 2)
    stream = simulate(options.seed, options.cases, speech)
    for case, house, _ in track(stream, "simulating", total=options.cases, console=console):
        if house is not former:
            history, former = History(), house
        recogniser = DrawnRecogniser(relation, random, {str(h.satellite): h.says for h in case.heard}, end)
        before = time.process_time()
        run_virtually(arbitrate(case, house, history, recogniser, len(cases)))
        arbitration_s += time.process_time() - before
        for heard in case.heard:  # memory: the sound has been heard
            object.__setattr__(heard, "pcm", b"")
        cases.append(case)
        rooms.append(house)
    result = report(cases, rooms)
    result["recogniser measured on"] = len(relation.measured)
    result["arbitration ms per command"] = round(arbitration_s * 1000 / max(1, len(cases)), 1)
    result["seconds"], result["cpu seconds"] = round(time.monotonic() - start), round(time.process_time() - cpu)
    result["speech"] = speech.source
    if options.evidence:
        with options.evidence.open("w") as file:
            for case in cases:
                if case.evidence and not case.two_people:
                    right = next(iter(case.right_rooms.values()))
                    row = {"right": right, "lead_db": case.lead_db, "number": case.number, "evidence": case.evidence}
                    file.write(json.dumps(row) + "\n")
    if options.json:
        print(json.dumps(result))
    else:
        _print(result)
    if options.check and (goals := missed(result)):
        sys.exit("\n".join(goals))


def _print(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("commands", "cases", "right room", "first heard", "loudest")
    for name, row in result["rates"].items():
        percent = ["-" if row[who] is None else f"{row[who]:.1%}" for who in ("hearth", "first", "loudest")]
        table.add_row(name, str(row["cases"]), *percent)
    console.print(table)
    for name, value in itertools.islice(result.items(), 0, None):
        if name != "rates":
            console.print(f"{name}: {value}")


if __name__ == "__main__":
    main()
