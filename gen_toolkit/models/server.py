"""The server of an alias: its address, what identifies us there, and the facts that errors name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

from gen_toolkit.alias import Alias
from gen_toolkit.errors import MissingSecret, SettingError
from gen_toolkit.secret import Secret

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2


@dataclass(frozen=True)
class Server:
    """Who answers for an alias, as far as an error message needs to know."""

    alias: str
    model: str
    address: str
    """The base URL."""
    key: str | None = None
    """The reference to the key, never the key."""

    @property
    def shown(self) -> str:
        """The address for people, without its query, which may hold a key."""
        return self.address.partition("?")[0]

    @property
    def host(self) -> str:
        return urlsplit(self.address).hostname or ""

    @property
    def port(self) -> int:
        parts = urlsplit(self.address)
        return parts.port or (443 if parts.scheme == "https" else 80)

    @lru_cache(64)  # noqa: B019 - a server is a few words, and there are few of them
    def url(self, path: str, query: str = "") -> str:
        """The address of one of its functions; a query that the base URL has stays."""
        parts = urlsplit(self.address)
        both = "&".join(part for part in (parts.query, query) if part)
        return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + path, both, ""))


def refuse_credentials_in_address(name: str, alias: Alias) -> None:
    """A name or a password in an address would be written wherever the address is."""
    if alias.base_url and "@" in urlsplit(alias.base_url).netloc:
        raise SettingError(
            f"model alias {name!r}: base_url holds a user name or a password",
            fix='Take it out, and name it by reference: headers = {Authorization = "env:NAME"}.',
            setting="base_url",
        )


def key_of(name: str, alias: Alias) -> str | None:
    """The key, read anew at each call so that a corrected one is used at once; None: the alias names none."""
    return _value(name, alias.api_key, "api_key") if alias.api_key else None


def headers_of(name: str, alias: Alias) -> dict[str, str]:
    """The headers of an alias by their names in small letters; references are read, and masked from then on."""
    found = {}
    for header, value in alias.headers.items():
        if not _HEADER_NAME.fullmatch(header):
            raise SettingError(
                f"model alias {name!r}: {header!r} is no name of a header",
                fix="Use letters, digits and hyphens.",
                setting="headers",
            )
        found[header.lower()] = _value(name, value, f"headers.{header}")
    return found


def _value(name: str, written: str, setting: str) -> str:
    """What a header will hold: the text, or what the reference stands for."""
    value = written
    if written.startswith(("env:", "file:")):
        try:
            value = Secret(written).value
        except MissingSecret as error:
            error.message = f"model alias {name!r}: {error.message}"
            raise
    if not (value.isascii() and value.isprintable()):
        raise SettingError(
            f"model alias {name!r}: what {setting} holds cannot be sent"
            + (f" ({written})" if written is not value else ""),
            fix="It must be one line of printable ASCII characters; copy it again.",
            setting=setting,
        )
    return value
