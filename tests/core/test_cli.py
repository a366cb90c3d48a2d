"""The command line: instant help, one line for every error, the exit codes that scripts rely on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest
import yaml

from hearth_core import __version__, cli
from hearth_core.config import Config
from hearth_core.errors import EngineError, InputError


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEARTH_CONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def command(monkeypatch: pytest.MonkeyPatch, callback: object) -> None:
    """Let `hearth server` do this."""
    module = ModuleType("pretended")
    module.server = click.command()(click.pass_obj(callback))  # type: ignore[attr-defined, arg-type]
    monkeypatch.setitem(sys.modules, "pretended", module)
    monkeypatch.setitem(cli.COMMANDS, "server", ("pretended:server", ""))


def test_help_imports_nothing_but_click() -> None:
    code = (
        "import sys; before = set(sys.modules); from hearth_core.cli import run; code = run(['--help']);"
        "print(code, sorted({name.partition('.')[0] for name in set(sys.modules) - before}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    code_text, _, names = done.stderr.partition(" ")
    assert code_text == "0"
    third_party = {name for name in eval(names) if name not in sys.stdlib_module_names and not name.startswith("_")}
    assert third_party <= {"click", "hearth_core"}
    for name, (_, line) in cli.COMMANDS.items():
        assert f"  {name}" in done.stdout
        assert line in done.stdout


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"hearth {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["--nonsense"], ["config", "nonsense"], ["config", "show", "x"]]
)
def test_wrong_usage_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(arguments) == 2
    assert "Usage: hearth" in capsys.readouterr().err


def test_every_command_is_there_or_says_what_to_install(capsys: pytest.CaptureFixture[str]) -> None:
    for name in cli.COMMANDS:
        code = cli.run([name, "--help"])
        out = capsys.readouterr()
        assert code == 0 or (code == 2 and "pip install 'hearth-voice[" in out.err), name


def test_the_line_in_the_table_is_the_commands_own() -> None:
    """A command that is there has help of its own, so that the table does not stand for nothing."""
    for name in cli.COMMANDS:
        try:
            found = cli.hearth.get_command(click.Context(cli.hearth), name)
        except InputError:
            continue
        assert found is not None
        assert found.help, name


def test_a_missing_package_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "hearth_server.cli", None)
    assert cli.run(["server"]) == 2
    assert capsys.readouterr().err == (
        "hearth: the package hearth_server.cli is not installed. pip install 'hearth-voice[server]'\n"
    )

    def late(_: cli.Invocation) -> None:
        raise ModuleNotFoundError("No module named 'rich'", name="rich")

    command(monkeypatch, late)
    assert cli.run(["server"]) == 2
    assert capsys.readouterr().err.startswith("hearth: the package rich is not installed. pip install")


def test_an_error_is_one_line_without_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: cli.Invocation) -> None:
        raise EngineError("no such\nengine", remedy="Use another")

    command(monkeypatch, fail)
    assert cli.run(["server"]) == 2
    assert capsys.readouterr().err == "hearth: no such engine. Use another\n"


def test_a_commands_exit_code_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    command(monkeypatch, lambda _: click.get_current_context().exit(7))
    assert cli.run(["server"]) == 7
    command(monkeypatch, lambda _: sys.exit(1))
    with pytest.raises(SystemExit) as ended:
        cli.run(["server"])
    assert ended.value.code == 1


def test_ctrl_c_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: cli.Invocation) -> None:
        raise KeyboardInterrupt

    command(monkeypatch, interrupt)
    assert cli.run(["server"]) == 128 + signal.SIGINT


def test_a_command_gets_the_options_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("mine.yaml").write_text("server: {port: 0}\n")
    seen: list[cli.Invocation] = []
    command(monkeypatch, seen.append)
    assert cli.run(["--config", "mine.yaml", "-vv", "server"]) == 0
    assert cli.run(["server"]) == 0
    assert seen == [cli.Invocation(Path("mine.yaml"), 2), cli.Invocation(None, 0)]
    assert seen[0].config().server.port == 0
    assert seen[1].config() == Config()


def test_config_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["config", "check"]) == 0
    assert "the defaults hold" in capsys.readouterr().out
    Path("hearth.yaml").write_text("language: en\n")
    assert cli.run(["config", "check"]) == 0
    assert capsys.readouterr().out == "hearth.yaml: correct\n"
    Path("bad.yaml").write_text("language: en\nserver: {prot: 1, port: x}\n")
    for arguments in (["config", "check", "bad.yaml"], ["--config", "bad.yaml", "config", "check"]):
        assert cli.run(arguments) == 2
        assert capsys.readouterr().err == (
            "bad.yaml:2: server.prot: is not a key that is known. Did you mean port?\n"
            "bad.yaml:2: server.port: should be a valid integer. Port to listen on; 0 takes a free one\n"
        )
    assert cli.run(["config", "check", "none.yaml"]) == 2
    assert capsys.readouterr().err == "hearth: none.yaml does not exist. Give the path of a YAML file\n"


def test_config_show_is_a_configuration_again(capsys: pytest.CaptureFixture[str]) -> None:
    Path("hearth.yaml").write_text("server: {port: 0}\n")
    assert cli.run(["config", "show"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("# hearth.yaml\n")
    Path("again.yaml").write_text(shown)
    assert cli.Invocation(Path("again.yaml")).config() == Config.model_validate({"server": {"port": 0}})
    assert yaml.safe_load(shown)["server"]["port"] == 0


def test_config_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["server"]


def test_a_reader_that_goes_is_no_error() -> None:
    """As `hearth config schema | head`, but the reader has gone before the first byte."""
    reading, writing = os.pipe()
    os.close(reading)
    code = "import sys; from hearth_core.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "config", "schema"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode in (0, 1)
