"""Evaluations: rows × scorers → a result that says how good, how sure, and compared with what."""
