"""Who does what in a shared target: all of it is in the bundle, as a deployment revokes the rest."""

from pathlib import Path

import pytest
from databricks.sdk.service.catalog import Privilege

from finance_assets.bundle.storage import layers_of
from finance_assets.bundle.variables import load_bundle, resolve, variables_of
from finance_assets.compute.databricks.rights import ROLES
from finance_assets.use_cases import all_use_cases
from finance_assets_tests.scenario import NAME

ROOT = Path(__file__).parents[2]
BUNDLE = load_bundle(ROOT)
LAYERS = layers_of(all_use_cases().values())
HOME = "finance_assets"
EVERYWHERE = {*LAYERS, HOME, "staging", "landing", "runs", "questions", "approvals"}
# Who may do it, where. Whoever deploys owns everything, and is not in it.
WHO_DOES_WHAT = {
    "SELECT": {role: set(LAYERS) for role in ("orchestrator", "readers", "approvers")},
    "MODIFY": {"orchestrator": set(LAYERS), "approvers": {"models", "monitoring"}},
    "CREATE_TABLE": {"orchestrator": set(LAYERS)},
    "CREATE_MODEL": {"orchestrator": {HOME}},
    "EXECUTE": {role: {HOME} for role in ("orchestrator", "readers", "approvers")},
    "APPLY_TAG": {role: {HOME} for role in ("orchestrator", "approvers")},
    "USE_SCHEMA": {
        **{role: {*LAYERS, HOME} for role in ("orchestrator", "readers", "approvers")},
        "deliverers": {HOME},
    },
    "READ_VOLUME": {
        "orchestrator": {"staging", "landing", "runs"},
        "deliverers": {"landing"},
        "readers": {"staging", "questions"},
        "approvers": {"staging", "approvals"},
    },
    "WRITE_VOLUME": {
        "orchestrator": {"staging", "runs"},
        "deliverers": {"landing"},
        "readers": {"questions"},
        "approvers": {"approvals"},
    },
}
ON_EXPERIMENTS = {"orchestrator": "CAN_MANAGE", "readers": "CAN_READ", "approvers": "CAN_EDIT"}


def role_of(principal, target):
    """The role that a resolved principal stands for; by default the service principal runs Dagster."""
    values = variables_of(BUNDLE, target)
    values["var.orchestrator"] = values["var.service_principal"]
    [found] = [role for role in ROLES if values[f"var.{role}"] == principal]
    return found


@pytest.mark.parametrize("target", ["staging", "prod"])
def test_what_is_granted_is_what_everybody_has_to_do_and_no_more(target):
    resources, found = resolve(BUNDLE, target)["resources"], {}
    for kind in ("schemas", "volumes"):
        for key, resource in resources[kind].items():
            assert key in EVERYWHERE
            for grant in resource["grants"]:
                for privilege in grant["privileges"]:
                    who = found.setdefault(privilege, {})
                    who.setdefault(role_of(grant["principal"], target), set()).add(key)
    assert found == WHO_DOES_WHAT
    assert set(found) <= {privilege.value for privilege in Privilege}


@pytest.mark.parametrize("target", ["staging", "prod"])
def test_people_see_the_runs_of_every_use_case_and_approvers_add_to_them(target):
    experiments = resolve(BUNDLE, target)["resources"]["experiments"]
    assert set(experiments) == set(all_use_cases())
    for name, experiment in experiments.items():
        assert experiment["name"].endswith(f"/finance_assets/{target}/{name}")
        levels = {
            role_of(who, target): entry["level"]
            for entry in experiment["permissions"]
            for kind, who in entry.items()
            if kind != "level"
        }
        assert levels == ON_EXPERIMENTS


def test_a_developer_owns_what_is_deployed_and_experiments_keep_their_names():
    resources = resolve(BUNDLE, "dev")["resources"]
    assert NAME not in resources.get("experiments", {})
    assert not [
        r for kind in ("schemas", "volumes") for r in resources[kind].values() if "grants" in r
    ]
