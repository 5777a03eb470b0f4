"""When: what a pipeline's file says about fire times, and the process that serves them."""
