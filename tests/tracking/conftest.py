from mlflow_store import store

__all__ = ["store"]
