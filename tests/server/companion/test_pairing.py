"""Who gets in: codes, tokens, and what guessing costs."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from hearth_core.companion import RefusedError
from hearth_core.errors import ConfigError
from hearth_core.pairing_proof import CLIENT, SERVER, is_nonce, new_nonce, pairing_key, proof
from hearth_server.companion.pairing import CODE_VALID_S, LOCKED_S, MAX_PAIRINGS, MAX_WRONG, Pairing


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shown() -> list[str]:
    return []


@pytest.fixture
def pairing(tmp_path: Path, clock: Clock, shown: list[str]) -> Pairing:
    return Pairing(tmp_path, lambda code, minutes: shown.append(code), clock)


def refused(reason: str, pairing: Pairing, code: str) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        pairing.accept(code, "home")
    assert caught.value.reason == reason
    return caught.value


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def test_the_code_that_was_shown_gives_a_token_that_is_known(pairing: Pairing, shown: list[str]) -> None:
    pairing.offer()
    token = pairing.accept(shown[0], "home")
    known = pairing.known(token)
    assert known is not None
    assert known.name == "home"
    assert pairing.known(token[:-1]) is None
    assert pairing.known("") is None


NONCE, FINGERPRINT = "0" * 32, "a" * 64


def proven(pairing: Pairing, code: str, fingerprint: str = FINGERPRINT) -> str:
    return proof(pairing_key(code, NONCE), CLIENT, pairing.server_id, fingerprint)


def test_who_proves_the_code_and_has_seen_our_certificate_is_paired(pairing: Pairing, shown: list[str]) -> None:
    pairing.offer()
    token, ours = pairing.accept_proof(proven(pairing, shown[0]), NONCE, FINGERPRINT, "home")
    assert pairing.known(token) is not None
    assert ours == proof(pairing_key(shown[0], NONCE), SERVER, pairing.server_id, FINGERPRINT)
    assert ours != proven(pairing, shown[0])
    refused("no-code", pairing, shown[0])


def test_a_proof_for_another_certificate_or_code_counts_as_a_wrong_code(pairing: Pairing, shown: list[str]) -> None:
    pairing.offer()
    bad = (proven(pairing, wrong(shown[0])), proven(pairing, shown[0], "b" * 64), None, "", "\udcff")
    for said, reason in zip(bad, ("wrong-code",) * (MAX_WRONG - 1) + ("locked",), strict=True):
        with pytest.raises(RefusedError) as caught:
            pairing.accept_proof(said, NONCE, FINGERPRINT, "home")
        assert caught.value.reason == reason
    assert pairing.paired() == ()


def test_nonces_are_told_from_anything_else() -> None:
    assert is_nonce(new_nonce())
    assert new_nonce() != new_nonce()
    assert not any(map(is_nonce, (None, 5, "", "0" * 31, "g" * 32, "0" * 33, b"0" * 32)))


def test_a_code_serves_once(pairing: Pairing, shown: list[str]) -> None:
    pairing.offer()
    pairing.accept(shown[0], "home")
    refused("no-code", pairing, shown[0])


def test_a_code_that_is_still_good_is_not_shown_again(pairing: Pairing, shown: list[str], clock: Clock) -> None:
    pairing.offer()
    clock.now += CODE_VALID_S - 1
    code, valid_s = pairing.offer()
    assert (shown, valid_s) == ([code], 1)


@pytest.mark.parametrize("seconds", [CODE_VALID_S, -1.0])
def test_an_old_code_is_no_code(pairing: Pairing, shown: list[str], clock: Clock, seconds: float) -> None:
    pairing.offer()
    clock.now += seconds
    refused("no-code", pairing, shown[0])


def test_five_wrong_codes_close_the_door_for_minutes(pairing: Pairing, shown: list[str], clock: Clock) -> None:
    pairing.offer()
    for left in range(MAX_WRONG - 1, 0, -1):
        assert f"{left} attempts" in refused("wrong-code", pairing, wrong(shown[0])).message
    assert refused("locked", pairing, wrong(shown[0])).retry_s == LOCKED_S
    refused("locked", pairing, shown[0])
    with pytest.raises(RefusedError):
        pairing.offer()
    clock.now += LOCKED_S
    refused("no-code", pairing, shown[0])
    pairing.offer()
    pairing.accept(shown[1], "home")


def test_a_revoked_token_is_not_known(pairing: Pairing, shown: list[str]) -> None:
    pairing.offer()
    token = pairing.accept(shown[0], "home")
    known = pairing.known(token)
    assert known is not None
    assert pairing.revoke(known.pairing_id)
    assert not pairing.revoke(known.pairing_id)
    assert pairing.known(token) is None


def test_pairings_and_identity_outlive_the_server(
    pairing: Pairing, shown: list[str], tmp_path: Path, clock: Clock
) -> None:
    pairing.offer()
    token = pairing.accept(shown[0], "home\n\x00")
    again = Pairing(tmp_path, clock=clock)
    assert again.server_id == pairing.server_id
    assert [paired.name for paired in again.paired()] == ["home"]
    assert again.known(token) is not None


def test_another_process_shows_a_code_that_the_server_accepts(pairing: Pairing, tmp_path: Path, clock: Clock) -> None:
    code, _ = Pairing(tmp_path, clock=clock).offer()
    assert pairing.accept(code, "home")


def test_neither_the_files_nor_the_log_hold_the_token(
    pairing: Pairing, shown: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    pairing.offer()
    token = pairing.accept(shown[0], "home")
    for file in tmp_path.iterdir():
        assert token not in file.read_text()
        assert file.stat().st_mode & 0o077 == 0
    assert token not in caplog.text


def test_not_endlessly_many_are_paired(pairing: Pairing, shown: list[str]) -> None:
    for _ in range(MAX_PAIRINGS):
        pairing.offer()
        pairing.accept(shown[-1], "home")
    pairing.offer()
    refused("full", pairing, shown[-1])


@pytest.mark.parametrize("content", ["", "[]", "{", '{"server_id": "x"}', "null2", "[" * 100_000])
def test_a_spoilt_file_is_told_and_not_overwritten(tmp_path: Path, content: str) -> None:
    file = tmp_path / "companion.json"
    file.write_text(content)
    with pytest.raises(ConfigError, match=r"companion\.json"):
        Pairing(tmp_path).known("token")
    assert file.read_text() == content


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="companion"):
        _ = Pairing(tmp_path / "file" / "folder").server_id


def test_ids_are_of_chance(tmp_path: Path) -> None:
    ids = {Pairing(tmp_path / str(number)).server_id for number in range(3)}
    assert len(ids) == 3
    assert json.loads((tmp_path / "0" / "companion.json").read_text())["pairings"] == []
