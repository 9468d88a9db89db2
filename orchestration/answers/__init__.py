"""What is published, or would be, in answer to a question at the command line."""
