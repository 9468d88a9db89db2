"""What model families need of a run: rows, trainings that are due, contests, declarations and what is on record."""
