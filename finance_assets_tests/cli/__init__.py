"""Tests of finance_assets.cli."""
