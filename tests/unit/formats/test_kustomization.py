"""What a kustomization makes of manifests is named as not checked."""

from __future__ import annotations

import pytest

from sandboxd.lint.analysis import check_source
from sandboxd.text import SourceText

PATH = "/p/prod/kustomization.yaml"
PATCH = """\
resources: [../base]
patches:
  - target: {kind: Pod, name: web}
    patch: |-
      - op: add
        path: /spec/hostPID
        value: true
"""


def skipped(text: str) -> list[str]:
    report = check_source(SourceText(PATH, text))
    assert report.findings == ()
    return [f"{entry.path.removeprefix('/p/')}: {entry.reason}" for entry in report.skipped]


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("resources: [pod.yaml, ../base]\nnamePrefix: dev-\npatches: []\n", []),
        (PATCH, ["changes manifests by its `patches`, which are not applied here"]),
        (
            "patchesStrategicMerge: [a.yaml]\nreplacements: [{path: r.yaml}]\n",
            [
                "changes manifests by its `patchesStrategicMerge`, `replacements`, which are not applied here"
            ],
        ),
        (
            "bases: [github.com/x/y//deploy?ref=v1]\ncomponents: [./local]\n",
            ["takes manifests from `github.com/x/y//deploy?ref=v1`, which is not fetched"],
        ),
        (
            "resources:\n  - https://x.example/all.yaml\nhelmCharts: [{name: db}]\n",
            [
                "takes manifests from `https://x.example/all.yaml`, which is not fetched",
                "takes manifests from charts of Helm, which are not read",
            ],
        ),
        ("", []),
    ],
)
def test_what_is_not_read_is_named(text: str, reasons: list[str]) -> None:
    assert skipped(text) == [f"prod/kustomization.yaml: {reason}" for reason in reasons]
