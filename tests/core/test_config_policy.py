"""Mistakes in the sections `policy` and `conversation`: each with its line and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from hearth_core.config import problems as problems_of


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("policy:\n  rules:\n    - domains: [lock]\n", 3, "decision"),
        ("policy:\n  rules:\n    - {domains: [lock], decision: ask}\n", 3, "'allow', 'confirm', 'pin' or 'deny'"),
        ("policy:\n  rules:\n    - {domains: [lock], decision: pin}\n", 3, "needs a pin or pin_file"),
        ("policy:\n  rules:\n    - {decision: allow}\n", 3, "should say what it allows"),
        ("policy:\n  rules:\n    - {decision: deny, hours: late}\n", 3, "22:00-06:30"),
        ("policy:\n  rules:\n    - {decision: deny, hours: '25:00-06:00'}\n", 3, "22:00-06:30"),
        ("policy:\n  rules:\n    - {decision: deny, hours: '6:00-06:00'}\n", 3, "different times"),
        ("policy:\n  rules:\n    - {entities: [door], decision: deny}\n", 3, "match"),
        ("policy:\n  pin: '12'\n", 2, "4 to 8 digits"),
        ("policy:\n  pin: 1234\n", 2, "string"),
        ("policy:\n  pin: '1234'\n  pin_file: /x\n", 1, "not both"),
        ("policy:\n  pin_attempts: 0\n", 2, "greater than or equal to 1"),
        ("conversation:\n  reply_s: 1\n", 2, "greater than or equal to 5"),
    ],
)
def test_a_mistake_in_a_policy_names_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    file = tmp_path / "hearth.yaml"
    file.write_text(text)
    problems = [str(problem) for problem in problems_of(file)]
    assert any(f":{line}" in problem and says in problem for problem in problems), problems
    assert not any("1234" in problem for problem in problems)
