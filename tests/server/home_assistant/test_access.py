"""Where the token comes from, and that nothing shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from hearth_core.config import load, problems
from hearth_core.config_home_assistant import HomeAssistantConfig
from hearth_core.errors import ConfigError
from hearth_server.home_assistant.access import access, websocket_url

SECRET = "a-very-secret-token"
VARIABLES = {"HEARTH_HOME_ASSISTANT_TOKEN": "of-the-environment", "SUPERVISOR_TOKEN": "of-the-supervisor"}


@pytest.mark.parametrize(
    ("config", "environment", "token", "url"),
    [
        ({"token": SECRET}, VARIABLES, SECRET, "ws://homeassistant.local:8123/api/websocket"),
        ({"token": f" {SECRET}\n"}, {}, SECRET, "ws://homeassistant.local:8123/api/websocket"),
        ({}, VARIABLES, "of-the-environment", "ws://homeassistant.local:8123/api/websocket"),
        ({}, {"SUPERVISOR_TOKEN": "s"}, "s", "ws://supervisor/core/websocket"),
        ({"url": "https://home.example"}, {"SUPERVISOR_TOKEN": "s"}, "s", "wss://home.example/api/websocket"),
        ({"url": "http://10.0.0.5:8123/"}, VARIABLES, "of-the-environment", "ws://10.0.0.5:8123/api/websocket"),
    ],
)
def test_the_nearest_token_counts(config: dict[str, str], environment: dict[str, str], token: str, url: str) -> None:
    found = access(HomeAssistantConfig.model_validate(config), environment)
    assert found.token().get_secret_value() == token
    assert found.url == url


def test_a_token_file_comes_before_the_environment_and_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    found = access(HomeAssistantConfig(token_file=str(file)), VARIABLES)
    assert found.token().get_secret_value() == SECRET
    file.write_text("another")
    assert found.token().get_secret_value() == "another"


@pytest.mark.parametrize("content", [b"", b"  \n", b"two words", b"x" * 5000, b"\xff\xfe\x00", "tökén".encode()])
def test_a_file_that_holds_no_token_is_told_without_its_content(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match="holds no access token") as raised:
        access(HomeAssistantConfig(token_file=str(file)), {})
    assert "two words" not in str(raised.value)
    assert "long-lived access token" in raised.value.remedy


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        access(HomeAssistantConfig(token_file=str(tmp_path / "none")), VARIABLES)


def test_without_a_token_it_is_told_where_to_get_one() -> None:
    with pytest.raises(ConfigError, match=r"HEARTH_HOME_ASSISTANT_TOKEN"):
        access(HomeAssistantConfig(), {})


def test_an_empty_variable_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="HEARTH_HOME_ASSISTANT_TOKEN holds no access token"):
        access(HomeAssistantConfig(), {"HEARTH_HOME_ASSISTANT_TOKEN": ""})


@pytest.mark.parametrize(
    "url", ["homeassistant", "ftp://x", "http://", "http://user:secret@home", "http://[", "http://h:x"]
)
def test_what_is_no_address_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValidationError) as raised:
        HomeAssistantConfig(url=url)
    assert "secret" not in str([error["msg"] for error in raised.value.errors()])


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://supervisor/core/websocket", "ws://supervisor/core/websocket"),
        ("ws://h:1/api/websocket", "ws://h:1/api/websocket"),
        ("https://h/behind/a/proxy/", "wss://h/behind/a/proxy/api/websocket"),
        ("http://[::1]:8123", "ws://[::1]:8123/api/websocket"),
    ],
)
def test_any_address_becomes_that_of_the_websocket(url: str, expected: str) -> None:
    assert websocket_url(url) == expected


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("url: http://user:secret@home", "home.home_assistant.url", "no user and no password"),
        ("url: home", "home.home_assistant.url", "http://homeassistant.local:8123"),
        ("{token: a, token_file: b}", "home.home_assistant", "not both"),
        ("tokn: secret", "home.home_assistant.tokn", "not a key that is known"),
        ("token: 5", "home.home_assistant.token", "valid string"),
    ],
)
def test_mistakes_in_the_file_are_told_without_their_values(tmp_path: Path, text: str, key: str, message: str) -> None:
    file = tmp_path / "hearth.yaml"
    file.write_text(f"home:\n  home_assistant:\n    {text}\n")
    (problem,) = problems(file)
    assert problem.key == key
    assert message in problem.message
    assert "secret" not in str(problem)


@pytest.mark.parametrize(
    ("text", "configured"),
    [("home:\n", False), ("home:\n  home_assistant:\n", True), ("home:\n  home_assistant: {token_file: t}\n", True)],
)
def test_a_section_without_a_word_means_the_defaults(tmp_path: Path, text: str, configured: bool) -> None:
    file = tmp_path / "hearth.yaml"
    file.write_text(text)
    section = load(file).home.home_assistant
    assert (section is not None) is configured
    if section is not None and section.token_file is not None:
        assert section.token_file == str(tmp_path / "t")


@pytest.mark.parametrize("number", [0, 1])
def test_the_configurations_in_the_page_are_taken(tmp_path: Path, number: int) -> None:
    page = (Path(__file__).parents[3] / "docs/home_assistant.md").read_text("utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 2
    file = tmp_path / "hearth.yaml"
    file.write_text(blocks[number])
    section = load(file).home.home_assistant
    assert section is not None
    assert (section.token_file is None) is (number == 1)


def test_nothing_shows_the_token() -> None:
    config = HomeAssistantConfig.model_validate({"token": SECRET})
    found = access(config, {})
    for shown in (repr(config), str(config), config.model_dump_json(), repr(found), str(found)):
        assert SECRET not in shown
