"""The PIN: read from a secret, checked, locked, never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from hearth_core.config_policy import PolicyConfig
from hearth_core.errors import ConfigError
from hearth_server.pin import PinGate, pin_gate


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_right_pin_and_no_other_is_taken() -> None:
    gate = PinGate(SecretStr("2468"))
    assert gate.check("2468")
    assert not any(gate.check(wrong) for wrong in ("246", "24688"))
    assert not PinGate(None).check("")


def test_three_wrong_ones_lock_it_even_for_the_right_one_until_the_time_is_over() -> None:
    clock = Clock()
    gate = PinGate(SecretStr("2468"), 3, 300.0, clock)
    for _ in range(3):
        assert gate.locked_minutes == 0
        assert not gate.check("1111")
    assert gate.locked_minutes == 5
    assert not gate.check("2468")
    clock.now = 241.0
    assert gate.locked_minutes == 1
    clock.now = 300.0
    assert gate.locked_minutes == 0
    assert gate.check("2468")


def test_the_right_one_and_time_make_the_wrong_ones_forgotten() -> None:
    clock = Clock()
    gate = PinGate(SecretStr("2468"), 3, 300.0, clock)
    for _ in range(3):
        assert not gate.check("1111")
        assert not gate.check("1111")
        assert gate.check("2468")
    for _ in range(3):
        assert not gate.check("1111")
        assert not gate.check("1111")
        clock.now += 301
    assert gate.check("2468")


def test_it_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "pin"
    file.write_text("135790\n")
    assert pin_gate(PolicyConfig(pin_file=str(file))).check("135790")
    assert not pin_gate(PolicyConfig()).exists


@pytest.mark.parametrize("text", ["", "12", "123456789", "12a4", "12 34", "1234\n5678", "x" * 10_000])
def test_a_file_that_holds_no_pin_is_told_without_its_words(tmp_path: Path, text: str) -> None:
    file = tmp_path / "pin"
    file.write_text(text)
    with pytest.raises(ConfigError, match="holds no PIN") as caught:
        pin_gate(PolicyConfig(pin_file=str(file)))
    if len(text) > 1:
        assert text not in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        pin_gate(PolicyConfig(pin_file=str(tmp_path / "none")))


@pytest.mark.parametrize("pin", ["123", "123456789", "12a4", "٤٤٤٤", ""])
def test_what_is_no_pin_is_a_mistake_and_not_repeated(pin: str) -> None:
    with pytest.raises(ValidationError) as caught:
        PolicyConfig(pin=SecretStr(pin))
    assert "4 to 8 digits" in str(caught.value)
    if pin:
        assert pin not in str(caught.value)


def test_the_configuration_does_not_show_it() -> None:
    assert "2468" not in repr(PolicyConfig(pin=SecretStr("2468")))
    assert "2468" not in PolicyConfig(pin=SecretStr("2468")).model_dump_json()
