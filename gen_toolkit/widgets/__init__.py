"""Interactive views, for notebooks. Nobody imports this room: objects find their view by entry point (`views`)."""
