"""The script of the whole run: what a stage takes was made before it, and an interrupted run goes on."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# In the place of Python: writes down what is asked of it, leaves what the script looks for, and ends where it is told.
PYTHON = """#!/usr/bin/env bash
[ "$1" = -c ] && exit "$NO_GPU"
echo "$*" >> "$HEARTH_TRAIN/asked"
[[ "$*" == *"$END_AT"* ]] && exit 3
case "$2 $3" in
  "hearth_train.train --run") mkdir -p "$HEARTH_TRAIN/runs/$4" && touch "$HEARTH_TRAIN/runs/$4"/{model.pt,curves.png} ;;
  "hearth_train.kokoro plan") mkdir -p "$HEARTH_TRAIN/kokoro" && touch "$HEARTH_TRAIN/kokoro/plan.json" ;;
esac
exit 0
"""
Run = Callable[..., list[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return what runs the script in a tree of its own, and tells what it asked for."""
    for folder in ("train", "docs/images", "bin", "work/voices"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(ROOT / "train" / "run.sh", tmp_path / "train")
    (tmp_path / "work" / "voices" / ".ready").touch()
    for name, text in (("python", PYTHON), ("flite", "#!/bin/sh\n")):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)

    def asked(end_at: str = "nowhere", *, gpu: bool = False) -> list[str]:
        given = {
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "PYTHON": str(tmp_path / "bin" / "python"),
            "HEARTH_TRAIN": str(tmp_path / "work"),
            "END_AT": end_at,
            "NO_GPU": "0" if gpu else "1",
        }
        log = tmp_path / "work" / "asked"
        log.unlink(missing_ok=True)
        command = ["bash", str(tmp_path / "train" / "run.sh")]
        ended = subprocess.run(command, env=given, capture_output=True, check=False)
        assert ended.returncode == (0 if end_at == "nowhere" else 3), ended.stderr
        return log.read_text().splitlines()

    return asked


@pytest.mark.parametrize("gpu", [False, True])
def test_what_a_stage_takes_was_made_before(run: Run, gpu: bool) -> None:
    asked = run(gpu=gpu)
    trained: list[str] = []
    for line in asked:
        module = re.match(r"-m (\S+)|(bench/\S+)", line)
        assert module
        assert find_spec(module[1]) if module[1] else (ROOT / module[2]).exists()
        made = re.match(r"-m hearth_train\.train --run (\S+)", line)
        taken = re.findall(r"/runs/(\w+)/", line) + ([] if made else re.findall(r"--run (\w+)", line))
        assert set(taken) <= set(trained), line
        trained += [made[1]] if made else []
    assert trained == ["first", "big", "shared", "both", "pruned"]


def test_the_table_at_the_end_is_of_all_sizes(run: Run) -> None:
    asked = run()
    assert asked[-1].startswith("bench/footprint.py")
    assert re.findall(r"--run (\w+)", asked[-1]) == ["big", "shared", "pruned", "both"]
    page = (ROOT / "docs" / "micro.md").read_text("utf-8")
    documented = re.search(r"python (bench/footprint\.py --run [^`]*)`", page)
    assert documented
    assert documented[1] == asked[-1]
    pruned = next(line for line in asked if "--run pruned" in line and "hearth_train.train" in line)
    assert re.search(r"--start-from \S+/runs/big/model\.pt --prune 0\.6 ", pruned)
    assert '"shared"' not in pruned


def test_a_run_that_ended_goes_on(run: Run) -> None:
    whole = run("hearth_train.align")  # a model was trained, but what it says of the pronunciations is not known
    assert whole[-1].startswith("-m hearth_train.align")
    again = run("--run big")
    assert [line for line in again if "--run first" in line or "align" in line], "so it is asked again"
    assert not [line for line in again if "kokoro plan" in line], "the plan is there"
    last = run()
    assert not [line for line in last if "--run first" in line or "align" in line], "now it is known"
    assert [line.split()[3] for line in last if "hearth_train.train" in line] == ["big", "shared", "both", "pruned"]


def test_features_are_made_anew_once_the_pronunciations_are_known(run: Run, tmp_path: Path) -> None:
    index = tmp_path / "work" / "features" / "real" / "made-0.json"
    index.parent.mkdir(parents=True)
    index.touch()
    run("hearth_train.align")
    assert index.exists()
    asked = run()
    assert not index.exists()
    assert [line for line in asked if line.startswith("-m hearth_train.features")] == ["-m hearth_train.features"] * 2
