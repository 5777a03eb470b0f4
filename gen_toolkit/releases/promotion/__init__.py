"""How a notebook becomes a release: proof, gates, and the folder that is written."""
