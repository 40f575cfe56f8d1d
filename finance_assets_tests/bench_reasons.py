"""Bench: what a score costs, and what its reasons do. `make bench` runs it; no test does."""

import time

import numpy as np

from finance_assets.ml.reasons import explain
from finance_assets.ml.training import train_lightgbm
from finance_assets.use_cases.credit_default.use_case import MODEL
from finance_assets_tests.ml.test_training import RECIPE, frame


def main() -> None:
    """Time both over the same rows."""
    model = train_lightgbm(RECIPE, frame(30_000))
    rows = model.inputs(frame(30_000))
    started = time.perf_counter()
    score = model.predict(rows, threads=1)
    scored = time.perf_counter() - started
    high = MODEL.band_from(MODEL.reasons.band)
    started = time.perf_counter()
    explain(model, MODEL.reasons, rows, score, high)
    explained = time.perf_counter() - started
    count = int(np.count_nonzero(score >= high))
    print(f"{len(rows):,} scores: {scored:.3f} s; reasons of {count:,} rows: {explained:.3f} s")
    each = (explained / max(count, 1)) / (scored / len(rows))
    print(f"a row's reasons cost as much as {each:.0f} scores")


if __name__ == "__main__":
    main()
