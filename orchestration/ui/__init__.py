"""What the Dagster UI shows of an asset beside its rows: words, numbers and pictures."""
