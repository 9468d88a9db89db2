"""What is kept on disk between runs, each file by rename and known by its hash."""
