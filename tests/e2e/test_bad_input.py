"""Every mistake at the command line: one line that says what to do, exit code 2, no traceback."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest


def hearth(*arguments: str, cwd: Path, stdin: int = subprocess.DEVNULL) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hearth_core", *arguments]
    return subprocess.run(command, cwd=cwd, stdin=stdin, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("this is not audio")
    (tmp_path / "header.wav").write_bytes(
        b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80>\0\0\0}\0\0\2\0\x10\0data\0\0\0\0"
    )
    (tmp_path / "broken.yaml").write_text("server: [unclosed\n")
    (tmp_path / "unknown.yaml").write_text("language: en\nserver:\n  prot: 1\n")
    (tmp_path / "type.yaml").write_text("server:\n  port: many\n")
    (tmp_path / "badsentences").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("transcribe", "missing.wav"), "missing.wav"),
        (("transcribe", "empty.wav"), "empty.wav"),
        (("transcribe", "text.wav"), "text.wav"),
        (("transcribe", "header.wav"), "header.wav"),
        (("transcribe", "--engine", "nosuch", "text.wav"), ""),
        (("server", "--engine", "nosuch"), "nosuch"),
        (("--config", "missing.yaml", "server"), "missing.yaml"),
        (("--config", "broken.yaml", "server"), "broken.yaml:"),
        (("--config", "unknown.yaml", "server"), "unknown.yaml:3"),
        (("--config", "unknown.yaml", "config", "check"), "port"),
        (("config", "check", "type.yaml"), "type.yaml:2"),
        (("satellite", "--mic-file", "missing.wav"), "missing.wav"),
        (("satellite", "--mic-file", "text.wav", "--wake", "none"), "text.wav"),
        (("satellite", "--mic-file", "empty.wav", "--wake", "none"), "empty.wav"),
        (("satellite", "--wake", "no_such_word", "--stdin"), "no_such_word"),
        (("say", "--server", "tcp://127.0.0.1:1", "hello"), "127.0.0.1:1"),
        (("say", "--server", "nonsense", "hello"), "nonsense"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_mistake_is_told_in_one_line(folder: Path, arguments: tuple[str, ...], says: str) -> None:
    done = hearth(*arguments, cwd=folder)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert says in done.stderr + done.stdout
    assert len(done.stderr.strip().splitlines()) <= 3, done.stderr


@pytest.mark.parametrize("command", [("server", "--port"), ("satellite", "--stdin", "--wake", "none", "--port")])
def test_a_port_that_is_taken_is_told(folder: Path, command: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = hearth(*command, port, cwd=folder)
    assert done.returncode == 2, done.stderr
    assert port in done.stderr
    assert "Traceback" not in done.stderr
