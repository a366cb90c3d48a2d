"""Who may speak to whom: TLS with a certificate that is known by its fingerprint, and a token said first.

A home has no certificate authority. The satellite makes its own certificate, and the server's configuration names the
fingerprint of it, which is read once when the two are paired.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import shutil
import ssl
import stat
import subprocess
from pathlib import Path
from typing import Final

from .control_event import MAX_TOKEN
from .errors import ConfigError, PeerError

_OPENSSL_S: Final = 60.0  # a key takes a Pi Zero less than a second
_DAYS: Final = 3650
MIN_TOKEN: Final = 16  # characters
ANOTHER_SATELLITE: Final = (
    "If the satellite was set up anew, put this fingerprint into the server's configuration; "
    "if not, somebody else answers in its place"
)


def server_context(
    cert_file: Path, key_file: Path, *, remedy: str = "`hearth satellite install --tls` makes one"
) -> ssl.SSLContext:
    """Return what a listener needs for TLS.

    Args:
        cert_file: the certificate, PEM.
        key_file: its key, PEM.
        remedy: where another pair comes from.

    Raises:
        ConfigError: the files cannot be read or are not a certificate and its key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert_file, key_file)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"the certificate {cert_file} with key {key_file} cannot be used: {error}",
            remedy=remedy,
        ) from error
    return context


def pinned_context() -> ssl.SSLContext:
    """Return what a client needs to connect to a peer that it knows by fingerprint; `check_fingerprint` must follow."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # no authority stands behind it; the fingerprint does
    return context


def check_fingerprint(certificate: bytes | None, fingerprint: str, peer: str, remedy: str = ANOTHER_SATELLITE) -> None:
    """Make sure that a peer showed the certificate, DER, of this SHA-256 fingerprint.

    Args:
        certificate: what it showed, None if nothing.
        fingerprint: the expected one, with or without colons.
        peer: its address, for the message.
        remedy: what to do if it is another one.

    Raises:
        PeerError: it is another one.
    """
    shown = hashlib.sha256(certificate or b"").hexdigest()
    if not hmac.compare_digest(shown, plain_fingerprint(fingerprint)):
        raise PeerError(
            f"{peer} has another certificate (SHA-256 {shown})",
            remedy=remedy,
        )


def plain_fingerprint(fingerprint: str) -> str:
    """Return a fingerprint without colons, in lower case."""
    return fingerprint.replace(":", "").lower()


def fingerprint_of(cert_file: Path) -> str:
    """Return the SHA-256 fingerprint of a certificate in PEM.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(cert_file.read_text("ascii"))).hexdigest()
    except (OSError, ValueError) as error:
        raise ConfigError(f"the certificate {cert_file} cannot be read: {error}") from error


def make_certificate(cert_file: Path, key_file: Path, name: str) -> str:
    """Make a key, for this user alone, and a certificate for it; return its fingerprint. Blocks for a second.

    Raises:
        ConfigError: openssl is missing, or the files cannot be written.
    """
    program = shutil.which("openssl")
    if program is None:
        raise ConfigError("openssl is not installed", remedy="sudo apt install openssl")
    subject = "".join(c for c in name if c.isalnum() or c in " -_")[:60] or "hearth"
    command = [
        program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", str(_DAYS),
        "-subj", f"/CN={subject}", "-keyout", str(key_file), "-out", str(cert_file),
    ]  # fmt: skip
    try:
        key_file.parent.mkdir(parents=True, exist_ok=True)
        key_file.touch(0o600)
        key_file.chmod(0o600)
        subprocess.run(command, check=True, capture_output=True, timeout=_OPENSSL_S)  # noqa: S603 - no shell, and the name is stripped
    except OSError as error:
        raise ConfigError(f"{key_file} cannot be written ({error.strerror})") from error
    except subprocess.SubprocessError as error:
        raise ConfigError(f"openssl could not make a certificate: {error}") from error
    return fingerprint_of(cert_file)


def token_in(path: Path, *, make: bool = False) -> str:
    """Return the token in the first line of a file.

    Args:
        path: the file; nobody but its owner may read it.
        make: write a new token if there is no file.

    Raises:
        ConfigError: it cannot be read, is readable for others, or holds no token.
    """
    try:
        if make and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(new_token() + "\n")
        with path.open(encoding="utf-8") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise ConfigError(f"{path} can be read by others", remedy=f"chmod 600 {path}")
            token = file.readline(MAX_TOKEN + 2).strip()
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"the token file {path} cannot be read: {error}", remedy="Write a token into it") from error
    if not MIN_TOKEN <= len(token) <= MAX_TOKEN:
        raise ConfigError(
            f"the first line of {path} is no token", remedy=f"Write {MIN_TOKEN} to {MAX_TOKEN} characters into it"
        )
    return token


def new_token() -> str:
    """Return a token that nobody guesses."""
    return secrets.token_urlsafe(24)


def same_token(said: object, expected: str) -> bool:
    """Return whether the token that somebody said is the expected one; takes as long whatever was said."""
    given = said if isinstance(said, str) and len(said) <= MAX_TOKEN else ""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())
