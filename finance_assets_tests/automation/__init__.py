"""Tests of finance_assets.automation."""
