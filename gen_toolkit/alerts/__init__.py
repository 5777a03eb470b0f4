"""Whom to tell when a job fails, recovers, is slow, over budget or missed: a listener to events."""
