"""`hearth intents`: what each command prints, its JSON, and its exit code."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from hearth_core.cli import run
from tests.real.parts import program

DRILL = """\
language: en
intents:
  Drill:
    data:
      - sentences: ["start the drill [at {speed} percent]"]
        response: "Drilling"
        action: {service: light.turn_on, entity_id: light.bed_light, data: {brightness_pct: "{{ speed }}"}}
lists:
  speed: {range: {from: 10, to: 100, step: 10}}
"""
TESTS = """\
language: en
tests:
  - sentences: ["start the drill [at fifty percent]"]
    intent: {name: Drill}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("HEARTH_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "drill.yaml").write_text(DRILL)
    (tmp_path / "hearth.yaml").write_text("server: {sentences: [own]}\n")
    return tmp_path


def hearth(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["intents", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code, out, _ = hearth(capsys, *arguments, "--json")
    return code, json.loads(out)


@pytest.mark.usefixtures("folder")
def test_check_of_good_sentences_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = hearth(capsys, "check")
    assert code == 0, out
    assert out.splitlines()[-1].startswith("1 sentence file: ")
    assert "error" not in out


def test_check_names_file_line_column_and_remedy(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = folder / "own" / "bad.yaml"
    bad.write_text(DRILL.replace("Drill:", "Saw:").replace("{speed} percent", "{pace} percent"))
    code, out, _ = hearth(capsys, "check")
    assert code == 1
    assert f"{bad}:5:21: error: there is no list {{pace}}. Add it under lists" in out
    code, found = as_json(capsys, "check", "own")
    assert code == 1
    (error,) = (each for each in found if each["level"] == "error")
    assert (error["file"], error["line"], error["column"]) == ("own/bad.yaml", 5, 21)
    assert (error["message"], error["remedy"]) == ("there is no list {pace}", "Add it under lists")


def test_check_says_what_collides_and_what_needs_a_bus(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "own" / "saw.yaml").write_text(
        "language: en\nintents:\n  Saw:\n    data:\n      - sentences: ['start the (drill|saw)']\n"
        "        action: {mqtt: {topic: saw}}\n"
    )
    code, found = as_json(capsys, "check")
    assert code == 1
    assert {"conflict", "no-bus"} <= {each["code"] for each in found}


@pytest.mark.parametrize(
    ("text", "code", "facts"),
    [
        ("start the drill at fifty percent", 0, {"understood": True, "response": "Drilling", "refusal": None}),
        ("turn on the kettle", 0, {"understood": True, "response": "Turned on the switch"}),
        ("begin something else entirely", 1, {"understood": False, "actions": []}),
    ],
)
@pytest.mark.usefixtures("folder")
def test_try_says_what_would_be_done(
    text: str, code: int, facts: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    got, found = as_json(capsys, "try", text)
    assert got == code
    assert {key: found[0][key] for key in facts} == facts
    assert found[0]["outcomes"] == [], "nothing is done"
    got, out, _ = hearth(capsys, "try", text)
    assert got == code
    assert ("not understood" in out) == (code == 1)


@pytest.mark.usefixtures("folder")
def test_try_shows_intent_slots_plan_and_bus(capsys: pytest.CaptureFixture[str]) -> None:
    _, found = as_json(capsys, "try", "start the drill at fifty percent")
    (match,) = found[0]["matches"]
    assert (match["intent"], match["slots"]) == ("Drill", {"speed": {"value": 50, "text": "fifty"}})
    (action,) = found[0]["actions"]
    assert (action["service"], action["data"]) == ("light.turn_on", {"brightness_pct": 50})
    assert action["buses"] == {"light.bed_light": "demo"}


def test_try_says_that_a_bus_is_missing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "own" / "saw.yaml").write_text(
        "language: en\nintents:\n  Saw:\n    data:\n      - sentences: ['start the saw']\n"
        "        action: {mqtt: {topic: saw}}\n"
    )
    code, found = as_json(capsys, "try", "start the saw")
    assert code == 1
    assert [outcome["status"] for outcome in found[0]["outcomes"]] == ["unconfigured"]
    assert found[0]["response"] == "The MQTT broker is not connected to Hearth"


@pytest.mark.usefixtures("folder")
def test_try_does_it_when_told(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = as_json(capsys, "try", "--do", "turn on the bed light")
    assert code == 0
    assert found[0]["outcomes"] == [{"id": "light.bed_light", "status": "done", "detail": ""}]


@pytest.mark.usefixtures("folder")
def test_try_without_text_takes_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("turn on the kettle\n\nbegin something else entirely\n"))
    code, out, _ = hearth(capsys, "try")
    assert code == 1
    assert out.count("answer") == 2


@pytest.mark.usefixtures("folder")
def test_prompt_asks_until_the_end_of_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    said = iter(["turn on the kettle", ""])

    def ask(prompt: str) -> str:
        try:
            return next(said)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", ask)
    code, out, _ = hearth(capsys, "try")
    assert code == 0
    assert "HassTurnOn" in out


def test_explain_says_where_the_winner_stands_and_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = as_json(capsys, "explain", "start the drill")
    assert (code, found["winner"], found["where"]) == (0, "Drill", f"{folder / 'own' / 'drill.yaml'}:5")
    assert found["reason"]
    code, found = as_json(capsys, "explain", "start the dill now")
    assert (code, found["winner"]) == (1, None)
    first = found["nearest"][0]
    assert (first["said"], first["missing"], first["extra"]) == ("start the drill", ["drill"], ["dill", "now"])
    code, out, _ = hearth(capsys, "explain", "turn on the bet light")
    assert "missing  bed" in out
    assert "Bed Light" in out


@pytest.mark.usefixtures("folder")
def test_sample_is_seeded_and_understood(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = as_json(capsys, "sample", "Drill", "-n", "5")
    assert (code, len(found)) == (0, 5)
    assert as_json(capsys, "sample", "Drill", "-n", "5") == (0, found)
    assert as_json(capsys, "sample", "Drill", "-n", "5", "--seed", "8") != (0, found)
    for each in found:
        assert as_json(capsys, "try", each["text"])[1][0]["matches"][0]["intent"] == "Drill"
    code, _, err = hearth(capsys, "sample", "Nothing")
    assert code == 2
    assert "no intent Nothing" in err


@pytest.mark.usefixtures("folder")
def test_coverage_counts_what_can_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = as_json(capsys, "coverage")
    assert (code, found["unnamed"]) == (0, [])
    assert "HassTurnOn" in found["things"]["light.bed_light"]
    assert found["intents"]["Drill"] == 1
    code, out, _ = hearth(capsys, "coverage")
    assert "things can be named" in out
    code, rows = as_json(capsys, "coverage", "--languages")
    assert code == 0
    assert {"en", "de", "fr"} <= {row["language"] for row in rows}


def test_coverage_tells_what_cannot_be_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "_fixtures.yaml").write_text("entities: [{name: '🎄', id: light.tree}, {name: Desk, id: light.desk}]\n")
    code, found = as_json(capsys, "coverage", "--home", "_fixtures.yaml")
    assert (code, found["unnamed"]) == (1, ["light.tree"])


@pytest.mark.parametrize(("intent", "code", "line"), [("Drill", 0, "2 of 2"), ("Saw", 1, "0 of 2")])
def test_tests_are_run_and_counted(
    intent: str, code: int, line: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = TESTS.replace("name: Drill", f"name: {intent}")
    text = text.replace("start the drill [at fifty percent]", "[please] start the drill")
    (folder / "t.yaml").write_text(text)
    got, out, _ = hearth(capsys, "test", "t.yaml", "--home", "demo")
    assert got == code, out
    assert out.splitlines()[-1] == f"{line} sentences are right"


def test_wrong_test_says_what_is_wrong_and_where(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "t.yaml").write_text(TESTS)
    code, found = as_json(capsys, "test", "t.yaml", "--home", "demo")
    assert code == 1
    assert (found["sentences"], found["wrong"]) == (2, 1)
    (wrong,) = (each for each in found["results"] if not each["right"])
    assert wrong["wrong"] == ["speed is 50, which was not expected"]
    assert wrong["where"] == "t.yaml:3"


def test_tests_bring_their_home(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "tests").mkdir()
    (folder / "tests" / "_fixtures.yaml").write_text("entities: [{name: '[the] Tower', id: switch.tower}]\n")
    (folder / "tests" / "t.yaml").write_text(
        "language: en\ntests:\n  - sentences: [turn on the tower]\n"
        "    intent: {name: HassTurnOn, slots: {name: the Tower}}\n    response: Turned on the switch\n"
    )
    code, out, _ = hearth(capsys, "test", "tests", "-v")
    assert code == 0, out
    assert "HassTurnOn" in out


def test_tests_can_be_spoken(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program("espeak-ng", "espeak-ng")
    (folder / "t.yaml").write_text(
        "language: en\ntests:\n  - sentences: [turn on the bed light]\n"
        "    intent: {name: HassTurnOn, slots: {name: Bed Light}}\n"
    )
    code, found = as_json(capsys, "test", "t.yaml", "--home", "demo", "--speech")
    (result,) = found["results"]
    assert result["heard"] == "turn on the bed light"
    assert (code, result["right"]) == (0, True)


def test_without_a_synthesiser_speech_is_an_error(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "t.yaml").write_text(TESTS)
    monkeypatch.setattr("shutil.which", lambda name: None)
    code, _, err = hearth(capsys, "test", "t.yaml", "--home", "demo", "--speech")
    assert code == 2
    assert "apt install espeak-ng" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("check", "nowhere"), "nowhere is not a folder"),
        (("check", "--language", "xx"), "no sentences in 'xx'"),
        (("check", "--home", "castle"), "there is no home 'castle'"),
        (("try", "--area", "moat", "hello"), "no area 'moat'"),
        (("test", "nowhere"), "nowhere is not there"),
        (("test", "own"), "lacks tests"),
        (("test", "empty"), "no tests"),
        (("--config", "none.yaml", "check"), "No such option"),
        (("check", "--config", "none.yaml"), "none.yaml"),
        (("sample", "-n", "0"), "0"),
        (("watch", "nowhere"), "nowhere is not a folder"),
        (("nonsense",), "nonsense"),
    ],
)
def test_wrong_use_is_exit_code_two(
    arguments: tuple[str, ...], says: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "empty").mkdir()
    code, out, err = hearth(capsys, *arguments)
    assert code == 2, out
    assert says in err


async def test_watch_reports_a_bad_file_and_keeps_the_last_good(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from hearth_core.config import Config
    from hearth_server import intents_check
    from hearth_server.workbench import Wanted

    monkeypatch.setattr(intents_check, "LOOK_S", 0.0)
    path = folder / "own" / "drill.yaml"
    seen: list[str] = []

    async def look(seconds: float) -> None:
        seen.append(capsys.readouterr().out)
        if len(seen) == 2:
            path.write_text("intents: [\n")
        if len(seen) == 5:
            path.unlink()

    monkeypatch.setattr(intents_check, "pause", look)
    wanted = Wanted((folder / "own",), None, "demo")
    assert await intents_check.watch_sentences(Config(), wanted, as_json=False, looks=8) == 0
    assert "1 sentence file" in seen[0]
    told = "".join(seen[2:5])
    assert "error: not YAML" in told
    assert "its last good text stays in use" in told
    assert "0 sentence files" in "".join(seen[5:])
    assert sum(bool(text) for text in seen) == 3, "only changes are told"
