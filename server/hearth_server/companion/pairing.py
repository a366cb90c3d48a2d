"""Pairing: a code that the owner reads on the server is given in Home Assistant, which gets a secret token for it.

The server keeps the token's hash alone. A code is good for one pairing and for some minutes; five wrong ones void it
and close the door for a while, so that guessing one of a million codes takes years.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, StringConstraints, ValidationError

from hearth_core.companion import RefusedError
from hearth_core.errors import ConfigError
from hearth_core.pairing_proof import CLIENT, SERVER, pairing_key, proof, same

from . import state_file

log = logging.getLogger(__name__)

CODE_DIGITS: Final = 6
CODE_VALID_S: Final = 600.0
MAX_WRONG: Final = 5
LOCKED_S: Final = 600.0
# A house has one Home Assistant, and perhaps one to try things out.
MAX_PAIRINGS: Final = 16

_Text = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class _Paired(BaseModel):
    id: _Text
    name: _Text
    hash: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
    since: float
    secured: bool = False


class _Kept(BaseModel):
    server_id: Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")]
    pairings: list[_Paired] = []


class _Code(BaseModel):
    code: Annotated[str, StringConstraints(pattern="^[0-9]{6}$")]
    until: float


@dataclass(frozen=True, slots=True)
class Paired:
    """A Home Assistant that is paired; `since` in seconds since 1970.

    `secured` says that it was paired over TLS; if not, others may have heard its token.
    """

    pairing_id: str
    name: str
    since: float
    secured: bool = False


class Pairing:
    """Who may come in.

    Args:
        folder: where it is kept; the server and `hearth server pair` share it.
        show: called with a new code and its minutes, to bring it before the owner's eyes.
        clock: seconds since 1970.
    """

    def __init__(
        self, folder: Path, show: Callable[[str, int], object] = lambda *_: None, clock: Callable[[], float] = time.time
    ) -> None:
        self._file = folder / "companion.json"
        self._code_file = folder / "companion-code.json"
        self._show = show
        self._clock = clock
        self._wrong = 0
        self._locked_until = 0.0
        self._proving = threading.Lock()

    @property
    def server_id(self) -> str:
        """Who this server is, for as long as the folder is kept."""
        return self._kept().server_id

    def paired(self) -> tuple[Paired, ...]:
        """Return who is paired."""
        return tuple(Paired(p.id, p.name, p.since, p.secured) for p in self._kept().pairings)

    def offer(self) -> tuple[str, float]:
        """Return the code and for how many seconds it is valid; a new one is shown, one that is still good is kept.

        Raises:
            RefusedError: locked.
        """
        self._refuse_if_locked()
        now = self._clock()
        code = self._code()
        if code is None:
            code = _Code(code=f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}", until=now + CODE_VALID_S)
            state_file.write(self._code_file, code.model_dump())
            self._show(code.code, round(CODE_VALID_S / 60))
        return code.code, code.until - now

    def accept(self, code: str, name: str) -> str:
        """Pair whoever knows the code; return the token.

        Raises:
            RefusedError: wrong-code, no-code or locked.
        """
        with self._proving:
            return self._accept(lambda valid: hmac.compare_digest(code.encode(), valid.encode()), name)

    def accept_proof(self, said: object, nonce: str, fingerprint: str, name: str) -> tuple[str, str]:
        """Pair whoever proves to know the code and to have seen our certificate; return the token, and our proof.

        Args:
            said: the proof.
            nonce: that it was made with; see `pairing_proof`.
            fingerprint: of our certificate.
            name: of whoever it is.

        Raises:
            RefusedError: as `accept`. Who saw another certificate has a wrong code.
        """
        server_id = self.server_id
        answers: list[str] = []

        def right(valid: str) -> bool:
            key = pairing_key(valid, nonce)
            answers.append(proof(key, SERVER, server_id, fingerprint))
            return same(said, proof(key, CLIENT, server_id, fingerprint))

        with self._proving:  # each proof takes 64 MiB for a moment
            return self._accept(right, name, secured=True), answers[0]

    def _accept(self, right: Callable[[str], bool], name: str, *, secured: bool = False) -> str:
        self._refuse_if_locked()
        valid = self._code()
        if valid is None:
            raise RefusedError("no-code", "there is no valid code", remedy="Run `hearth server pair` for a new one")
        if not right(valid.code):
            self._count_wrong()
        self._wrong = 0
        kept = self._kept()
        if len(kept.pairings) >= MAX_PAIRINGS:
            raise RefusedError(
                "full", f"{MAX_PAIRINGS} are paired already", remedy="Remove one: hearth server pair --remove NAME"
            )
        state_file.remove(self._code_file)
        token = secrets.token_urlsafe(32)
        name = "".join(c for c in name if c.isprintable())[:100].strip() or "Home Assistant"
        kept.pairings.append(
            _Paired(id=secrets.token_hex(8), name=name, hash=_hash(token), since=self._clock(), secured=secured)
        )
        state_file.write(self._file, kept.model_dump())
        log.warning("%s is paired with this server", name)
        return token

    def known(self, token: str) -> Paired | None:
        """Return whose token it is, None if nobody's."""
        found = None
        hashed = _hash(token)
        for pairing in self._kept().pairings:  # all of them, so that the time tells nothing
            if hmac.compare_digest(pairing.hash, hashed):
                found = Paired(pairing.id, pairing.name, pairing.since, pairing.secured)
        return found

    def revoke(self, pairing_id: str) -> bool:
        """Forget a pairing; return whether there was one."""
        kept = self._kept()
        left = [p for p in kept.pairings if p.id != pairing_id]
        if len(left) == len(kept.pairings):
            return False
        state_file.write(self._file, _Kept(server_id=kept.server_id, pairings=left).model_dump())
        return True

    def _kept(self) -> _Kept:
        # Read anew each time: `hearth server pair --remove` is another process.
        raw = state_file.read(self._file)
        if raw is None:
            kept = _Kept(server_id=secrets.token_hex(16))
            state_file.write(self._file, kept.model_dump())
            return kept
        return _checked(_Kept, raw, self._file)

    def _code(self) -> _Code | None:
        raw = state_file.read(self._code_file)
        if raw is None:
            return None
        code = _checked(_Code, raw, self._code_file)
        # One from the future was written before the clock was set.
        return code if 0 < code.until - self._clock() <= CODE_VALID_S else None

    def _refuse_if_locked(self) -> None:
        left = self._locked_until - self._clock()
        if left > 0:
            minutes = max(1, round(left / 60))
            raise RefusedError(
                "locked", f"{MAX_WRONG} wrong codes were given", remedy=f"Wait {minutes} minutes", retry_s=left
            )

    def _count_wrong(self) -> None:
        self._wrong += 1
        if self._wrong < MAX_WRONG:
            raise RefusedError("wrong-code", f"the code is wrong, {MAX_WRONG - self._wrong} attempts are left")
        self._wrong = 0
        self._locked_until = self._clock() + LOCKED_S
        state_file.remove(self._code_file)
        log.error("%d wrong pairing codes: nobody can pair for %d minutes", MAX_WRONG, LOCKED_S / 60)
        self._refuse_if_locked()


_Model = TypeVar("_Model", bound=BaseModel)


def _hash(token: str) -> str:
    # A token has 256 bits of chance, so a fast hash keeps it as well as a slow one.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _checked(model: type[_Model], raw: Any, path: Path) -> _Model:
    try:
        return model.model_validate(raw)
    except ValidationError:
        raise ConfigError(f"{path} is not what the server wrote", remedy="Remove it, and pair again") from None
