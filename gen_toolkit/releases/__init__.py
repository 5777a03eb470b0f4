"""What may run: notebooks that were checked, and frozen with everything they run."""
