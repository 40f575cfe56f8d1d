"""Tests of finance_assets.bundle."""
