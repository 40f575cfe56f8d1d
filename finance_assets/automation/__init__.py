"""Automation: partitions, jobs, schedules and sensors. When things run, never what they do."""
