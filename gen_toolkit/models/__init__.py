"""The one door to every model: aliases, providers, and the chain that every call goes through."""
