"""Loads the example's definitions for Dagster and lets a publish happen: run by dbt's Python.

Prints a line of JSON: the models that are requested before and after a publish, what a build of
them did, and what is requested after it and after the next publish.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import warnings
from typing import Any

import dagster as dg


def definitions_in(path: str) -> dg.Definitions:
    spec = importlib.util.spec_from_file_location("definitions", path)
    assert spec
    assert spec.loader
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    defs: dg.Definitions = module.defs
    return defs


def main(path: str) -> None:
    defs = definitions_in(path)
    published = dg.AssetMaterialization("warehouse_duckdb")
    warnings.simplefilter("ignore", dg.BetaWarning)
    with dg.DagsterInstance.ephemeral() as instance:
        before = dg.evaluate_automation_conditions(defs, instance)
        instance.report_runless_asset_event(published)
        after = dg.evaluate_automation_conditions(defs, instance, cursor=before.cursor)
        job = defs.resolve_implicit_global_asset_job_def()
        built = job.execute_in_process(instance=instance)
        checks = [(one.check_name, one.passed) for one in built.get_asset_check_evaluations()]
        idle = dg.evaluate_automation_conditions(defs, instance, cursor=after.cursor)
        instance.report_runless_asset_event(published)
        again = dg.evaluate_automation_conditions(defs, instance, cursor=idle.cursor)
    graph = defs.resolve_asset_graph()
    models = sorted(graph.materializable_asset_keys)
    seen = {
        "models": [key.to_user_string() for key in models],
        "upstream": sorted(
            {up.to_user_string() for key in models for up in graph.get(key).parent_keys}
        ),
        "requested": [one.total_requested for one in (before, after, idle, again)],
        "success": built.success,
        "checks": len(checks),
        "failed": [name for name, passed in checks if not passed],
    }
    sys.stdout.write(f"\n{json.dumps(seen)}\n")


main(sys.argv[1])
