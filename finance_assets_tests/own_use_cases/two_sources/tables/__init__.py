"""The tables of two_sources: one file each."""
