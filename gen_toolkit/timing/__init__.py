"""When something is due: cron lines and schedules, as plain arithmetic that knows no pipelines."""
