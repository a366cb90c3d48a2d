"""Six digits that prove, on both sides, which certificate was seen when two were paired.

Whoever stands between the two shows a certificate of its own, and so gets a proof that is good for that one alone. To
make the right one it has to find the code, by guessing on the proof that it got: six digits are a million guesses, and
only scrypt's cost, 64 MiB and a fifth of a second of one core each, stands against them. For one processor core they
are two days, and a code is good for ten minutes. But they can be made side by side: a graphics card, or a few machines,
may get through all of them in these minutes. So this keeps out who listens, and an attacker in between who comes as he
is; it does not keep out one who is prepared, nor somebody who can read the code. The client proves first, so nobody
gets a proof to guess on who has not got the client to talk to.

Source: scrypt, RFC 7914; HMAC, RFC 2104. A password-authenticated key exchange (RFC 9382) would leave nothing
to guess on, but is not in Python's library.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Final

CLIENT: Final = "client"
SERVER: Final = "server"
_N: Final = 2**16  # with r = 8: 64 MiB
_MAX_MEMORY: Final = 128 * 2**20
_NONCE: Final = re.compile(r"[0-9a-f]{32}")


def new_nonce() -> str:
    """Return what makes the proofs of one attempt unlike those of every other."""
    return secrets.token_hex(16)


def is_nonce(value: object) -> bool:
    """Return whether this is one."""
    return isinstance(value, str) and _NONCE.fullmatch(value) is not None


def pairing_key(code: str, nonce: str) -> bytes:
    """Return what the proofs of one attempt are made with; computing of a fifth of a second and 64 MiB.

    Args:
        code: the digits.
        nonce: from `new_nonce`.
    """
    salt = bytes.fromhex(nonce)
    return hashlib.scrypt(code.encode(), salt=salt, n=_N, r=8, p=1, maxmem=_MAX_MEMORY, dklen=32)


def proof(key: bytes, who: str, server_id: str, fingerprint: str) -> str:
    """Return what `who` proves: that it knows the code, and speaks of this server with this certificate.

    Args:
        key: from `pairing_key`.
        who: CLIENT or SERVER; nobody can send back what it got.
        server_id: the server's.
        fingerprint: SHA-256 of the certificate.
    """
    return hmac.new(key, f"hearth pairing {who} {server_id} {fingerprint}".encode(), "sha256").hexdigest()


def same(one: object, other: str) -> bool:
    """Return whether two proofs are the same, in a time that tells nothing."""
    return isinstance(one, str) and hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode())
