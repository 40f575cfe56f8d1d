"""Tests of finance_assets.assets."""
