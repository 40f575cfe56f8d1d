"""Tests of finance_assets.ml."""
