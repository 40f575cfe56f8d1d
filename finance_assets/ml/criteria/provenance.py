"""Criteria about where a candidate comes from: data, time, recipe, signature, tags."""

import json
import re
from dataclasses import dataclass
from typing import Any, ClassVar

from finance_assets.ml.criterion import Criterion, Evidence, Finding
from finance_assets.settings import Environment

COMMIT = re.compile("[0-9a-f]{7,40}")
REQUIRED_TAGS = (
    "use_case",
    "env",
    "owner",
    "git_sha",
    "dataset_version",
    "model_family",
    "train_window",
)


@dataclass(frozen=True)
class PointInTime(Criterion[Any, Any]):
    """Trained on just the partitions, rows and data versions that were known as of its own."""

    name: ClassVar[str] = "point_in_time"
    sentence: ClassVar[str] = "It learned from what was known then, and from nothing held out."

    def judge(self, evidence: Evidence[Any, Any]) -> Finding:
        """Compare the candidate's tags with what a training of today would have."""
        if not evidence.expected:
            raise ValueError("nothing is known about what it should have been trained on")
        wrong = {
            tag: f"{evidence.tags.get(tag)} instead of {value}"
            for tag, value in evidence.expected.items()
            if evidence.tags.get(tag) != value
        }
        observed = "; ".join(f"{tag}: {what}" for tag, what in wrong.items())
        required = ", ".join(f"{tag} {value}" for tag, value in evidence.expected.items())
        return Finding(not wrong, required, observed or "just these")


@dataclass(frozen=True)
class Artifact(Criterion[Any, Any]):
    """The stored model is the registered one, and training again gives the same bytes."""

    name: ClassVar[str] = "artifact"
    sentence: ClassVar[str] = "The stored model is what its recipe gives, byte for byte."

    def judge(self, evidence: Evidence[Any, Any]) -> Finding:
        """Compare registered digest, stored file and a second training."""
        registered = evidence.tags.get("artifact_sha256", "")
        problem = evidence.artifact_problem or evidence.unmeasured.get("candidate", "")
        same = bool(registered) and registered == evidence.retrained_sha256
        if not problem and not same:
            again = evidence.retrained_sha256[:12] or "nothing"
            problem = f"registered {registered[:12] or 'nothing'}, trained again {again}"
        return Finding(
            not problem,
            "stored = registered = trained again from the recorded recipe",
            problem or f"sha256 {registered[:12]}",
        )


@dataclass(frozen=True)
class Signature(Criterion[Any, Any]):
    """Inputs as declared, and as the champion's unless the change is declared."""

    name: ClassVar[str] = "signature"
    sentence: ClassVar[str] = "It takes exactly the declared features, as the champion does."
    declared_change: str = ""

    def judge(self, evidence: Evidence[Any, Any]) -> Finding:
        """Compare the candidate's inputs with the declared ones and the champion's."""
        is_declared = bool(evidence.signature) and evidence.signature == evidence.expected_signature
        is_kept = not evidence.has_champion or bool(
            evidence.champion_signature == evidence.signature or self.declared_change
        )
        observed = ", ".join(evidence.signature) or "no signature"
        if not is_kept:
            observed += f"; the champion takes {', '.join(evidence.champion_signature) or 'none'}"
        return Finding(is_declared and is_kept, ", ".join(evidence.expected_signature), observed)


@dataclass(frozen=True)
class RequiredTags(Criterion[Any, Any]):
    """Every tag that makes it traceable is set, and outside `dev` the code is a commit.

    Without word of the environment that decides, the candidate's own tag says which it is.
    """

    name: ClassVar[str] = "required_tags"
    sentence: ClassVar[str] = "It can be traced: every required tag is set, its code to a commit."

    def judge(self, evidence: Evidence[Any, Any]) -> Finding:
        """Look for missing tags, another environment's, and code that no commit holds."""
        tags = evidence.tags
        missing = [tag for tag in REQUIRED_TAGS if not tags.get(tag)]
        env = evidence.env or tags.get("env", "")
        untraceable = "" if "git_sha" in missing else _untraceable(tags["git_sha"])
        problems = [f"missing: {', '.join(missing)}"] if missing else []
        if tags.get("env") and tags["env"] != env:
            problems.append(f"trained in {tags['env']}, judged in {env}")
        if untraceable and env != Environment.dev:
            problems.append(untraceable)
        allowed = f"all there; allowed in {env}: {untraceable}" if untraceable else "all there"
        return Finding(not problems, ", ".join(REQUIRED_TAGS), "; ".join(problems) or allowed)


def _untraceable(git_sha: str) -> str:
    """Why the code cannot be found again by its commit; empty if it can."""
    if git_sha.endswith("-dirty"):
        return f"git_sha {git_sha} had changes that no commit holds"
    return "" if COMMIT.fullmatch(git_sha) else f"git_sha {git_sha!r} is no commit"


@dataclass(frozen=True)
class DataChecks(Criterion[Any, Any]):
    """Every input window was published with all its checks passed."""

    name: ClassVar[str] = "data_checks"
    sentence: ClassVar[str] = "Every input window passed its data checks."

    def judge(self, evidence: Evidence[Any, Any]) -> Finding:
        """Look for input windows with failed checks."""
        failed = {window: names for window, names in evidence.data_checks.items() if names}
        return Finding(
            bool(evidence.data_checks) and not failed,
            "every input window published with all checks passed",
            json.dumps(failed) if failed else f"{len(evidence.data_checks)} input windows",
        )
