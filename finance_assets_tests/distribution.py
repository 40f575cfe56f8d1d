"""Distribution: which files of tests go to the same process."""

from xdist.scheduler.loadfile import LoadFileScheduling

# What their tests share is made once for all of them.
SHARED = {
    "a workspace with Spark and Delta on the JVM": (
        "databricks/test_catalog.py",
        "databricks/test_governance.py",
    ),
    "a warm JVM": (
        "end_to_end/test_engines.py",
        "end_to_end/test_journal_races.py",
        "end_to_end/test_maintenance_jvm.py",
        "end_to_end/test_retention.py",
        "lakehouse/sources/test_readable.py",
    ),
}
# A use case's own may be taken away with it, so they go by their name.
BY_NAME = {"test_benchmarks.py": "a warm JVM"}
TOGETHER = {
    f"finance_assets_tests/{file}": what for what, files in SHARED.items() for file in files
}


class ByFile(LoadFileScheduling):
    """As xdist's own, which goes by file."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return TOGETHER.get(file, BY_NAME.get(file.rpartition("/")[2], file))
