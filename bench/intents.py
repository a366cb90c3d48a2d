"""How often a sentence is understood: as written, misheard, and when it is no command at all; and how fast.

    python bench/intents.py [--json] [--tests DIR] [--languages en,de,fr,nl] [--parts tests,misheard,others,speed]

`--tests` takes a folder in Home Assistant's format, `<lang>/**/*.yaml` with `_fixtures.yaml`; the default is this
project's own sentences. Each figure stands beside what hassil gets with Home Assistant's sentences in the same run.

tests      intent and slots right.
misheard   the same sentences with 1 to 3 sounds wrong (see `misheard.py`), of those understood as written; never in
           free text, as in a shopping list, which no matcher can know better.
others     what is no command, and must not be acted upon (see `others.py`).
speed      milliseconds a text in homes of 300 and 2,000 things, half of the texts misheard; compile time and memory.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from hassil.intents import Intents
from hassil.recognize import RecognizeResult, recognize_best

sys.path.insert(0, str(Path(__file__).parent.parent))
from bench.misheard import Mishearing
from bench.others import other_sentences

from hearth_core.command import Clause, Context, Hypothesis, IntentMatch, Slot, Transcription
from hearth_core.errors import SentenceError
from hearth_core.home import Home
from hearth_intents.compile import compile_grammar
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import load_sentences
from hearth_intents.slots import home_lists
from hearth_intents.spoken import speech
from hearth_intents.test_file import SentenceTest, differences, read_tests, test_files
from tests.intents.homes import large_home

T = TypeVar("T")

ROOT = Path(__file__).parent.parent
ERRORS = (1, 2, 3)
SIZES = (300, 2_000)
TEXTS = 400
SEED = 20261121

# What only tells something is no action, however wrong it is.
_HARMLESS = ("HassGet", "HassRespond", "HassNevermind", "HassTimerStatus", "HassClimateGet", "HassPersonGet")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--tests", type=Path, default=ROOT / "tests" / "sentences", help="folder of test sentences")
    parser.add_argument("--languages", default="en,de,fr,nl", help="which of its folders (default: %(default)s)")
    parser.add_argument("--parts", default="tests,misheard,others,speed", help="what to measure")
    parser.add_argument("--failures", action="store_true", help="print what is not right")
    options = parser.parse_args()
    parts = options.parts.split(",")
    languages = [code for code in options.languages.split(",") if (options.tests / code).is_dir()]
    result: dict[str, Any] = {"benchmark": "intents", "tests": options.tests.name}
    if "tests" in parts or "misheard" in parts:
        result["languages"] = [_language(options.tests, code, parts, options.failures) for code in languages]
    if "others" in parts:
        result["others"] = _others(options.failures)
    if "speed" in parts:
        result["speed"] = [_speed(large_home(size)) for size in SIZES]
    if options.json:
        print(json.dumps(result))
    else:
        _print_tables(result)


# -- who understands ---------------------------------------------------------------------------------------------------


class Hassil:
    """hassil with Home Assistant's sentences and a home's names, as Home Assistant runs it; without forgiveness."""

    def __init__(self, language: str, home: Home) -> None:
        self._intents = _hassil_intents(language)
        self._lists = home_lists(home, speech(language))
        self._home = home

    def __call__(self, text: str, context: Context) -> tuple[IntentMatch, ...]:
        """Return what a text means."""
        area = self._home.areas.get(context.area_id or "")
        found = recognize_best(
            text,
            self._intents,
            slot_lists={**self._lists},
            intent_context={"area": {"value": area.area_id, "text": area.name}} if area else None,
            best_slot_name="name",
        )
        return (_match(found, text),) if found else ()


def _match(found: RecognizeResult, text: str) -> IntentMatch:
    slots = {n: Slot(e.text.strip() if e.value is None else e.value, e.text) for n, e in found.entities.items()}
    return IntentMatch(found.intent.name, slots, text)


@cache
def _hassil_intents(language: str) -> Intents:
    from home_assistant_intents import get_intents

    return Intents.from_dict(get_intents(language) or {})


class Hearth:
    """The matcher, asked as the server asks it."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher

    def clauses(self, text: str, context: Context) -> tuple[Clause, ...]:
        """Return all that a text means."""
        return self._matcher.understand(Transcription((Hypothesis(text),), "text"), context).clauses

    def __call__(self, text: str, context: Context) -> tuple[IntentMatch, ...]:
        """Return what a text means and would be done at once: nothing where Hearth would ask."""
        clauses = self.clauses(text, context)
        sure = len(clauses) == 1 and not clauses[0].rivals and clauses[0].when is None
        return clauses[0].matches if sure else ()


Reader = Callable[[str, Context], tuple[IntentMatch, ...]]


@cache
def _matcher(language: str, home_of: Path) -> Matcher:
    return Matcher(load_sentences(language), read_tests(home_of).home)


# -- sentences of a folder ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence to understand, and who does."""

    test: SentenceTest
    home: Home
    context: Context
    ours: Reader
    theirs: Reader


def _cases(folder: Path, language: str) -> Iterator[Case]:
    readers: dict[int, tuple[Home, Reader, Reader]] = {}
    known: list[tuple[Home, Reader, Reader]] = []
    for path in test_files([folder / language]):
        try:
            file = read_tests(path)
        except SentenceError as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        entry = next((entry for entry in known if entry[0] == file.home), None)
        if entry is None:
            entry = file.home, Hearth(Matcher(load_sentences(language), file.home)), Hassil(language, file.home)
            known.append(entry)
        readers[id(file)] = entry
        for test in file.tests:
            yield Case(test, entry[0], Context(language=language, area_id=test.area_id), entry[1], entry[2])


def _right(case: Case, matches: Sequence[IntentMatch]) -> bool:
    return not differences(case.test, matches, case.home)


def _language(folder: Path, language: str, parts: list[str], failures: bool) -> dict[str, Any]:
    cases = list(_cases(folder, language))
    ours = [_right(case, case.ours(case.test.text, case.context)) for case in cases]
    theirs = [_right(case, case.theirs(case.test.text, case.context)) for case in cases]
    row: dict[str, Any] = {
        "language": language,
        "sentences": len(cases),
        "right": sum(ours),
        "hassil_right": sum(theirs),
        "lost": sum(h and not o for h, o in zip(theirs, ours, strict=True)),
    }
    if failures:
        for case, right in zip(cases, ours, strict=True):
            if not right:
                _print_failure(case, case.test.text)
    if "misheard" in parts:
        row["misheard"] = _misheard([c for c, right in zip(cases, ours, strict=True) if right], language, failures)
    return row


def _print_failure(case: Case, text: str) -> None:
    told = differences(case.test, case.ours(text, case.context), case.home)
    print(f"{text!r} ({case.test.text}): {case.test.intent}: {'; '.join(told)}", file=sys.stderr)


@dataclass(slots=True)
class Tally:
    """What became of misheard sentences."""

    right: int = 0
    wrong: int = 0
    silent: int = 0
    wrong_actions: list[str] = field(default_factory=list)

    def add(self, case: Case, matches: Sequence[IntentMatch], text: str) -> None:
        """Count one."""
        if not matches:
            self.silent += 1
        elif _right(case, matches):
            self.right += 1
        else:
            self.wrong += 1
            if not matches[0].intent.startswith(_HARMLESS):
                self.wrong_actions.append(f"{text!r} for {case.test.text!r}: {_told(matches[0])}")


def _told(match: IntentMatch) -> str:
    return f"{match.intent} { ({name: slot.value for name, slot in match.slots.items()}) }"


def _misheard(cases: list[Case], language: str, failures: bool) -> list[dict[str, Any]]:
    mishearing = Mishearing(language)
    spoken = speech(language)
    rows = []
    for errors in ERRORS:
        rng = Random(SEED + errors)
        ours, theirs, asked = Tally(), Tally(), 0
        scored: list[tuple[float, bool]] = []
        for case in cases:
            text = " ".join(mishearing.sentence(spoken.words(case.test.text), errors, rng, _free_words(case)))
            matches = case.ours(text, case.context)
            asked += not matches and bool(_clauses(case, text))
            scored += [(match.score, _right(case, (match,))) for match in matches[:1] if match.score < 1]
            ours.add(case, matches, text)
            theirs.add(case, case.theirs(text, case.context), text)
            if failures and errors == 1 and not _right(case, matches):
                _print_failure(case, text)
        for wrong in ours.wrong_actions if failures else ():
            print(f"wrong action at {errors}: {wrong}", file=sys.stderr)
        rows.append(
            {
                "errors": errors,
                "sentences": len(cases),
                "right": ours.right,
                "asked": asked,
                "wrong": ours.wrong,
                "wrong_actions": len(ours.wrong_actions),
                "calibration_error": _calibration_error(scored),
                "hassil_right": theirs.right,
                "hassil_wrong_actions": len(theirs.wrong_actions),
            }
        )
    return rows


def _calibration_error(scored: Sequence[tuple[float, bool]]) -> float | None:
    """Return the expected calibration error over ten bins: how far the score is from the share that is right.

    Source: Naeini et al. 2015. A sentence to the letter has no say; a lower score for free text counts against it.
    """
    bins: dict[int, list[tuple[float, bool]]] = {}
    for score, right in scored:
        bins.setdefault(min(9, int(score * 10)), []).append((score, right))
    apart = (abs(sum(s for s, _ in each) - sum(r for _, r in each)) for each in bins.values())
    return round(sum(apart) / len(scored), 3) if scored else None


def _free_words(case: Case) -> frozenset[str]:
    """Return the words of free text, which no matcher can know better than the recogniser."""
    slots = [
        slot for match in case.ours(case.test.text, case.context)[:1] for slot in match.slots.values() if slot.free
    ]
    return frozenset(word for slot in slots for word in speech(case.context.language).words(slot.text))


def _clauses(case: Case, text: str) -> tuple[Clause, ...]:
    return case.ours.clauses(text, case.context) if isinstance(case.ours, Hearth) else ()


# -- what is no command ------------------------------------------------------------------------------------------------


def _others(failures: bool) -> dict[str, Any]:
    home = large_home(SIZES[0])
    ours, theirs = Hearth(Matcher(load_sentences("en"), home)), Hassil("en", home)
    context = Context(area_id=next(iter(home.areas)))
    rows = []
    for source, sentences in other_sentences().items():
        acted = asked = hassil_acted = 0
        for text in sentences:
            clauses = ours.clauses(text, context)
            sure = not any(clause.rivals or (clause.when and clause.when.unclear) for clause in clauses)
            acts = [m for c in clauses for m in c.matches[:1] if not m.intent.startswith(_HARMLESS)]
            acted += sure and bool(acts)
            asked += not sure and bool(acts)
            if failures and acts:
                print(f"{'false action' if sure else 'asked'}: {text!r}: {_told(acts[0])}", file=sys.stderr)
            found = theirs(text, context)
            hassil_acted += bool(found) and not found[0].intent.startswith(_HARMLESS)
        rows.append(
            {"source": source, "n": len(sentences), "acted": acted, "asked": asked, "hassil_acted": hassil_acted}
        )
    total: dict[str, Any] = {key: sum(row[key] for row in rows) for key in ("n", "acted", "asked", "hassil_acted")}
    return {"sources": rows, "total": {"source": "all", **total}}


# -- speed -------------------------------------------------------------------------------------------------------------


def _speed(home: Home) -> dict[str, Any]:
    sentences = load_sentences("en")
    start = time.perf_counter()
    Matcher(sentences, home)
    build = time.perf_counter() - start
    tracemalloc.start()
    matcher = Matcher(sentences, home)
    memory = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    ours, theirs = Hearth(matcher), Hassil("en", home)
    rng = Random(SEED)
    said = compile_grammar(sentences, home).graph.sample(rng, TEXTS)
    mishearing = Mishearing("en")
    texts = [
        " ".join(words if at % 2 else mishearing.sentence(words, 1 + at % 3, rng)) for at, words in enumerate(said)
    ]
    context = Context(area_id=next(iter(home.areas)))
    for text in texts[:20]:
        ours(text, context), theirs(text, context)
    mine, hassils = [_timed(ours, t, context) for t in texts], [_timed(theirs, t, context) for t in texts]
    return {
        "things": len(home.entities),
        "build_seconds": round(build, 3),
        "megabytes": round(memory / 1e6, 1),
        **{f"{k}_ms": round(v * 1000, 2) for k, v in _spread(mine).items()},
        **{f"hassil_{k}_ms": round(v * 1000, 2) for k, v in _spread(hassils).items()},
        "p95_ratio": round(_spread(mine)["p95"] / _spread(hassils)["p95"], 2),
    }


def _timed(reader: Reader, text: str, context: Context) -> float:
    best = float("inf")
    for _ in range(2):
        start = time.perf_counter()
        reader(text, context)
        best = min(best, time.perf_counter() - start)
    return best


def _spread(seconds: list[float]) -> dict[str, float]:
    return {"p50": statistics.median(seconds), "p95": statistics.quantiles(seconds, n=20)[-1]}


# -- tables ------------------------------------------------------------------------------------------------------------


def _print_tables(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if "languages" in result:
        table = Table("language", "sounds wrong", "sentences", "right", "asked", "wrong actions", "ECE", "hassil right")
        for row in result["languages"]:
            table.add_row(
                row["language"], "0", str(row["sentences"]), _share(row["right"], row["sentences"]), "", "", "",
                _share(row["hassil_right"], row["sentences"]),
            )  # fmt: skip
            for noisy in row.get("misheard", ()):
                count = noisy["sentences"]
                table.add_row(
                    "", str(noisy["errors"]), str(count), _share(noisy["right"], count), _share(noisy["asked"], count),
                    _share(noisy["wrong_actions"], count), str(noisy["calibration_error"]),
                    _share(noisy["hassil_right"], count),
                )  # fmt: skip
        console.print(table)
    if "others" in result:
        table = Table("no commands", "sentences", "acted", "asked", "hassil acted")
        for row in (*result["others"]["sources"], result["others"]["total"]):
            n = row["n"]
            told = (_share(row[key], n) for key in ("acted", "asked", "hassil_acted"))
            table.add_row(row["source"], str(n), *told)
        console.print(table)
    if "speed" in result:
        table = Table("things", "build s", "MB", "p50 ms", "p95 ms", "hassil p50", "hassil p95", "p95 / hassil")
        for row in result["speed"]:
            keys = ("things", "build_seconds", "megabytes", "p50_ms", "p95_ms", "hassil_p50_ms", "hassil_p95_ms")
            table.add_row(*(str(row[key]) for key in (*keys, "p95_ratio")))
        console.print(table)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} % ({part})" if whole else "-"


if __name__ == "__main__":
    main()
