"""Certificates for servers on loopback, made for one test run: one that is right, and three that are not."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)


def make(folder: Path) -> dict[str, Path]:
    """PEM files by kind; `authority` is what a client has to trust."""
    now = datetime.datetime.now(datetime.UTC)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("authority", authority_key, None, authority_key, now, signs=True)
    found = {"authority": folder / "authority.pem"}
    found["authority"].write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    for kind, host, end in (
        ("trusted", "localhost", now + _DAY),
        ("wrong host", "elsewhere.test", now + _DAY),
        ("expired", "localhost", now - _DAY),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        found[kind] = _written(
            folder / f"{kind}.pem", _certificate(host, key, authority, authority_key, end - _DAY), key
        )
    own = ec.generate_private_key(ec.SECP256R1())
    found["self-signed"] = _written(folder / "self-signed.pem", _certificate("localhost", own, None, own, now), own)
    return found


def _certificate(
    host: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    signing: ec.EllipticCurvePrivateKey,
    start: datetime.datetime,
    *,
    signs: bool = False,
) -> x509.Certificate:
    """Good for a day from `start`."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - datetime.timedelta(hours=1))
        .not_valid_after(start + _DAY)
        .add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
        .add_extension(x509.BasicConstraints(ca=signs, path_length=None), critical=True)
    )
    return built.sign(signing, hashes.SHA256())


def _names(host: str) -> list[x509.GeneralName]:
    here = ipaddress.ip_address("127.0.0.1")
    return [x509.DNSName(host), *([x509.IPAddress(here)] if host == "localhost" else [])]


def _written(path: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Path:
    """Certificate and private key in one file."""
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path
