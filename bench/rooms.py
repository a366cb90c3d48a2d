"""How often the right room answers, over simulated houses: `hearth_server.arbitration` itself, with the clock moved.

    python bench/rooms.py [--cases 600] [--seed 1] [--speech DIR] [--real 40] [--silero] [--json]

Houses of 2 to 4 satellites are built by `bench/rooms_acoustics.py`: rooms in a row, doors open and closed, a fridge or
a recorded noise beside one satellite in every other house, microphones of -6 to +6 dB, clocks that are up to 100 ppm
wrong, a network of 2 to 300 ms each way with jitter. In each, a dozen commands are spoken one after the other by
people in rooms that have a satellite; in one of ten two people speak in two rooms at once. What every satellite hears
goes through the real wake word model, and, where that detects it, with the satellite's own figures to the server's
real arbitration.

The wake words are the tests' synthesised ones, up to 6 % faster or slower; the commands are real speech: from DIR (the
recordings of home-commands and barista-dev, by default ../shared/speech), else those of examples/recordings. What the
recogniser makes of a stream is measured on the first `--real` cases with pocketsphinx (text right or not, confidence),
and drawn for the others from what it made of the stream with the most similar signal-to-noise ratio. The end of speech
is found by loudness, which takes a fiftieth of the time of Silero's, unless `--silero` asks for the real one.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import time
from collections.abc import AsyncIterable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench.rooms_acoustics import RATE, House, Placed, Sound, build, hear, responses, stand  # noqa: E402
from bench.rooms_speech import Said, Speech, load_noises, load_speech, pink  # noqa: E402
from bench.virtual_time import run_virtually  # noqa: E402

from hearth_core.command import Context, EndReason, Hypothesis, Stopwatch, Transcription  # noqa: E402
from hearth_core.speech import Endpointer, EndpointSettings, SileroDetector, SpeechDetector  # noqa: E402
from hearth_satellite.loudness import Loudness as WakeLoudness  # noqa: E402
from hearth_satellite.wake import MicroWakeWord  # noqa: E402
from hearth_server.arbitration import Arbitration, Rules  # noqa: E402
from hearth_server.hearing import Ear, Hearing, Verdict, WakeFacts  # noqa: E402
from hearth_server.latency import Latency  # noqa: E402
from hearth_server.rooms_history import History  # noqa: E402
from hearth_server.rooms_sound import Envelope, measure  # noqa: E402

COMMANDS_PER_HOUSE: Final = 12
WARM_AFTER: Final = 6  # commands, after which a house counts as known
CHUNK: Final = 512
LEAD_S: Final = 2.6  # of the room before the wake word
TAIL_S: Final = 1.2
# Less than a satellite sends: the end of these wake words is taken for a command of its own by recogniser and
# end-pointer.
PREROLL_S: Final = 0.1
TWO_PEOPLE: Final = 0.1
NEARER_DB: Final = 6.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What one satellite makes of a case."""

    satellite: int
    pcm: bytes  # from the preroll on
    detected_s: float  # on the house's clock
    score: float | None
    noise_dbfs: float | None
    true_dbfs: float  # of the speaker in the right room, before gain and noise
    says: str  # which of the commands is louder here


@dataclass(slots=True)
class Case:
    """One moment in a house and what became of it."""

    satellites: int
    number: int  # how many commands the house has heard before
    two_people: bool
    right_rooms: dict[str, int]  # text -> room
    heard: list[Heard] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)  # satellite, text
    first: int | None = None
    loudest: int | None = None
    nearest: int | None = None
    lead_db: float | None = None  # of the nearest over the next
    decided_after_s: float = 0.0
    recognised: int = 0
    stuck: bool = False
    evidence: list[dict[str, Any]] = field(default_factory=list)


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
        self, audio: AsyncIterable[bytes], context: Context, watch: Stopwatch | None = None
    ) -> Transcription:
        """Hear a stream to its end."""
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


def simulate(seed: int, cases: int, speech: Speech) -> Iterator[tuple[Case, House, list[Said]]]:
    """Yield cases, house after house, each as its satellites hear it."""
    random = np.random.default_rng(seed)
    noises = load_noises(speech.folder)
    done = 0
    while done < cases:
        house = build(random, int(random.integers(2, 5)))
        wake = str(random.choice(sorted(speech.wake)))
        for number in range(min(COMMANDS_PER_HOUSE, cases - done)):
            done += 1
            two = bool(random.random() < TWO_PEOPLE)
            places = random.choice([s.room for s in house.satellites], 1 + two, replace=False)
            said = [speech.say(random, wake) for _ in places]
            while two and said[1].text == said[0].text:
                said[1] = speech.say(random, wake)
            yield _heard(random, house, [int(p) for p in places], said, wake, noises, number), house, said


def _heard(
    random: np.random.Generator,
    house: House,
    rooms: Sequence[int],
    said: Sequence[Said],
    wake: str,
    noises: Sequence[Sound],
    number: int,
) -> Case:
    case = Case(len(house.satellites), number, len(said) > 1, {s.text: r for s, r in zip(said, rooms, strict=True)})
    length = int(LEAD_S * RATE) + max(len(s.sound) for s in said) + int((TAIL_S + 0.3) * RATE)
    voices: list[list[Sound]] = []
    for room, one in zip(rooms, said, strict=True):
        padded = np.zeros(length, np.float32)
        at = int((LEAD_S + random.uniform(0, 0.3) * (len(said) > 1)) * RATE)
        padded[at : at + len(one.sound)] = one.sound
        way = responses(house, room, stand(random, house, room))
        voices.append([hear(padded, r, s.clock_ppm) for r, s in zip(way, house.satellites, strict=True)])
    for index, satellite in enumerate(house.satellites):
        levels = [10 * np.log10(float(np.mean(np.square(v[index]))) + 1e-15) for v in voices]
        mixed = sum(v[index] for v in voices) + _noise(random, satellite, noises, length)
        mixed = np.clip(mixed * 10 ** (satellite.gain_db / 20), -1.0, 32767 / 32768)
        found = _detect(np.rint(mixed * 32768).astype("<i2"), wake)
        if found is not None:
            at_s, score, noise_dbfs, pcm = found
            case.heard.append(
                Heard(index, pcm, at_s, score, noise_dbfs, float(levels[0]), said[int(np.argmax(levels))].text)
            )
    if len(said) == 1 and case.heard:
        ranked = sorted(case.heard, key=lambda h: -h.true_dbfs)
        case.nearest = ranked[0].satellite
        case.lead_db = ranked[0].true_dbfs - ranked[1].true_dbfs if len(ranked) > 1 else None
    return case


def _noise(random: np.random.Generator, satellite: Placed, noises: Sequence[Sound], length: int) -> Sound:
    noise = pink(random, length) * 10 ** (random.uniform(-72.0, -64.0) / 20)
    noise += random.normal(0.0, 10 ** (-78 / 20), length)  # the microphone's own
    if satellite.noise is not None:
        loud = 10 ** (satellite.noise.level_dbfs / 20)
        if satellite.noise.kind < 0 or not noises:
            noise += loud * _fridge(random, length)
        else:
            recorded = noises[satellite.noise.kind % len(noises)]
            at = int(random.integers(max(1, len(recorded) - length)))
            noise += loud * np.resize(recorded[at : at + length], length)
    return noise.astype(np.float32)


def _fridge(random: np.random.Generator, length: int) -> Sound:
    """Return a compressor: harmonics of the mains over pink noise, at a level of 1."""
    t = np.arange(length) / RATE
    hum = sum(np.sin(2 * np.pi * (50 * k * t + random.random())) / k for k in (1, 2, 3, 4, 6, 8))
    both = hum / np.std(hum) + pink(random, length)
    return np.asarray(both / np.std(both), np.float32)


def _detect(
    samples: np.ndarray[Any, np.dtype[np.int16]], wake: str
) -> tuple[float, float | None, float | None, bytes] | None:
    """Return when the real wake word model detects, its score, the room's noise, and what is streamed from then on."""
    model, room = MicroWakeWord([wake]), WakeLoudness()
    for start in range(0, len(samples) - CHUNK, CHUNK):
        pcm = samples[start : start + CHUNK].tobytes()
        room.hear(pcm)
        detection = model.feed(pcm)
        if detection is not None:
            end = start + CHUNK
            streamed = samples[max(0, end - int(PREROLL_S * RATE)) :].tobytes()
            return end / RATE, detection.score, room.facts().get("noise_dbfs"), streamed
    return None


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
        wake = WakeFacts(heard.score, heard.noise_dbfs, latency.delay_s, latency.jitter_s)
        await asyncio.sleep(heard.detected_s + on_the_way())
        name = str(heard.satellite)
        hearing = arbitration.begin(Ear(name), Context(satellite=name, area_id=name), wake)
        if hearing.granted and case.first is None:
            case.first = heard.satellite
        streaming = asyncio.create_task(stream(hearing, heard, on_the_way))
        try:
            async with asyncio.timeout(60):
                verdicts[heard.satellite] = await hearing.verdict
            ended_s = max(ended_s, loop.time())
        except TimeoutError:
            case.stuck = True
        finally:
            streaming.cancel()

    async def stream(hearing: Hearing, heard: Heard, on_the_way: Any) -> None:
        # Chunks are taken by the satellite's clock; none overtakes another on the way.
        began, arrived = loop.time(), 0.0
        step_s = CHUNK / RATE * (1 + house.satellites[heard.satellite].clock_ppm * 1e-6)
        preroll = int(PREROLL_S * RATE / CHUNK)
        base_s = on_the_way()
        for index, start in enumerate(range(0, len(heard.pcm), 2 * CHUNK)):
            arrived = max(arrived, max(0, index - preroll) * step_s + on_the_way() - base_s)
            await asyncio.sleep(max(0.0, began + arrived - loop.time()))
            hearing.put(heard.pcm[start : start + 2 * CHUNK])
        await asyncio.sleep(0.5)
        hearing.complete()

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

    engine = load_engine(ServerConfig())
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


# --- the report -------------------------------------------------------------------------------------------------------


def report(cases: Sequence[Case], rooms: Sequence[House]) -> dict[str, Any]:
    """Return the figures."""

    def rate(chosen: Sequence[tuple[Case, House]], who: str) -> float | None:
        right = 0
        for case, house in chosen:
            index = case.answers[0][0] if who == "hearth" and case.answers else getattr(case, who, None)
            right += index is not None and house.satellites[index].room in case.right_rooms.values()
        return round(right / len(chosen), 4) if chosen else None

    single = [(c, h) for c, h in zip(cases, rooms, strict=True) if not c.two_people and c.heard]
    woke = [(c, h) for c, h in single if _right_room_woke(c, h)]
    several = [(c, h) for c, h in woke if len(c.heard) > 1]
    nearer = [(c, h) for c, h in several if (c.lead_db or 0.0) >= NEARER_DB and _nearest_is_right(c, h)]
    groups = {
        "the right room woke": woke,
        "several woke": several,
        f"nearer by {NEARER_DB:g} dB": nearer,
        "less than that": [pair for pair in several if pair not in nearer],
        "2 satellites": [(c, h) for c, h in several if c.satellites == 2],
        "3 satellites": [(c, h) for c, h in several if c.satellites == 3],
        "4 satellites": [(c, h) for c, h in several if c.satellites == 4],
        f"first {WARM_AFTER} in a house": [(c, h) for c, h in several if c.number < WARM_AFTER],
        "later ones": [(c, h) for c, h in several if c.number >= WARM_AFTER],
        "noise beside one": [(c, h) for c, h in several if any(s.noise for s in h.satellites)],
    }
    two = [c for c in cases if c.two_people]
    both_woke = [c for c in two if {h.says for h in c.heard} == set(c.right_rooms)]
    return {
        "cases": len(cases),
        "nobody woke": sum(not c.heard for c in cases),
        "right room did not wake": len(single) - len(woke),
        "rates": {
            name: {"cases": len(g), **{who: rate(g, who) for who in ("hearth", "first", "loudest")}}
            for name, g in groups.items()
        },
        "double actions": sum(_doubled(c) for c in cases),
        "stuck": sum(c.stuck for c in cases),
        "without answer": sum(not c.answers for c in cases if c.heard),
        "two people": {
            "cases": len(two),
            "both heard somewhere": len(both_woke),
            "both answered": sum(len({t for _, t in c.answers}) > 1 for c in both_woke),
            "more than two answers": sum(len(c.answers) > 2 for c in two),
            "one of them twice": sum(_doubled(c) for c in two),
        },
        "recognitions per command": round(
            sum(c.recognised for c in cases) / max(1, sum(bool(c.heard) for c in cases)), 2
        ),
        "satellites per command": round(
            sum(len(c.heard) for c in cases) / max(1, sum(bool(c.heard) for c in cases)), 2
        ),
    }


def _right_room_woke(case: Case, house: House) -> bool:
    return any(house.satellites[h.satellite].room in case.right_rooms.values() for h in case.heard)


def _nearest_is_right(case: Case, house: House) -> bool:
    return case.nearest is not None and house.satellites[case.nearest].room in case.right_rooms.values()


def _doubled(case: Case) -> bool:
    """Return whether one person's command was answered more than once."""
    texts = [text.removeprefix("not ") for _, text in case.answers]
    return len(texts) > len(case.right_rooms) or len(set(texts)) < len(texts)


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
