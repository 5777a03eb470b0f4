"""Rows to evaluate on: read from anywhere, with stable ids and a digest."""
