"""What happens between runs: jobs, schedules, sensors, alerts, and how old things may grow."""
