"""Compute: where a step runs and what session it gets. No step's logic belongs here."""
