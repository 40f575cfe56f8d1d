"""Tests of finance_assets.steps."""
