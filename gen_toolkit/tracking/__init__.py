"""The only door to MLflow. Work writes events to a spool; one writer a workspace brings them to MLflow."""
