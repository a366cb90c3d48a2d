"""Tests in a network of their own: nothing that they start can be reached from outside, nor reach out.

A process with threads cannot move into another network, so a file of tests is run by a pytest of its own there, once,
and each of its tests is told of one by one out here.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from .parts import missing, program

LIMIT_S = 240
INSIDE = "HEARTH_TESTS_IN_A_NAMESPACE"
# The route's src is essential: without it xknx has no address to send multicast from.
_SETUP = 'ip link set lo up && ip route add 224.0.0.0/4 dev lo src 127.0.0.1 && exec "$@"'


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a test inside ended: "passed", "failed" or "skipped", and what it said."""

    status: str
    text: str


_PASSED = Verdict("passed", "")


def names_in(file: Path) -> list[str]:
    """Return the names of the tests of a file without importing it."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [function.name for function in functions if function.name.startswith("test_")]


def run(file: Path, folder: Path) -> dict[str, Verdict]:
    """Run a file of tests in a fresh network; return the verdict on each test by its name."""
    unshare = [program("unshare", "util-linux"), "--map-root-user", "--net"]
    program("ip", "iproute2")
    tried = subprocess.run([*unshare, "true"], capture_output=True, text=True, timeout=20, check=False)
    if tried.returncode:
        missing(
            f"this test needs a network namespace: {tried.stderr.strip()}",
            "Allow it: sudo sysctl -w kernel.unprivileged_userns_clone=1, or run the container with --privileged",
        )
    report = folder / "inside.xml"
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    done = subprocess.run(
        [*unshare, "sh", "-c", _SETUP, "sh", *pytest, f"--confcutdir={file.parent}", str(file)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, INSIDE: "1"},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    if not report.exists():
        raise AssertionError(f"the tests in the namespace did not run:\n{done.stdout}{done.stderr}")
    verdicts: dict[str, Verdict] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        found = {child.tag: child for child in case}
        status = "failed" if found.keys() & {"failure", "error"} else "skipped" if "skipped" in found else "passed"
        text = "\n".join(f"{child.get('message', '')}\n{child.text or ''}" for child in case)
        name = case.get("name", "")
        if verdicts.get(name, _PASSED).status == "passed":  # a fixture's end may fail after its test has passed
            verdicts[name] = Verdict(status, text)
    return verdicts
