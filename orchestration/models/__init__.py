"""What model families need of a run: rows, trainings that are due, declarations and what is on record."""
