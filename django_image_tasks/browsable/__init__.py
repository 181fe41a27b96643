"""What DRF's pages show of our JSON. Knows nothing of REST framework itself."""
