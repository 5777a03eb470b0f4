"""Azure OpenAI by deployments: the same API under other addresses, with the key in a header of its own.

    [tool.gen_toolkit.models.work]
    provider = "azure"
    base_url = "https://NAME.openai.azure.com"
    model = "DEPLOYMENT"
    api_version = "2024-10-21"
    api_key = "env:AZURE_OPENAI_API_KEY"

Azure's newer addresses (`https://NAME.openai.azure.com/openai/v1`) need none of this: provider "openai".
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from gen_toolkit.alias import Alias
from gen_toolkit.errors import MissingSecret, SettingError
from gen_toolkit.models.openai import OpenAIProvider
from gen_toolkit.settings import Resolved


class AzureProvider(OpenAIProvider):
    """One deployment of one Azure resource."""

    def __init__(self, name: str, alias: Alias, settings: Resolved) -> None:
        for setting, example in (("base_url", "https://NAME.openai.azure.com"), ("api_version", "2024-10-21")):
            if not getattr(alias, setting):
                raise SettingError(
                    f"model alias {name!r} of provider 'azure' has no {setting}",
                    fix=f'Add {setting} = "{example}" to it.',
                    setting=setting,
                )
        super().__init__(name, alias, settings)

    def _url(self, path: str) -> str:
        deployment = quote(self._server.model, safe="")
        query = f"api-version={quote(self._alias.api_version or '', safe='')}"
        return self._server.url(f"/openai/deployments/{deployment}{path}", query)

    def _identified(self, own: Mapping[str, str]) -> dict[str, str]:
        """A token of Entra ID may stand in the alias's own headers: `Authorization = "file:PATH"`."""
        return {} if {"api-key", "authorization"} & own.keys() else {"api-key": self._key()}

    def _key(self) -> str:
        if not self._alias.api_key:
            raise MissingSecret(
                f"model alias {self._name!r} has no api_key",
                fix='Add api_key = "env:AZURE_OPENAI_API_KEY" to the alias and set that variable.',
                reference="",
            )
        return super()._key()
