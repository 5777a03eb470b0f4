from mlflow_store import patient, store

__all__ = ["patient", "store"]
