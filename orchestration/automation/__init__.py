"""What happens between runs: jobs, schedules, sensors, alerts, and the records that Dagster keeps."""
