"""Tests of what is written from a file: pure but for those that say otherwise."""
