"""Tests of finance_assets.lakehouse."""
