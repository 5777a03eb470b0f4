"""Once more, offline: is a run, or a release, still what it was?"""
