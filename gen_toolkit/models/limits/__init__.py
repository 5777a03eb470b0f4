"""Rate limits: requests and tokens per minute of an alias, shared by tasks and by processes."""
