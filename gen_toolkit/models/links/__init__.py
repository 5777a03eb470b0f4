"""The links of the chain, one file each. Every link has the shape of a provider and wraps the next."""
