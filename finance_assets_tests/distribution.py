"""Distribution: which files of tests go to the same process."""

from xdist.scheduler.loadfile import LoadFileScheduling

# What their tests share is made once for both: a workspace with Spark and Delta on the JVM.
TOGETHER = {
    f"finance_assets_tests/databricks/{name}.py": "the workspace with a catalog"
    for name in ("test_catalog", "test_governance")
}


class ByFile(LoadFileScheduling):
    """As xdist's own, which goes by file."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return TOGETHER.get(file, file)
