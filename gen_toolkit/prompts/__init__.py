"""Prompts: text with variables, strict rendering, versions in the MLflow prompt registry."""
