"""Starts at once: a template process that has imported everything, and forks supervisors, runners and kernels."""
