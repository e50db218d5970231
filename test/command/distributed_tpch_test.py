#!/usr/bin/env python3
"""TPC-H through 2 and 3 executors in tiny tasks without broadcasts: the answers, and that all executors have done their share and
rows have gone from one to the other, as /api says."""
import sys
import tempfile

import command_driver
import node_driver
from command_driver import ROOT, expect, sql

QUERIES = {path.stem: path.read_text() for path in sorted((ROOT / "bench/tpch").glob("q*.sql"))}
SPREAD = ("--set", "distribution=always", "--set", "broadcast_limit=0", "--set", "target_task_bytes=64kB")
ALONE = 2  # queries at most whose stages happen to lie so that each reads what its own executor has


def makers(scheduler, job, stage):
    """{executor: bytes of the tasks that it committed} in a stage."""
    made = {}
    for task in scheduler.api(f"job/{job}/stage/{stage['stage_id']}/tasks")["tasks"]:
        if task["status"] == "Successful":
            made[task["executor_id"]] = made.get(task["executor_id"], 0) + task["output_bytes"]
    return made


def exchanged(scheduler, job):
    """Whether rows of one executor were another's input: two of them made a stage's output, and two of them, or another, read it."""
    stages = scheduler.api(f"job/{job}/stages")["stages"]
    expect({stage["stage_status"] for stage in stages}, {"Successful"})
    made = [makers(scheduler, job, stage) for stage in stages]
    for stage, here in zip(stages, made):
        others = [before for before, reader in zip(made, stages) if reader is not stage and len(before) > 1 and min(before.values()) > 0]
        if stage["input_rows"] > 0 and len(here) > 1 and others:
            return True
    return False


def check(executors, data):
    with node_driver.cluster(executors, "--data", "tpch=" + data) as (scheduler, _, url):
        command_driver.wait_until(lambda: len(scheduler.api("executors")) == executors)
        spread = 0
        for text in QUERIES.values():
            expect(sql("--connect", url, *SPREAD, "-c", text), sql("--data", data, "-c", text))
            spread += exchanged(scheduler, scheduler.api("jobs")[0]["job_id"])
        if spread < len(QUERIES) - ALONE:
            raise AssertionError(f"{executors} executors exchanged rows in {spread} of {len(QUERIES)} queries")
        for one in scheduler.api("executors"):
            few = [name for name in ("committed_tasks", "committed_rows", "committed_bytes") if one[name] < 100]
            expect((one["state"], few), ("ready", []))
        figures = scheduler.figures()
        expect(figures["arbalest_scheduler_jobs_succeeded_total"], len(QUERIES))
        expect(figures["arbalest_scheduler_attempts_failed_total"], 0)
        print(f"{executors} executors: {spread} of {len(QUERIES)} queries exchanged rows, "
              f"{figures['arbalest_scheduler_tasks_committed_bytes_total'] / 1e6:.0f} MB in "
              f"{figures['arbalest_scheduler_tasks_committed_total']:.0f} tasks")


def test_every_executor_works_and_rows_are_exchanged():
    with tempfile.TemporaryDirectory() as folder:
        data = folder + "/tpch"
        expect(command_driver.run("generate", "tpch", "--scale", "0.1", "--output", data)[0], 0)
        check(2, data)
        check(3, data)


if __name__ == "__main__":
    sys.exit(command_driver.main(globals()))
