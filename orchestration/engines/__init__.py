"""Functions over rows of customers, bucket by bucket: in this process, or on Spark."""
