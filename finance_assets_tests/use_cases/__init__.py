"""Tests of finance_assets.use_cases."""
