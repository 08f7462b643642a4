"""Pages of figures, one screen a file."""
