"""How this machine reaches the world: its proxy and the certificates it trusts. The same for every carrier."""

from __future__ import annotations

import os
import ssl
import sys
from functools import cache
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from gen_toolkit import text
from gen_toolkit.errors import SettingError


def proxy_for(address: str) -> str | None:
    """The proxy on the way to an address: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, without those that NO_PROXY names."""
    parts = urlsplit(address)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    host = parts.hostname or ""
    if not proxy or proxy_bypass(host if ":" in host or not parts.port else f"{host}:{parts.port}"):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    try:
        way = urlsplit(proxy)
        good = way.scheme in {"http", "https"} and bool(way.hostname) and way.port != 0
    except ValueError:
        good = False
    if not good:
        raise SettingError(
            f"the proxy for {parts.scheme} addresses is none that can be used",
            fix=f"Set {parts.scheme.upper()}_PROXY to an address like http://proxy:3128.",
            setting=f"{parts.scheme.upper()}_PROXY",
        )
    if way.password:
        text.remember_secret(way.password)
        text.remember_secret(unquote(way.password))
    return proxy


def trusted() -> ssl.SSLContext:
    """What servers must show: certificates that the system trusts, or those of SSL_CERT_FILE, SSL_CERT_DIR."""
    return _trusted(os.environ.get("SSL_CERT_FILE") or None, os.environ.get("SSL_CERT_DIR") or None)


@cache
def _trusted(file: str | None, folder: str | None) -> ssl.SSLContext:
    if sys.platform == "darwin" and not (file or folder):
        import truststore  # macOS keeps its certificates, a company's own among them, where OpenSSL does not look

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return ssl.create_default_context(cafile=file, capath=folder)
    except (OSError, ssl.SSLError) as error:
        raise SettingError(
            f"the certificates of SSL_CERT_FILE ({file}) cannot be read: {text.one_line(error)}",
            fix="Name a file of certificates in PEM form, or unset it.",
            setting="SSL_CERT_FILE",
        ) from None
