"""One file per subject; each body asks the warehouse, makes one `ml` call and hands the result back."""
