"""Tests of finance_assets.compute."""
