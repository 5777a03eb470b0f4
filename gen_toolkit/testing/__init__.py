"""Releases as tests: what a pytest of whoever installed the toolkit picks up."""
