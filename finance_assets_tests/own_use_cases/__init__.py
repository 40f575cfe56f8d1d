"""Use cases from scratch, each in a folder of its own, and what is tested of them."""
