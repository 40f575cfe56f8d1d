"""Tests of finance_assets.monitoring."""
