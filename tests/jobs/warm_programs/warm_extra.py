"""A module that a workspace names in `warm`."""
